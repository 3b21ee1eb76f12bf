"""Passwords, throttling and sessions, by their rules alone."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.access.matrix import mark_of
from recorder.access.model import Permission
from recorder.accounts.guarding import (
    problem_of_agreeing,
    roles_of_token,
    roles_opened,
    takes_an_administrator,
    who_agrees,
)
from recorder.accounts.model import (
    Account,
    Ended,
    Role,
    Session,
    SessionId,
    SessionKind,
)
from recorder.accounts.rules import (
    ABSOLUTE,
    IDLE,
    LONGEST_WAIT,
    LONGEST_WAIT_WHERE_KNOWN,
    NO_ATTEMPTS,
    Throttle,
    counted,
    problem_of_login,
    problem_of_password,
    problem_of_roles,
    problem_of_session,
    step_of_code,
    wait_before,
)
from recorder.adapters.common_passwords import common_passwords
from tests.access_builders import MINE, NOW, OTHER

ACCOUNT = Account(
    id=MINE,
    login="zenobia",
    name="Zenobia Kwiatkowska",
    post="inspektor",
    roles=frozenset({Role.LISTENER}),
    created_at=NOW,
    password_set_at=NOW,
    must_change_password=False,
)
SESSION = Session(
    id=SessionId(UUID(int=1)),
    account_id=MINE,
    kind=SessionKind.WEB,
    source="10.0.0.5",
    created_at=NOW,
    seen_at=NOW,
    fresh_at=NOW,
)
CONTEXT = ("zenobia", "Zenobia", "Kwiatkowska", "MOPS", "Wałbrzych", "Rejestrator")


def problem(password: str) -> str:
    common, words = common_passwords()
    return problem_of_password(password, context=CONTEXT, common=common, words=words)


@pytest.mark.parametrize(
    "weak",
    [
        "krótkie",
        "elevenchars",
        "aaaaaaaaaaaaaaaa",
        "abababababab",
        "123456789012",
        "qwertyuiopasd",
        "password12345",
        "P@ssw0rd!!!!!!",
        "Haslo2026!!!!",
        "zima2026zima" * 30,
        "zenobia2026!!",
        "Kwiatkowska123",
        "MOPSwalbrzych1",
        "wałbrzych-mops-2026",
        "Rejestrator2026",
    ],
)
def test_what_is_guessed_first_is_no_password(weak: str) -> None:
    assert problem(weak)


@pytest.mark.parametrize(
    "good",
    ["czerwony rower za stodołą", "vq7Xn2pLw9Tz", "lampa kot deszcz 4", "ŻółtaŁódźPłynieRzeką"],
)
def test_length_is_enough_without_rules_of_composition(good: str) -> None:
    assert problem(good) == ""


@pytest.mark.parametrize("login", ["", "Z", "a b", "a\n", "ząb", "a" * 33, "1a", "../etc", "a'--"])
def test_a_login_is_plain(login: str) -> None:
    assert problem_of_login(login)
    assert problem_of_login("zenobia.k-2") == ""


def attempts(count: int, *, ago: float = 0) -> Throttle:
    return Throttle(failures=count, last_at=NOW - timedelta(seconds=ago))


def wait(**changed: object) -> float:
    values = {
        "pair": NO_ATTEMPTS,
        "account": NO_ATTEMPTS,
        "source": NO_ATTEMPTS,
        "known_here": False,
        "now": NOW,
    } | changed
    return wait_before(**values).total_seconds()  # type: ignore[arg-type]


def test_the_delay_grows_with_each_failure() -> None:
    """A6."""
    waits = [wait(pair=attempts(count)) for count in range(20)]
    assert waits[:5] == [0] * 5
    assert waits[5:9] == [1, 2, 4, 8]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT.total_seconds()


def test_a_stranger_elsewhere_cannot_keep_a_clerk_out() -> None:
    """A6: her own last attempt counts, and where she signed in before, half a minute at most."""
    assert wait(account=attempts(10_000)) == 0
    one_try = {"account": attempts(10_000), "pair": attempts(1)}
    assert wait(**one_try) == LONGEST_WAIT.total_seconds()
    assert wait(**one_try, known_here=True) == LONGEST_WAIT_WHERE_KNOWN.total_seconds()
    tried_before = attempts(1, ago=LONGEST_WAIT_WHERE_KNOWN.total_seconds())
    assert wait(account=attempts(10_000), pair=tried_before, known_here=True) == 0


def test_one_address_that_tries_many_accounts_is_slowed_down() -> None:
    assert wait(source=attempts(9)) == 0
    assert wait(source=attempts(40)) == LONGEST_WAIT.total_seconds()


counts = st.builds(
    Throttle,
    failures=st.integers(0, 10**9),
    last_at=st.one_of(
        st.none(), st.timedeltas(timedelta(-3), timedelta(3)).map(lambda each: NOW + each)
    ),
)


@given(counts, counts, counts, st.booleans())
def test_nobody_waits_for_longer_than_the_longest(
    pair: Throttle, account: Throttle, source: Throttle, known: bool
) -> None:
    """A6: never a permanent lock, even under a clock that jumped back."""
    found = wait(pair=pair, account=account, source=source, known_here=known)
    longest = LONGEST_WAIT_WHERE_KNOWN if known else LONGEST_WAIT
    assert 0 <= found <= longest.total_seconds()
    assert counted(pair, NOW).failures >= 1


def test_a_session_ends_by_idleness_age_and_disabling_to_the_second() -> None:
    """A5: idle 15 min, absolute 8 h."""
    second = timedelta(seconds=1)

    def why(session: Session = SESSION, account: Account = ACCOUNT, *, at: timedelta) -> object:
        return problem_of_session(session, account=account, now=NOW + at)

    assert why(at=IDLE - second) is None
    assert why(at=IDLE) is Ended.IDLE
    busy = replace(SESSION, seen_at=NOW + ABSOLUTE - second)
    assert why(busy, at=ABSOLUTE - second) is None
    assert why(busy, at=ABSOLUTE) is Ended.TOO_OLD
    assert why(account=replace(ACCOUNT, disabled_at=NOW), at=second) is Ended.ACCOUNT_DISABLED
    assert why(replace(SESSION, ended_at=NOW), at=second) is Ended.SIGNED_OUT


def test_a_code_counts_once_and_never_an_older_one_after_it() -> None:
    """A6."""
    assert step_of_code([100], None) == 100
    assert step_of_code([100], 100) is None
    assert step_of_code([99], 100) is None
    assert step_of_code([], None) is None
    assert step_of_code([100, 101], 100) == 101


def test_nobody_changes_his_own_roles() -> None:
    after = frozenset({Role.COPY_MAKER})
    assert problem_of_roles(ACCOUNT, after=after, changed_by=str(ACCOUNT.id))
    assert not problem_of_roles(ACCOUNT, after=after, changed_by="other")


@pytest.mark.parametrize("role", Role)
def test_who_grants_or_oversees_has_a_password_of_his_own_first(role: Role) -> None:
    """R6.3e: whoever gave the first password knows it."""
    new = replace(ACCOUNT, roles=frozenset[Role](), must_change_password=True)
    refused = problem_of_roles(new, after=frozenset({role}), changed_by="root")
    assert bool(refused) is (role in {Role.ADMINISTRATOR, Role.DPO})
    there = replace(new, roles=frozenset({role}))
    assert not problem_of_roles(there, after=frozenset({role}), changed_by="root")


@pytest.mark.parametrize(
    ("touched", "administrators", "four_eyes", "takes"),
    [
        ({Role.ADMINISTRATOR}, 1, True, True),
        ({Role.ADMINISTRATOR, Role.LISTENER}, 2, True, True),
        ({Role.DPO}, 1, True, True),
        ({Role.ADMINISTRATOR}, 0, True, False),
        ({Role.ADMINISTRATOR}, 1, False, False),
        ({Role.LISTENER, Role.COPY_MAKER, Role.SYSADMIN}, 1, True, False),
        (set(), 1, True, False),
    ],
)
def test_who_grants_and_who_oversees_is_touched_by_nobody_alone(
    touched: set[Role], administrators: int, *, four_eyes: bool, takes: bool
) -> None:
    """R6.3e."""
    found = takes_an_administrator(touched, administrators=administrators, four_eyes=four_eyes)
    assert found is takes


def test_the_dpo_agrees_only_while_no_administrator_can() -> None:
    """R6.3e."""
    anna = replace(ACCOUNT, roles=frozenset({Role.ADMINISTRATOR}))
    locked = replace(anna, id=OTHER, disabled_at=NOW)
    assert who_agrees([anna, locked]) is Role.ADMINISTRATOR
    assert who_agrees([locked]) is Role.DPO
    dpo = replace(ACCOUNT, roles=frozenset({Role.DPO}))
    for person, wanted, changed_by, counts in (
        (anna, Role.ADMINISTRATOR, "root", True),
        (anna, Role.ADMINISTRATOR, str(OTHER), True),
        (anna, Role.ADMINISTRATOR, str(MINE), False),
        (locked, Role.ADMINISTRATOR, "root", False),
        (dpo, Role.ADMINISTRATOR, "root", False),
        (dpo, Role.DPO, "root", True),
        (ACCOUNT, Role.DPO, "root", False),
        (anna, Role.DPO, "root", False),
    ):
        problem = problem_of_agreeing(person, wanted=wanted, changed_by=changed_by)
        assert (problem == "") is counts, (person.roles, wanted, changed_by)


@pytest.mark.parametrize("permission", Permission)
def test_a_program_gets_nothing_alone_that_the_machines_administrator_lacks(
    permission: Permission,
) -> None:
    """R6.3e: nobody hears through a token that he gave himself."""
    lacks = mark_of(permission, Role.SYSADMIN) == "–"
    touched = roles_of_token({Role.LISTENER}, [Permission.STATUS_READ, permission])
    assert takes_an_administrator(touched, administrators=1, four_eyes=True) is lacks
    of_anna = roles_of_token({Role.ADMINISTRATOR}, [permission])
    assert takes_an_administrator(of_anna, administrators=1, four_eyes=True)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("under_paper", [True, False])
@pytest.mark.parametrize("factor_stays", [True, False])
def test_who_could_hear_in_anothers_name_takes_an_administrator(
    role: Role, *, under_paper: bool, factor_stays: bool
) -> None:
    """R6.3e: while the owner's second factor stays, a new password alone opens nothing."""
    touched = roles_opened({role}, under_paper=under_paper, factor_stays=factor_stays)
    takes = takes_an_administrator(touched, administrators=1, four_eyes=True)
    overseer = role in {Role.ADMINISTRATOR, Role.DPO}
    assert takes is (overseer or (under_paper and not factor_stays))
    assert role in touched
