"""Signing in against guessers, races and stolen tokens, on a real PostgreSQL (A5, A6, A7)."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from recorder.accounts.model import Ended, Role, SessionKind
from recorder.accounts.rules import ABSOLUTE, IDLE, LONGEST_WAIT_WHERE_KNOWN
from recorder.accounts.service import REFUSED, Doorkeeper, SignedIn, SignInRefused, Visitor
from recorder.adapters.factor_seal import FactorSeal
from recorder.adapters.master_key import MasterKey
from recorder.adapters.passwords import Argon2Hasher
from recorder.adapters.totp import TotpBook
from recorder.errors import RuleViolation, TrailUnavailable
from tests.keys import SECRET, some_keys
from tests.postgres.access_world import DESK, OPERATOR, PASSWORD, World, open_world

pytestmark = pytest.mark.postgres
WRONG = "lampa kot deszcz 4"


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with open_world(database_url) as opened:
        yield opened


async def refused(world: World, login: str, *words: str, source: str = DESK) -> SignInRefused:
    with pytest.raises(SignInRefused) as caught:
        await world.sign_in(login, *words, source=source)
    return caught.value


async def with_totp(world: World, login: str) -> tuple[str, list[str]]:
    """Give an account a second factor; return its secret and the recovery codes."""
    signed = await world.sign_in(login)
    visitor = Visitor(session=signed.session, account=signed.account)
    secret = await world.keeper.begin_totp(visitor)
    codes = await world.keeper.confirm_totp(visitor, world.code(secret))
    world.clock.go(minutes=1)
    return secret, codes


async def test_every_sign_in_has_a_token_of_its_own_and_none_is_stored(world: World) -> None:
    """A5."""
    await world.person("zenobia", Role.LISTENER)
    first, second = await world.sign_in("zenobia"), await world.sign_in("zenobia")
    assert first.token != second.token
    assert len(first.token) >= 43
    for signed in (first, second):
        visitor = await world.visitor(signed)
        assert visitor is not None
        assert visitor.account.login == "zenobia"
    async with world.engine.connect() as connection:
        dump = "".join(str(row) for row in await connection.execute(text("SELECT * FROM session")))
    assert first.token not in dump
    assert await world.door.visitor("") is None
    assert await world.door.visitor(first.token[:-1]) is None
    assert await world.door.visitor("\ud800") is None


async def test_a_session_ends_by_idleness_and_by_age(world: World) -> None:
    """A5."""
    await world.person("zenobia", Role.LISTENER)
    idle = await world.sign_in("zenobia")
    world.clock.go(seconds=IDLE.total_seconds() - 1)
    assert await world.visitor(idle)
    world.clock.go(seconds=IDLE.total_seconds())
    assert await world.visitor(idle) is None
    world.clock.go(seconds=-60)
    assert await world.visitor(idle) is None, "what has ended stays ended"

    busy = await world.sign_in("zenobia")
    for _ in range(int(ABSOLUTE / timedelta(minutes=10)) - 1):
        world.clock.go(minutes=10)
        assert await world.visitor(busy)
    world.clock.go(minutes=10)
    assert await world.visitor(busy) is None


async def test_signing_out_disabling_and_a_new_password_end_sessions_at_once(world: World) -> None:
    """A5."""
    account = await world.person("zenobia", Role.LISTENER)
    first, second, third = [await world.sign_in("zenobia") for _ in range(3)]
    visitor = await world.visitor(first)
    assert visitor
    await world.door.sign_out(visitor)
    assert await world.visitor(first) is None
    assert await world.visitor(second)

    kept = await world.visitor(second)
    assert kept
    await world.keeper.change_password(kept, old=PASSWORD, new=WRONG)
    assert await world.visitor(second), "the one that changed it stays"
    assert await world.visitor(third) is None

    await world.keeper.disable(account.id, actor=OPERATOR)
    assert await world.visitor(second) is None
    assert str(await refused(world, "zenobia", WRONG)) == REFUSED
    await world.keeper.enable(account.id, actor=OPERATOR)
    assert await world.visitor(second) is None, "nothing comes back to life"
    await world.sign_in("zenobia", WRONG)


async def test_a_change_of_roles_ends_the_sessions(world: World) -> None:
    account = await world.person("zenobia", Role.LISTENER)
    signed = await world.sign_in("zenobia")
    await world.keeper.set_roles(account.id, frozenset({Role.COPY_MAKER}), actor=OPERATOR)
    assert await world.visitor(signed) is None


async def test_an_unknown_login_and_a_wrong_password_are_told_in_the_same_words(
    world: World,
) -> None:
    """A6."""
    await world.person("zenobia", Role.LISTENER)
    await with_totp(world, "zenobia")
    said = {
        str(await refused(world, "nobody", WRONG)),
        str(await refused(world, "zenobia", WRONG)),
        str(await refused(world, "zenobia", PASSWORD, "000000")),
        str(await refused(world, "zenobia", PASSWORD)),
        str(await refused(world, "zenobia", "x" * 100_000)),
    }
    assert said == {REFUSED}


async def test_an_unknown_login_takes_as_long_as_a_wrong_password() -> None:
    """A6: where the time goes, measured at the hasher; 20 ms apart at most, as medians."""
    hasher = Argon2Hasher(memory_mib=8, passes=1)
    known = await hasher.hash(PASSWORD)
    spent: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(40):
        for exists in (True, False):
            began = time.perf_counter()
            assert not await hasher.verify(known if exists else None, WRONG)
            spent[exists].append(time.perf_counter() - began)
    assert abs(statistics.median(spent[True]) - statistics.median(spent[False])) < 0.02


async def test_fifty_attempts_at_once_are_no_more_than_the_rule_allows(world: World) -> None:
    """A6."""
    await world.person("zenobia", Role.LISTENER)
    outcomes = await asyncio.gather(
        *(refused(world, "zenobia", f"{WRONG} {each}") for each in range(50))
    )
    tried = [each for each in outcomes if not each.wait]
    assert len(tried) == 5, "five are free, then the delay begins"


async def test_ten_thousand_wrong_passwords_do_not_lock_the_clerk_out(world: World) -> None:
    """A6: a guesser at another workstation, one attempt every eight seconds for a day."""
    await world.person("zenobia", Role.LISTENER)
    tried = 0
    for each in range(10_000):
        world.clock.go(seconds=8)
        tried += not (await refused(world, "zenobia", f"{each}", source="10.0.0.66")).wait
    assert tried < 320
    await world.sign_in("zenobia")
    assert "session:refused" in await world.actions()


async def test_a_clerk_waits_half_a_minute_at_most_where_she_signed_in_before(
    world: World,
) -> None:
    """A6: even when the guesser sits at her own workstation."""
    await world.person("zenobia", Role.LISTENER)
    for _ in range(200):
        await refused(world, "zenobia", WRONG)
        world.clock.go(seconds=1)
    world.clock.go(seconds=LONGEST_WAIT_WHERE_KNOWN.total_seconds() * 10)
    await world.sign_in("zenobia")


async def test_a_code_opens_one_session_even_when_it_comes_twice_at_once(world: World) -> None:
    """A6."""
    await world.person("zenobia", Role.LISTENER)
    secret, _ = await with_totp(world, "zenobia")
    code = world.code(secret)
    outcomes = await asyncio.gather(
        *(world.sign_in("zenobia", PASSWORD, code) for _ in range(4)), return_exceptions=True
    )
    assert [type(each) for each in outcomes].count(SignedIn) == 1
    assert str(await refused(world, "zenobia", PASSWORD, code)) == REFUSED
    world.clock.go(minutes=1)
    await world.sign_in("zenobia", PASSWORD, world.code(secret))


async def test_a_recovery_code_opens_once(world: World) -> None:
    await world.person("zenobia", Role.LISTENER)
    _, codes = await with_totp(world, "zenobia")
    assert len(set(codes)) == 10
    await world.sign_in("zenobia", PASSWORD, codes[0])
    assert str(await refused(world, "zenobia", PASSWORD, codes[0])) == REFUSED
    await world.sign_in("zenobia", PASSWORD, codes[1].upper())


async def test_a_password_from_somebody_else_must_be_changed(world: World) -> None:
    account, temporary = await world.keeper.add(
        login="zenobia", name="Zenobia K", post="inspektor", roles=[Role.LISTENER], actor=OPERATOR
    )
    signed = await world.sign_in("zenobia", temporary)
    assert signed.account.must_change_password
    visitor = Visitor(session=signed.session, account=signed.account)
    for weak in ("zenobia2026!!", temporary, "krótkie"):
        with pytest.raises(RuleViolation):
            await world.keeper.change_password(visitor, old=temporary, new=weak)
    await world.keeper.change_password(visitor, old=temporary, new=PASSWORD)
    assert not (await world.sign_in("zenobia")).account.must_change_password
    assert account.login == "zenobia"


async def test_a_password_is_hashed_anew_when_the_parameters_change(world: World) -> None:
    await world.person("zenobia", Role.LISTENER)
    stronger = Argon2Hasher(memory_mib=2, passes=1)
    world.door._hasher = stronger
    await world.sign_in("zenobia")
    found = await world.store.by_login("zenobia")
    assert found is not None
    assert not stronger.is_outdated(found[1].password_hash)
    assert "$argon2id$" in found[1].password_hash
    await world.sign_in("zenobia")


async def test_there_is_no_account_until_the_first_token_is_used(world: World) -> None:
    """A7."""
    assert list(await world.store.accounts()) == []
    token = await world.keeper.first_token(OPERATOR)
    first = await world.keeper.add_first(token, **FIRST)
    assert first.roles == {Role.ADMINISTRATOR}
    with pytest.raises(RuleViolation, match="opens nothing"):
        await world.keeper.add_first(token, **FIRST)
    with pytest.raises(RuleViolation, match="account already"):
        await world.keeper.first_token(OPERATOR)


async def test_of_two_who_use_the_first_token_one_wins(world: World) -> None:
    """A7."""
    token = await world.keeper.first_token(OPERATOR)
    attempts = (
        world.keeper.add_first(token, **{**FIRST, "login": f"admin{each}"}) for each in range(5)
    )
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert [isinstance(each, RuleViolation) for each in outcomes].count(False) == 1
    assert len(await world.store.accounts()) == 1


async def test_a_first_token_dies_after_a_day_and_with_the_next_one(world: World) -> None:
    """A7."""
    old = await world.keeper.first_token(OPERATOR)
    new = await world.keeper.first_token(OPERATOR)
    with pytest.raises(RuleViolation):
        await world.keeper.add_first(old, **FIRST)
    world.clock.go(hours=24)
    with pytest.raises(RuleViolation):
        await world.keeper.add_first(new, **FIRST)


async def test_without_the_trail_nobody_is_let_in(world: World) -> None:
    """RG.15."""
    await world.person("zenobia", Role.LISTENER)
    async with world.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE audit_event RENAME TO away"))
    with pytest.raises(TrailUnavailable):
        await world.sign_in("zenobia")
    async with world.engine.connect() as connection:
        left = await connection.scalar(text("SELECT count(*) FROM session WHERE ended_at IS NULL"))
    assert left == 0


async def test_proving_again_makes_a_session_fresh(world: World) -> None:
    await world.person("zenobia", Role.ADMINISTRATOR)
    signed = await world.sign_in("zenobia")
    world.clock.go(minutes=11)
    visitor = await world.visitor(signed)
    assert visitor
    with pytest.raises(SignInRefused):
        await world.door.prove_again(visitor, WRONG, "")
    await world.door.prove_again(visitor, PASSWORD, "")
    fresh = await world.visitor(signed)
    assert fresh
    assert fresh.session.fresh_at == world.clock.now()
    assert signed.session.kind is SessionKind.WEB
    assert Ended.IDLE.value == "idle"


FIRST: dict[str, Any] = {
    "login": "anna",
    "name": "Anna Nowak",
    "post": "Dyrektor",
    "password": PASSWORD,
}


async def test_a_second_factor_from_before_the_seal_is_sealed_on_its_next_use(
    world: World, database_url: str, tmp_path: Path
) -> None:
    account = await world.person("zenobia", Role.LISTENER)
    secret, _ = await with_totp(world, "zenobia")
    some_keys(tmp_path)
    codes = TotpBook(FactorSeal(tmp_path, lambda: MasterKey(SECRET)))
    hasher = Argon2Hasher(memory_mib=1, passes=1)
    door = Doorkeeper(store=world.store, hasher=hasher, codes=codes, clock=world.clock)

    async def signs_in(code: str) -> None:
        await door.sign_in("zenobia", PASSWORD, code, source=DESK, kind=SessionKind.WEB)

    async def stored() -> str:
        found = await world.store.by_id(account.id)
        assert found
        return found[1].totp_secret or ""

    with pytest.raises(SignInRefused):
        await signs_in("000000")
    assert await stored() == secret
    await signs_in(world.code(secret))
    sealed = await stored()
    assert secret not in sealed
    world.clock.go(minutes=1)
    await signs_in(world.code(secret))
    assert await stored() == sealed
