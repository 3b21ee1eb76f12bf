"""What the login that asks may do: no process is to own the tables (ADR 0025)."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

OWNS = text(
    "SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class "
    "WHERE oid = to_regclass('audit_event')"
)


async def owns_the_tables(connection: AsyncConnection) -> bool:
    """Tell whether this login could take the audit trail's guards away: owner or superuser."""
    return bool(await connection.scalar(OWNS))
