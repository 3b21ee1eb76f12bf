"""Does this authorisation give a right now, and may it be granted, revoked, opened at all?"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from recorder.accounts.model import Account, AccountId, Role
from recorder.authorisations.model import Authorisation, ContractorAccess, ScanKind, Standing
from recorder.phone_numbers import normalise

ROLES_OF_PAPER = frozenset({Role.LISTENER, Role.COPY_MAKER, Role.DPO})
"""The roles whose acts on audio and numbers need an authorisation (§ 8.1)."""
OPENS = frozenset({Standing.PROPOSED, Standing.FUTURE, Standing.VALID})
"""Where an authorisation opens recordings, or will without anybody looking at its holder again."""

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Instants of a paper. Near the ends of the calendar one may be kept that nobody can read again."""
LONGEST_CONTRACTOR_ACCESS = timedelta(hours=8)
LONGEST_SCAN_BYTES = 20 << 20
LONGEST_REASON = 500
REVIEW_EVERY = timedelta(days=92)
"""A quarter: by then somebody says that the authorisation is still needed."""

SIGNATURES = {
    b"%PDF-": ScanKind.PDF,
    b"\x89PNG\r\n\x1a\n": ScanKind.PNG,
    b"\xff\xd8\xff": ScanKind.JPEG,
}


def standing(authorisation: Authorisation, now: datetime) -> Standing:
    """Tell where an authorisation stands. The instant of its end and its revocation is outside."""
    if authorisation.refused_at is not None:
        return Standing.REFUSED
    if authorisation.granted_at is None:
        return Standing.PROPOSED
    if authorisation.revoked_at is not None and authorisation.revoked_at <= now:
        return Standing.REVOKED
    if now >= authorisation.valid_until:
        return Standing.ENDED
    if now < authorisation.valid_from:
        return Standing.FUTURE
    return Standing.VALID


def covers_line(authorisation: Authorisation, line: str) -> bool:
    """Tell whether the office's number is in the authorisation's scope, in any spelling."""
    if authorisation.lines is None or line in authorisation.lines:
        return True
    public = normalise(line)
    return public is not None and any(normalise(each) == public for each in authorisation.lines)


def opens(authorisations: Iterable[Authorisation], now: datetime) -> bool:
    """Tell whether any of these opens recordings to its holder, now or once its day has come."""
    # A proposal whose period is over is confirmed by nobody any more.
    return any(standing(each, now) in OPENS and now < each.valid_until for each in authorisations)


def problem_of_holder(holder: Account, *, totp_required: bool) -> str:
    """Return why this account gets no authorisation yet; empty when it may (R6.3e).

    It has to be its owner's alone: whoever gave the first password could else be there before
    them, and hear in their name.
    """
    if holder.disabled_at is not None:
        return "the account is disabled"
    if holder.must_change_password:
        return "this person changes the first password, which somebody else gave, before that"
    if totp_required and holder.totp_since is None:
        return "this person sets a second factor before that"
    return ""


def problem_of_grant(
    *,
    holder: AccountId,
    holder_roles: frozenset[Role],
    grantor: AccountId,
    roles: frozenset[Role],
    one_recording: bool,
    valid_from: datetime,
    valid_until: datetime,
    now: datetime,
) -> str:
    """Return why this authorisation cannot be granted; empty when it can (R8.1a)."""
    if holder == grantor:
        return "nobody grants an authorisation to himself"
    if not roles:
        return "an authorisation names at least one role"
    if not roles <= ROLES_OF_PAPER:
        return "an authorisation is for listeners, copy makers and, for one recording, the DPO"
    if not roles <= holder_roles:
        return "the account does not have that role: recorder user roles"
    if Role.DPO in roles and not one_recording:
        return "the DPO is authorised for one recording at a time"
    if valid_from < EARLIEST or valid_until > LATEST:
        return "its period lies in this century or the next"
    if valid_until <= valid_from:
        return "it would end before it begins"
    if valid_until <= now:
        return "its period would be over already"
    return ""


def problem_of_confirming(authorisation: Authorisation, *, by: AccountId, now: datetime) -> str:
    """Return why this person cannot confirm the proposal; empty when it can."""
    if authorisation.granted_at is not None or authorisation.refused_at is not None:
        return "it is decided already"
    if by == authorisation.proposed_by:
        return "a second person confirms: not the one who proposed it"
    if by == authorisation.account_id:
        return "nobody grants an authorisation to himself"
    if now >= authorisation.valid_until:
        return "its period is over; propose a new one"
    return ""


def problem_of_revoking(reason: str) -> str:
    """Return why a revocation cannot be entered with this reason; empty when it can."""
    if not reason.strip():
        return "say why it is revoked"
    if len(reason.strip()) > LONGEST_REASON:
        return f"a reason has at most {LONGEST_REASON} characters"
    return ""


def problem_of_opening(
    *, roles: frozenset[Role], contract: str, reason: str, now: datetime, until: datetime
) -> str:
    """Return why a contractor's access cannot be opened; empty when it can (R6.3c)."""
    if Role.CONTRACTOR not in roles:
        return "the account is no contractor's"
    if not contract.strip() or not reason.strip():
        return "contract number and reason are needed"
    if until <= now:
        return "it would be over before it begins"
    if until - now > LONGEST_CONTRACTOR_ACCESS:
        return "a contractor's access lasts at most 8 hours"
    return ""


def open_access(accesses: Iterable[ContractorAccess], now: datetime) -> ContractorAccess | None:
    """Return the contractor's access that stands open; it closes by itself."""
    for each in accesses:
        closed = each.closed_at is not None and each.closed_at <= now
        if each.opened_at <= now < each.until and not closed:
            return each
    return None


def due_for_review(authorisation: Authorisation, now: datetime) -> bool:
    """Tell whether a valid authorisation has stood for a quarter without anybody's word."""
    if standing(authorisation, now) is not Standing.VALID or authorisation.granted_at is None:
        return False
    return now - (authorisation.reviewed_at or authorisation.granted_at) >= REVIEW_EVERY


def kind_of_scan(content: bytes) -> ScanKind | None:
    """Tell by content what a scan is, whatever its name says; None = nothing we take."""
    for signature, kind in SIGNATURES.items():
        if content.startswith(signature):
            return kind
    return None


def standing_findings(roles: frozenset[Role]) -> Sequence[str]:
    """Return what the DPO must know about a person's roles for as long as they last."""
    if {Role.SYSADMIN, Role.COPY_MAKER} <= roles:
        return ["one person keeps the machine and makes copies (allowed to small offices)"]
    return []
