"""The matrix of `registers.md` 2, row by row, and what must hold whatever is asked."""

import itertools
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.access.matrix import COLUMNS, MATRIX, NEEDS_GROUND, NEEDS_PAPER, pair_problem
from recorder.access.model import (
    AccessDecision,
    Answer,
    Ground,
    Permission,
    Place,
    Target,
    View,
    Why,
)
from recorder.access.rules import decide, decide_confirming, decide_operator
from recorder.accounts.model import Role
from recorder.authorisations.model import Authorisation
from tests.access_builders import (
    LINE,
    MINE,
    NOW,
    OTHER,
    PURPOSES,
    RECORDING,
    a_paper,
    a_person,
)

P = Permission
REGISTERS = """
| see call list (masked numbers) | ○ | ● | ● | ○ | ○ | – | – |
| reveal a number | – | ● | ● | – | – | – | – |
| listen (purpose + case) | – | ● | ● | – | –¹ | – | – |
| register request | ● | ● | ● | ● | – | – | – |
| provisional hold | ● | ● | ● | ● | – | – | – |
| confirm / refuse / lift hold | – | – | – | ◐ | – | – | – |
| make and mark copy | – | – | ◐ | – | – | –² | – |
| sign register row | – | – | ● | – | – | – | – |
| disclose copy to authority | – | – | ◐ | ◐ | – | – | – |
| destroy copy, manual deletion | – | – | ◐ | ◐ | – | – | – |
| grant / revoke authorisation | – | – | – | ◐ | – | – | – |
| change scope, retention, announcement, mode | – | – | – | ◐ | –³ | – | – |
| read copy register | ○ | ○ | ● | ● | ● | – | – |
| decide data-subject request | – | – | – | ● | ○⁴ | – | – |
| audit trail: read, verify, export | – | ○ | ○ | ○ | ● | – | – |
| deletion reports, reconciliation, overdue | – | – | – | ● | ● | ● (counts) | ○ (counts) |
| accounts, directory, certificates, backup, upgrade | – | – | – | – | – | ◐ | – |
| technical logs | – | – | – | – | ● | ● | ● (redacted) |
| open contractor session | – | – | – | ◐ | told | ◐ | – |
| key store: rotate, destroy out of schedule | – | – | – | ◐ | told | ◐ | – |
"""
ROWS: dict[str, tuple[Permission, ...]] = {
    "see call list (masked numbers)": (P.CALL_LIST, P.HOLD_LIST),
    "reveal a number": (P.NUMBER_REVEAL,),
    "listen (purpose + case)": (P.RECORDING_LISTEN,),
    "register request": (P.REQUEST_REGISTER, P.REQUEST_READ),
    "provisional hold": (P.HOLD_PLACE_PROVISIONAL,),
    "confirm / refuse / lift hold": (P.HOLD_PLACE, P.HOLD_REVIEW, P.HOLD_LIFT, P.REQUEST_DECIDE),
    "make and mark copy": (P.COPY_MAKE,),
    "sign register row": (P.COPY_SIGN,),
    "disclose copy to authority": (P.COPY_DISCLOSE,),
    "destroy copy, manual deletion": (P.COPY_DESTROY, P.RECORDING_ERASE),
    "grant / revoke authorisation": (P.AUTHORISATION_GRANT, P.AUTHORISATION_REVOKE),
    "change scope, retention, announcement, mode": (
        P.SCOPE_CHANGE,
        P.RETENTION_CHANGE,
        P.MODE_CHANGE,
        P.ANNOUNCEMENT_ACTIVATE,
    ),
    "read copy register": (P.COPY_READ,),
    "decide data-subject request": (P.SUBJECT_REQUEST_DECIDE,),
    "audit trail: read, verify, export": (P.AUDIT_READ, P.AUDIT_VERIFY, P.AUDIT_EXPORT),
    "deletion reports, reconciliation, overdue": (P.REPORT_READ,),
    "accounts, directory, certificates, backup, upgrade": (
        P.ACCOUNT_MANAGE,
        P.ROLE_ASSIGN,
        P.DIRECTORY_MANAGE,
        P.CERTIFICATE_MANAGE,
        P.WORKSTATION_MANAGE,
        P.BACKUP_MAKE,
        P.DATABASE_UPGRADE,
    ),
    "technical logs": (P.LOG_READ,),
    "open contractor session": (P.CONTRACTOR_OPEN,),
    "key store: rotate, destroy out of schedule": (P.KEY_ROTATE, P.KEY_DESTROY),
}
BEYOND = frozenset(P) - {each for row in ROWS.values() for each in row}
"""What the register does not list: its rows are in the code's matrix alone."""

