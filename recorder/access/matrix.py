"""Who may do what, as a table: `registers.md` section 2 in the office's own abbreviations.

● allowed · ◐ with a second person or a fresh factor · ○ own or masked view only · – refused ·
¹ by an authorisation for this one recording.
"""

from recorder.access.model import Demand, Permission, View
from recorder.accounts.model import Role

COLUMNS = (
    Role.REGISTRY_CLERK,
    Role.LISTENER,
    Role.COPY_MAKER,
    Role.ADMINISTRATOR,
    Role.DPO,
    Role.SYSADMIN,
    Role.CONTRACTOR,
)

P = Permission
MATRIX: dict[Permission, str] = {
    #                        REJ  ODS  KOP  ADM  IOD  SYS  SER
    P.CALL_LIST: "           ○    ●    ●    ○    ○    –    –  ",
    P.HOLD_LIST: "           ○    ●    ●    ○    ○    –    –  ",
    P.EMPLOYEE_SEARCH: "     –    ●    ●    –    –    –    –  ",
    P.NUMBER_REVEAL: "       –    ●    ●    –    –    –    –  ",
    P.RECORDING_LISTEN: "    –    ●    ●    –    ¹    –    –  ",
    P.CALL_CONTROL: "        ○    ○    ○    ●    –    –    –  ",
    P.REQUEST_REGISTER: "    ●    ●    ●    ●    –    –    –  ",
    P.REQUEST_READ: "        ●    ●    ●    ●    –    –    –  ",
    P.HOLD_PLACE_PROVISIONAL: "●  ●    ●    ●    –    –    –  ",
    P.HOLD_PLACE: "          –    –    –    ◐    –    –    –  ",
    P.HOLD_REVIEW: "         –    –    –    ◐    –    –    –  ",
    P.HOLD_LIFT: "           –    –    –    ◐    –    –    –  ",
    P.REQUEST_DECIDE: "      –    –    –    ◐    –    –    –  ",
    P.COPY_MAKE: "           –    –    ◐    –    –    –    –  ",
    P.COPY_SIGN: "           –    –    ●    –    –    –    –  ",
    P.COPY_DEPOSIT: "        –    –    ●    –    –    –    –  ",
    P.COPY_DISCLOSE: "       –    –    ◐    ◐    –    –    –  ",
    P.COPY_DESTROY: "        –    –    ◐    ◐    –    –    –  ",
    P.RECORDING_ERASE: "     –    –    ◐    ◐    –    –    –  ",
    P.AUTHORISATION_GRANT: " –    –    –    ◐    –    –    –  ",
    P.AUTHORISATION_REVOKE: "–    –    –    ◐    –    –    –  ",
    P.AUTHORISATION_READ: "  –    ○    ○    ●    ●    –    –  ",
    P.SCOPE_CHANGE: "        –    –    –    ◐    –    –    –  ",
    P.RETENTION_CHANGE: "    –    –    –    ◐    –    –    –  ",
    P.MODE_CHANGE: "         –    –    –    ◐    –    –    –  ",
    P.ANNOUNCEMENT_ACTIVATE: "–   –    –    ◐    –    –    –  ",
    P.ANNOUNCEMENT_READ: "   ●    ●    ●    ●    ●    ●    –  ",
    P.COPY_READ: "           ○    ○    ●    ●    ●    –    –  ",
    P.SUBJECT_REQUEST_DECIDE: "–  –    –    ●    –    –    –  ",
    P.SUBJECT_REQUEST_ADVISE: "–  –    –    –    ●    –    –  ",
    P.AUDIT_READ: "          –    ○    ○    ○    ●    –    –  ",
    P.AUDIT_VERIFY: "        –    ○    ○    ○    ●    –    –  ",
    P.AUDIT_EXPORT: "        –    ○    ○    ○    ●    –    –  ",
    P.REPORT_READ: "         –    –    –    ●    ●    ●    ○  ",
    P.INCIDENT_READ: "       –    –    –    ●    ●    ●    ○  ",
    P.INCIDENT_EXPLAIN: "    –    –    –    ●    –    ●    –  ",
    P.RECORDING_VERIFY: "    –    –    –    ●    ●    ●    –  ",
    P.ACCOUNT_MANAGE: "      –    –    –    –    –    ◐    –  ",
    P.ROLE_ASSIGN: "         –    –    –    –    –    ◐    –  ",
    P.DIRECTORY_MANAGE: "    –    –    –    –    –    ◐    –  ",
    P.CERTIFICATE_MANAGE: "  –    –    –    –    –    ◐    –  ",
    P.WORKSTATION_MANAGE: "  –    –    –    –    –    ◐    –  ",
    P.BACKUP_MAKE: "         –    –    –    –    –    ◐    –  ",
    P.DATABASE_UPGRADE: "    –    –    –    –    –    ◐    –  ",
    P.RETENTION_RUN: "       –    –    –    ●    –    ●    –  ",
    P.ACCOUNT_READ: "        –    –    –    ●    ●    ●    –  ",
    P.WORKSTATION_READ: "    –    –    –    ●    ●    ●    –  ",
    P.LOG_READ: "            –    –    –    –    ●    ●    ●  ",
    P.CONTRACTOR_OPEN: "     –    –    –    ◐    –    ◐    –  ",
    P.CONTRACTOR_CLOSE: "    –    –    –    ●    –    ●    –  ",
    P.CONTRACTOR_READ: "     –    –    –    ●    ●    ●    –  ",
    P.KEY_ROTATE: "          –    –    –    ◐    –    ◐    –  ",
    P.KEY_DESTROY: "         –    –    –    ◐    –    ◐    –  ",
    P.STATUS_READ: "         ●    ●    ●    ●    ●    ●    ●  ",
    P.CONFIG_READ: "         –    –    –    ●    ●    ●    –  ",
    P.OWN_ACCOUNT: "         ●    ●    ●    ●    ●    ●    ●  ",
}

