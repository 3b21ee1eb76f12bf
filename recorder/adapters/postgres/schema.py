"""Every table of this release, for migrations and for whoever compares."""

from recorder.adapters.postgres import (
    tables,
    tables_access,
    tables_announcements,
    tables_audit,
    tables_keeping,
    tables_live,
    tables_oversight,
    tables_web,
)

TABLES = (
    *(tables, tables_access, tables_audit, tables_keeping),
    *(tables_announcements, tables_live, tables_oversight, tables_web),
)
METADATA = tables.Base.metadata