MATRIX_CASES = [
    pytest.param(permission, role, cells[column].strip(), id=f"{permission}-{role}")
    for line in REGISTERS.strip().splitlines()
    for name, *cells in [line.strip("| ").split(" | ")]
    for permission in ROWS[name]
    for column, role in enumerate(COLUMNS)
]
EVERYBODY = list(itertools.product(P, Role))


def ask(permission: Permission, person: Any, **changed: Any) -> AccessDecision:
    """Ask with everything in order; a test takes something away."""
    roles = person.roles if person is not None else ()
    given_values: dict[str, Any] = {
        "authorisations": [paper_for(role) for role in roles],
        "place": Place.LISTED,
        "target": Target(line=LINE, recording_id=RECORDING, owner=MINE),
        "ground": Ground(purpose=PURPOSES[0]),
        "purposes": PURPOSES,
        "now": NOW,
    } | changed
    return decide(permission, person=person, **given_values)


def paper_for(role: Role, **changed: Any) -> Authorisation:
    return a_paper(role, **{"recording_id": RECORDING if role is Role.DPO else None} | changed)


@pytest.mark.parametrize(("permission", "role", "cell"), MATRIX_CASES)
def test_every_act_of_every_role_is_as_the_register_says(
    permission: Permission, role: Role, cell: str
) -> None:
    """R6.3a, R6.3e: the register's own table, not a copy of the code's."""
    decision = ask(permission, a_person(role))
    stale = ask(permission, a_person(role, fresh_at=NOW - timedelta(hours=1)))
    match cell:
        case "●":
            assert (decision.allowed, decision.view) == (True, View.FULL)
            assert (stale.allowed, decision.needs_second_person) == (True, False)
        case "◐":
            assert decision.allowed
            assert (stale.allowed, stale.reason) == (False, Why.FRESH_FACTOR_NEEDED)
        case "○":
            assert decision.allowed
            assert decision.view in {View.MASKED, View.OWN}
        case "● (counts)" | "○ (counts)":
            assert (decision.allowed, decision.view) == (True, View.COUNTS)
        case "● (redacted)":
            assert (decision.allowed, decision.view) == (True, View.MASKED)
        case "–¹":
            assert decision.allowed, "a one-case authorisation opens one recording"
            without = ask(permission, a_person(role), authorisations=[])
            assert (without.allowed, without.reason) == (False, Why.NO_AUTHORISATION)
        case "○⁴":
            assert not decision.allowed
            assert ask(P.SUBJECT_REQUEST_ADVISE, a_person(role)).allowed
        case "–" | "–²" | "–³" | "told":
            assert (decision.allowed, decision.reason) == (False, Why.ROLE_LACKS_IT)
        case _:
            raise AssertionError(cell)


def test_every_permission_has_a_row_and_every_row_a_permission() -> None:
    assert set(MATRIX) == set(P)
    assert len(MATRIX_CASES) == len(COLUMNS) * (len(P) - len(BEYOND))
    for row in MATRIX.values():
        assert len(row.split()) == len(COLUMNS)
        assert set(row.split()) <= set("●◐○–¹")


@pytest.mark.parametrize("permission", P)
def test_the_second_person_is_asked_for_where_two_must_act(permission: Permission) -> None:
    two = {P.HOLD_LIFT, P.COPY_DISCLOSE, P.COPY_DESTROY, P.RECORDING_ERASE, P.KEY_DESTROY}
    two |= {P.AUTHORISATION_GRANT, P.SCOPE_CHANGE, P.RETENTION_CHANGE, P.MODE_CHANGE}
    two |= {P.ANNOUNCEMENT_ACTIVATE, P.ROLE_ASSIGN}
    asked = {role for role in Role if ask(permission, a_person(role)).needs_second_person}
    assert bool(asked) == (permission in two)


@pytest.mark.parametrize("permission", P)
def test_a_stranger_may_do_nothing(permission: Permission) -> None:
    decision = ask(permission, None)
    assert (decision.allowed, decision.reason) == (False, Why.NOT_SIGNED_IN)
    assert decision.reason.answer is Answer.SIGN_IN


@pytest.mark.parametrize(("permission", "role"), EVERYBODY)
def test_from_an_unlisted_address_nobody_may_do_anything(
    permission: Permission, role: Role
) -> None:
    """R6.2a: and whoever asks learns only that."""
    for person in (a_person(role), a_person(role, disabled=True), None):
        decision = ask(permission, person, place=Place.UNLISTED)
        assert (decision.allowed, decision.reason) == (False, Why.ADDRESS_NOT_LISTED)