SECOND_PERSON = frozenset(
    {
        P.HOLD_LIFT,
        P.COPY_DISCLOSE,
        P.COPY_DESTROY,
        P.RECORDING_ERASE,
        P.AUTHORISATION_GRANT,
        P.SCOPE_CHANGE,
        P.RETENTION_CHANGE,
        P.MODE_CHANGE,
        P.ANNOUNCEMENT_ACTIVATE,
        P.KEY_DESTROY,
        P.ROLE_ASSIGN,
    }
)
"""Of the acts marked ◐, those that take two persons; the others take a fresh factor.

What protects a person (revoking, closing) or is in a hurry (holding) never waits for a second.
Of roles it is who grants and who oversees: ``recorder.accounts.guarding.GUARDED``.
"""

SHOWN_IN_PART: dict[tuple[Permission, Role], View] = {
    (P.REPORT_READ, Role.SYSADMIN): View.COUNTS,
    (P.REPORT_READ, Role.CONTRACTOR): View.COUNTS,
    (P.INCIDENT_READ, Role.CONTRACTOR): View.COUNTS,
    (P.LOG_READ, Role.CONTRACTOR): View.MASKED,
}
OWN_ALONE = frozenset(
    {P.AUDIT_READ, P.AUDIT_VERIFY, P.AUDIT_EXPORT, P.CALL_CONTROL, P.AUTHORISATION_READ}
)
"""Where ○ means one's own; elsewhere it means masked."""

NEEDS_PAPER = frozenset(
    {
        P.NUMBER_REVEAL,
        P.RECORDING_LISTEN,
        P.COPY_MAKE,
        P.COPY_SIGN,
        P.COPY_DEPOSIT,
        P.COPY_DISCLOSE,
        P.COPY_DESTROY,
        P.RECORDING_ERASE,
    }
)
"""What a listener, copy maker or DPO does only under a valid authorisation (§ 8.1)."""

NEEDS_GROUND = frozenset({P.NUMBER_REVEAL, P.RECORDING_LISTEN, P.COPY_MAKE, P.EMPLOYEE_SEARCH})
"""What nobody does without a purpose of § 3.1 or a request's number (R3.1a, R4.2b)."""

FORBIDDEN_PAIRS = (
    (Role.DPO, None),
    (Role.CONTRACTOR, None),
    (Role.SYSADMIN, Role.ADMINISTRATOR),
)
"""Roles that one person never has together; None = any other."""


def mark_of(permission: Permission, role: Role) -> str:
    """Return the table's mark: ● ◐ ○ – or ¹."""
    return MATRIX[permission].split()[COLUMNS.index(role)]


def demand_of(permission: Permission, role: Role) -> Demand | None:
    """Return what the act takes beyond the role."""
    if mark_of(permission, role) != "◐":
        return None
    return Demand.SECOND_PERSON if permission in SECOND_PERSON else Demand.FRESH_FACTOR


def view_of(permission: Permission, role: Role) -> View:
    """Return how much the role is shown."""
    if view := SHOWN_IN_PART.get((permission, role)):
        return view
    if mark_of(permission, role) != "○":
        return View.FULL
    return View.OWN if permission in OWN_ALONE else View.MASKED


def pair_problem(roles: frozenset[Role]) -> str:
    """Return why one person cannot have all these roles; empty when they go together."""
    for one, other in FORBIDDEN_PAIRS:
        if one not in roles:
            continue
        if other is None and len(roles) > 1:
            return f"{one} goes with no other role"
        if other is not None and other in roles:
            return f"{one} and {other} are never one person"
    return ""
