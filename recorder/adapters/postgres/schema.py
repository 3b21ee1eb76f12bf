"""Every table of this release, for migrations and for whoever compares."""

from recorder.adapters.postgres import tables, tables_access

TABLES = (tables, tables_access)
METADATA = tables.Base.metadata