@pytest.mark.parametrize(("permission", "role"), EVERYBODY)
def test_an_authorisation_that_ended_a_second_ago_gives_nothing(
    permission: Permission, role: Role
) -> None:
    """R8.1b: to the second, for the end and for a revocation alike."""
    person = a_person(role)
    second = timedelta(seconds=1)
    for changed, why in (
        ({"valid_until": NOW - second}, Why.AUTHORISATION_ENDED),
        ({"valid_until": NOW}, Why.AUTHORISATION_ENDED),
        ({"revoked_at": NOW - second}, Why.AUTHORISATION_REVOKED),
        ({"revoked_at": NOW}, Why.AUTHORISATION_REVOKED),
        ({"valid_from": NOW + second}, Why.AUTHORISATION_FUTURE),
        ({"granted_at": None}, Why.NO_AUTHORISATION),
        ({"refused_at": NOW, "granted_at": None}, Why.NO_AUTHORISATION),
        ({"account_id": OTHER}, Why.NO_AUTHORISATION),
    ):
        decision = ask(permission, person, authorisations=[paper_for(role, **changed)])
        rests_on_paper = ask(permission, person).authorisation_id is not None
        if rests_on_paper:
            assert (decision.allowed, decision.reason) == (False, why)
        else:
            assert decision == ask(permission, person)


@pytest.mark.parametrize("role", [Role.LISTENER, Role.COPY_MAKER])
@pytest.mark.parametrize("permission", sorted(NEEDS_GROUND))
def test_listening_copying_and_search_by_employee_name_a_purpose_or_a_request(
    permission: Permission, role: Role
) -> None:
    """R3.1a, R4.2b."""
    person = a_person(role)
    if not ask(permission, person).allowed:
        return
    for ground, why in (
        (Ground(), Why.PURPOSE_MISSING),
        (Ground(purpose="ciekawość"), Why.PURPOSE_UNKNOWN),
        (Ground(request="31"), Why.PURPOSE_UNKNOWN),
    ):
        decision = ask(permission, person, ground=ground)
        assert (decision.allowed, decision.reason) == (False, why)
        assert decision.reason.answer is Answer.SAY_WHY
    assert ask(permission, person, ground=Ground(request="W/31/2026")).allowed


def test_search_by_employee_is_marked() -> None:
    """R4.2b."""
    assert ask(P.EMPLOYEE_SEARCH, a_person(Role.LISTENER)).marks == {"by_employee"}
    assert ask(P.CALL_LIST, a_person(Role.LISTENER)).marks == set()


def test_a_line_outside_the_scope_is_as_if_it_were_not_there() -> None:
    """IDOR: the same answer for not yours and not there (A2)."""
    listener = a_person(Role.LISTENER)
    paper = a_paper(Role.LISTENER, lines=("+48 74 664 08 00",))
    assert ask(P.RECORDING_LISTEN, listener, authorisations=[paper]).allowed
    for target in (Target(line="746640801"), Target()):
        decision = ask(P.RECORDING_LISTEN, listener, authorisations=[paper], target=target)
        assert (decision.allowed, decision.reason) == (False, Why.NOT_YOURS)
        assert decision.reason.answer is Answer.NOT_FOUND


def test_the_dpo_hears_the_one_recording_of_the_paper_and_no_other() -> None:
    dpo = a_person(Role.DPO)
    other = Target(line=LINE, recording_id=UUID(int=78))
    assert ask(P.RECORDING_LISTEN, dpo, target=other).reason is Why.NOT_YOURS
    general = a_paper(Role.DPO, recording_id=None)
    assert not ask(P.RECORDING_LISTEN, dpo, authorisations=[general]).allowed


def test_a_paper_for_one_role_opens_nothing_of_another() -> None:
    person = a_person(Role.LISTENER, Role.COPY_MAKER)
    paper = [a_paper(Role.LISTENER)]
    assert ask(P.RECORDING_LISTEN, person, authorisations=paper).allowed
    assert ask(P.COPY_MAKE, person, authorisations=paper).reason is Why.NO_AUTHORISATION


def test_who_sees_only_his_own_sees_no_others_entry() -> None:
    for role in (Role.LISTENER, Role.ADMINISTRATOR):
        theirs = ask(P.AUDIT_READ, a_person(role), target=Target(owner=OTHER))
        assert theirs.reason is Why.NOT_YOURS
        assert ask(P.AUDIT_READ, a_person(role)).view is View.OWN
    assert ask(P.AUDIT_READ, a_person(Role.DPO), target=Target(owner=OTHER)).allowed


@pytest.mark.parametrize(("permission", "role"), EVERYBODY)
@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"disabled": True}, Why.ACCOUNT_DISABLED),
        ({"password_to_change": True}, Why.PASSWORD_TO_CHANGE),
        ({"second_factor_missing": True}, Why.SECOND_FACTOR_NOT_SET),
    ],
)
def test_an_account_that_is_not_in_order_does_nothing_but_finish_itself(
    permission: Permission, role: Role, changed: dict[str, bool], why: Why
) -> None:
    decision = ask(permission, a_person(role, **changed))
    if permission is P.OWN_ACCOUNT and not changed.get("disabled"):
        assert decision.allowed
    else:
        assert (decision.allowed, decision.reason) == (False, why)


