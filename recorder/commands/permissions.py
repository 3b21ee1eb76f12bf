"""Which right each command takes, and by which door one comes to it. The only list of it.

A command that is not here is refused, and fails a test.
"""

from dataclasses import dataclass
from enum import StrEnum

from recorder.access.model import Permission

P = Permission


class Door(StrEnum):
    """How the person at the prompt is known."""

    ACCOUNT = "account"
    """Signed in with ``recorder sign-in``: whatever concerns people."""
    MACHINE = "machine"
    """The operating system's administrator, a sysadmin by office, without account."""
    EITHER = "either"
    """Signed in, or the operating system's administrator where a sysadmin may."""
    FILES = "files"
    """Whoever may write the installation's own files: it has no database to ask yet."""
    OPEN = "open"
    """Anybody: it is the door itself."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One command's right."""

    door: Door
    permission: P | None
    """None for doors that ask for no right."""


def _of(door: Door, permissions: dict[str, P]) -> dict[str, Declared]:
    return {name: Declared(door, permission) for name, permission in permissions.items()}


DISPLACES = Declared(Door.ACCOUNT, P.ANNOUNCEMENT_ACTIVATE)
"""What changing an announcement takes that callers hear already; filling a free place takes none.
"""

DECLARED: dict[str, Declared] = {
    **_of(
        Door.ACCOUNT,
        {
            "calls list": P.CALL_LIST,
            "calls show": P.CALL_LIST,
            "calls live": P.CALL_LIST,
            "calls pause": P.CALL_CONTROL,
            "calls resume": P.CALL_CONTROL,
            "calls stop": P.CALL_CONTROL,
            "recordings list": P.CALL_LIST,
            "recordings show": P.CALL_LIST,
            "recordings export": P.COPY_MAKE,
            "authorisation grant": P.AUTHORISATION_GRANT,
            "authorisation confirm": P.AUTHORISATION_GRANT,
            "authorisation refuse": P.AUTHORISATION_GRANT,
            "authorisation revoke": P.AUTHORISATION_REVOKE,
            "authorisation review": P.AUTHORISATION_GRANT,
            "authorisation attach": P.AUTHORISATION_GRANT,
            "authorisation list": P.AUTHORISATION_READ,
            "authorisation show": P.AUTHORISATION_READ,
            "authorisation print": P.AUTHORISATION_READ,
            # A real hold takes HOLD_PLACE besides, which the command asks for.
            "hold place": P.HOLD_PLACE_PROVISIONAL,
            "hold review": P.HOLD_REVIEW,
            "hold lift": P.HOLD_LIFT,
            "hold list": P.HOLD_LIST,
            "erase": P.RECORDING_ERASE,
            "config apply-retention": P.RETENTION_CHANGE,
            "approval list": P.HOLD_LIST,
            # Whoever may do the act itself may answer it: asked when the proposal is known.
            "approval confirm": P.HOLD_LIST,
            "approval refuse": P.HOLD_LIST,
            "contractor note": P.CONTRACTOR_READ,
            "audit show": P.AUDIT_READ,
            "audit verify": P.AUDIT_VERIFY,
            "audit export": P.AUDIT_EXPORT,
        },
    ),
    **_of(
        Door.EITHER,
        {
            "status": P.STATUS_READ,
            "config show": P.CONFIG_READ,
            "config check": P.CONFIG_READ,
            "recordings verify": P.RECORDING_VERIFY,
            "user add": P.ACCOUNT_MANAGE,
            "user disable": P.ACCOUNT_MANAGE,
            "user enable": P.ACCOUNT_MANAGE,
            "user link": P.DIRECTORY_MANAGE,
            "user unlink": P.DIRECTORY_MANAGE,
            "user roles": P.ROLE_ASSIGN,
            "user list": P.ACCOUNT_READ,
            "user show": P.ACCOUNT_READ,
            "user extension": P.ACCOUNT_MANAGE,
            "user reset": P.ACCOUNT_MANAGE,
            "token issue": P.ACCOUNT_MANAGE,
            "token revoke": P.ACCOUNT_MANAGE,
            "token list": P.ACCOUNT_READ,
            "workstation add": P.WORKSTATION_MANAGE,
            "workstation remove": P.WORKSTATION_MANAGE,
            "workstation list": P.WORKSTATION_READ,
            "contractor open": P.CONTRACTOR_OPEN,
            "contractor close": P.CONTRACTOR_CLOSE,
            "contractor list": P.CONTRACTOR_READ,
            "purge": P.RETENTION_RUN,
            "reconcile": P.RETENTION_RUN,
            "report deletions": P.REPORT_READ,
            "completeness": P.RETENTION_RUN,
            "incidents list": P.INCIDENT_READ,
            "incidents explain": P.INCIDENT_EXPLAIN,
            "incidents close": P.INCIDENT_EXPLAIN,
            "logs": P.LOG_READ,
            "diagnose": P.LOG_READ,
        },
    ),
    **_of(
        Door.MACHINE,
        {
            "db upgrade": P.DATABASE_UPGRADE,
            "db current": P.STATUS_READ,
            "user first-token": P.ACCOUNT_MANAGE,
            "keys init": P.KEY_ROTATE,
            "keys rotate": P.KEY_ROTATE,
            "keys adopt": P.KEY_ROTATE,
            "backup make": P.BACKUP_MAKE,
            "backup list": P.BACKUP_MAKE,
            "backup verify": P.BACKUP_MAKE,
            "backup prune": P.BACKUP_MAKE,
            "restore": P.BACKUP_MAKE,
            "erasures export": P.BACKUP_MAKE,
            "audit checkpoint": P.BACKUP_MAKE,
            "audit init-key": P.BACKUP_MAKE,
            "audit forget": P.RETENTION_RUN,
        },
    ),
    **{
        f"announcement {name}": Declared(Door.FILES, None)
        for name in (
            "add",
            "say",
            "list",
            "activate",
            "show",
            "export",
            "check",
            "install-starters",
        )
    },
    # A process, not an act: it asks at every request.
    "web": Declared(Door.FILES, None),
    # The private office of script/run alone, which belongs to whoever started it.
    "demo call": Declared(Door.FILES, None),
    # It reads nothing of the office: sums alone.
    "sizing": Declared(Door.OPEN, None),
    "sign-in": Declared(Door.OPEN, None),
    "sign-out": Declared(Door.OPEN, None),
    # Its token is the key.
    "user first": Declared(Door.OPEN, None),
    **_of(Door.ACCOUNT, {"user password": P.OWN_ACCOUNT, "user totp": P.OWN_ACCOUNT}),
}