@pytest.mark.parametrize("permission", P)
def test_a_contractor_is_outside_as_soon_as_the_fault_is_closed(permission: Permission) -> None:
    """R6.3c."""
    for until in (None, NOW, NOW - timedelta(seconds=1)):
        decision = ask(permission, a_person(Role.CONTRACTOR, open_until=until))
        assert (decision.allowed, decision.reason) == (False, Why.ACCESS_NOT_OPEN)


@pytest.mark.parametrize("roles", [set(each) for each in itertools.combinations(Role, 2)])
def test_forbidden_pairs_do_nothing_together(roles: set[Role]) -> None:
    alone = {Role.DPO, Role.CONTRACTOR}
    forbidden = bool(roles & alone) or roles == {Role.SYSADMIN, Role.ADMINISTRATOR}
    assert bool(pair_problem(frozenset(roles))) == forbidden
    if forbidden:
        reasons = {ask(each, a_person(*roles)).reason for each in P}
        assert reasons == {Why.FORBIDDEN_PAIR}


@pytest.mark.parametrize("permission", P)
def test_the_operator_of_the_machine_is_a_sysadmin_without_paper(permission: Permission) -> None:
    """R6.3e."""
    decision = decide_operator(permission)
    may = ask(permission, a_person(Role.SYSADMIN)).allowed and permission is not P.OWN_ACCOUNT
    assert decision.allowed == may
    if permission in NEEDS_PAPER:
        assert not decision.allowed


def test_nobody_is_his_own_second_person() -> None:
    yes = ask(P.HOLD_LIFT, a_person(Role.ADMINISTRATOR))
    assert decide_confirming(yes, proposed_by="a", person="a").reason is Why.SAME_PERSON
    assert decide_confirming(yes, proposed_by="a", person="b").allowed


sets_of_roles = st.frozensets(st.sampled_from(Role), max_size=7)
moments = st.timedeltas(timedelta(days=-3), timedelta(days=3)).map(lambda each: NOW + each)


@st.composite
def papers(draw: st.DrawFn) -> Authorisation:
    return a_paper(
        *draw(sets_of_roles),
        account_id=draw(st.sampled_from([MINE, OTHER])),
        lines=draw(st.sampled_from([None, (), (LINE,), ("746640801",)])),
        recording_id=draw(st.sampled_from([None, RECORDING, UUID(int=78)])),
        valid_from=draw(moments),
        valid_until=draw(moments),
        granted_at=draw(st.one_of(st.none(), moments)),
        revoked_at=draw(st.one_of(st.none(), moments)),
    )


@given(sets_of_roles, st.sampled_from(sorted(NEEDS_PAPER)), st.lists(papers()), moments)
def test_no_audio_and_no_number_without_a_paper_that_stands_now(
    roles: frozenset[Role], permission: Permission, several: list[Authorisation], now: Any
) -> None:
    """R8.1b. The administrator's own acts on copies and erasure rest on no paper."""
    decision = ask(permission, a_person(*roles), authorisations=several, now=now)
    if not decision.allowed or decision.authorisation_id is None:
        assert not decision.allowed or Role.ADMINISTRATOR in roles
        assert permission not in {P.RECORDING_LISTEN, P.NUMBER_REVEAL} or not decision.allowed
        return
    assert any(
        each.account_id == MINE
        and each.roles & roles
        and each.granted_at is not None
        and each.valid_from <= now < each.valid_until
        and (each.revoked_at is None or now < each.revoked_at)
        for each in several
    )


@given(sets_of_roles, st.sampled_from(P), st.lists(papers()), moments, moments)
def test_what_is_revoked_gives_nothing_from_that_instant(
    roles: frozenset[Role],
    permission: Permission,
    several: list[Authorisation],
    revoked_at: Any,
    now: Any,
) -> None:
    gone = [
        a_paper(*each.roles, revoked_at=min(revoked_at, now), lines=each.lines) for each in several
    ]
    decision = ask(permission, a_person(*roles), authorisations=gone, now=now)
    assert decision.authorisation_id is None


@given(sets_of_roles, st.sampled_from(P), st.lists(papers()), moments)
def test_a_contractor_never_sees_a_number_and_never_hears(
    roles: frozenset[Role], permission: Permission, several: list[Authorisation], now: Any
) -> None:
    """R6.3b: whatever papers and roles somebody has put into the database."""
    decision = ask(permission, a_person(Role.CONTRACTOR, *roles), authorisations=several, now=now)
    if decision.allowed:
        assert permission in {P.LOG_READ, P.REPORT_READ, P.STATUS_READ, P.OWN_ACCOUNT}
        assert decision.view is not View.FULL or permission in {P.STATUS_READ, P.OWN_ACCOUNT}
