"""Signing in by a real OpenLDAP: what it proves, what it cannot, and what happens without it."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from recorder.accounts.linking import Linker
from recorder.accounts.model import Account, Link, Role, SessionKind, SignsInBy
from recorder.accounts.service import AWAY, REFUSED, Doorkeeper, SignedIn, SignInRefused, Visitor
from recorder.adapters.ldap import LdapDirectory, directory_of, parse_address
from recorder.adapters.passwords import Argon2Hasher
from recorder.adapters.totp import TotpBook
from recorder.errors import ConfigurationError, DirectoryUnavailable, RuleViolation
from recorder.settings import load_settings
from tests.directory.certificates import Authority
from tests.directory.open_ldap import (
    BASE,
    FINDER,
    FINDER_PASSWORD,
    HERE,
    PASSWORD,
    OpenLdap,
    free_port,
)
from tests.postgres.access_world import DESK, OPERATOR, World, open_world
from tests.postgres.access_world import PASSWORD as LOCAL_PASSWORD

pytestmark = pytest.mark.postgres


def a_directory(*servers: str, authority: Authority, **more: str) -> LdapDirectory:
    given = {
        "RECORDER_DATABASE_URL": "postgresql://x/x",
        "RECORDER_LDAP_SERVERS": " ".join(servers),
        "RECORDER_LDAP_CA_FILE": str(authority.file),
        "RECORDER_LDAP_BIND_DN": FINDER,
        "RECORDER_LDAP_BIND_PASSWORD": FINDER_PASSWORD,
        "RECORDER_LDAP_BASE": BASE,
        "RECORDER_LDAP_NAME_ATTRIBUTE": "uid",
        "RECORDER_LDAP_FILTER": "(!(employeeType=left))",
        "RECORDER_LDAP_TIMEOUT_S": "1",
    }
    found = directory_of(load_settings(given | more))
    assert found
    return found


async def test_only_the_right_password_of_a_person_it_lets_in_is_proved(
    server: OpenLdap, authority: Authority
) -> None:
    for address in (server.with_start_tls, server.with_ldaps):
        directory = a_directory(address, authority=authority)
        assert await directory.proves("zenobia", PASSWORD)
        assert await directory.proves("ZENOBIA", PASSWORD), "names there have no case"
        assert not await directory.proves("zenobia", PASSWORD + "x")
        assert not await directory.proves("zenobia", ""), "an anonymous bind proves nothing"
        assert not await directory.proves("zenobia", None)
        assert not await directory.proves("nobody", PASSWORD)
        assert not await directory.proves("jan", PASSWORD), "disabled, as Active Directory says it"
        assert not await directory.proves("ewa", PASSWORD), "disabled by the office's own filter"


@pytest.mark.parametrize(
    "name",
    [
        "*",
        "zenobia*",
        "*)(uid=*",
        "zenobia)(|(uid=*)",
        "zenobia)(!(uid=x))",
        "(uid=zenobia)",
        "\\2a",
        "zenobia\0",
        "",
        "z" * 300,
        f"uid=zenobia,{BASE}",
        "zenobia)(userPassword=*",
        "ę*\ud800",
    ],
)
async def test_no_name_is_read_as_a_filter(
    server: OpenLdap, authority: Authority, name: str
) -> None:
    assert not await a_directory(server.with_ldaps, authority=authority).proves(name, PASSWORD)


async def test_nothing_is_said_without_tls_and_the_right_certificate(
    server: OpenLdap, authority: Authority, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="ldaps://host"):
        parse_address("http://127.0.0.1")
    stranger = Authority(tmp_path, "stranger")
    for address in (server.with_start_tls, server.with_ldaps):
        with pytest.raises(DirectoryUnavailable):
            await a_directory(address, authority=stranger).proves("zenobia", PASSWORD)
    for certificate, key in (
        authority.certify("other.example"),
        authority.certify(HERE, days=-1),
        stranger.certify(HERE),
    ):
        other = OpenLdap(
            folder=tmp_path / f"ldap-{certificate.stem}", certificate=certificate, key=key
        )
        other.fill()
        other.start()
        try:
            for address in (other.with_start_tls, other.with_ldaps):
                with pytest.raises(DirectoryUnavailable):
                    await a_directory(address, authority=authority).proves("zenobia", PASSWORD)
        finally:
            other.kill()


@asynccontextmanager
async def answering(answer: bytes | None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Serve what is no directory: it drips ``answer``, or says nothing; keep what it heard."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            heard.append(await reader.read(4096))
            while answer:
                writer.write(answer)
                await writer.drain()
                await asyncio.sleep(0.1)
            await reader.read()
        except OSError:
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, HERE, 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1], heard


# StartTLS refused: result 52, unavailable, for message 1.
NO_TLS = bytes.fromhex("300c02010178070a013404000400")


NO_LDAP = b"HTTP/1.1 400 Bad Request\r\n\r\n" * 100
NO_MESSAGE = bytes.fromhex("3003020101")


@pytest.mark.parametrize(
    "answer", [None, b"\x30\x84\x00\x00\x40\x00", b"\x16", NO_TLS, NO_LDAP, NO_MESSAGE]
)
@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
async def test_a_server_that_stalls_drips_or_refuses_tls_is_away_in_time_and_hears_no_password(
    authority: Authority, answer: bytes | None, scheme: str
) -> None:
    async with answering(answer) as (port, heard):
        directory = a_directory(f"{scheme}://{HERE}:{port}", authority=authority)
        began = time.monotonic()
        with pytest.raises(DirectoryUnavailable):
            await directory.proves("zenobia", PASSWORD)
        assert time.monotonic() - began < 4
        assert (await directory.problems())[f"{HERE}:{port}"]
        told = b"".join(heard)
        assert b"zenobia" not in told
        assert FINDER_PASSWORD.encode() not in told


async def test_the_next_server_is_asked_when_one_is_away(
    server: OpenLdap, authority: Authority
) -> None:
    nobody = f"ldaps://{HERE}:{free_port()}"
    directory = a_directory(nobody, server.with_ldaps, authority=authority)
    assert await directory.proves("zenobia", PASSWORD)
    assert not await directory.proves("zenobia", "wrong")


async def test_a_server_frozen_or_killed_in_the_middle_is_away_and_later_there_again(
    server: OpenLdap, authority: Authority
) -> None:
    directory = a_directory(server.with_ldaps, authority=authority)
    server.freeze()
    began = time.monotonic()
    asking = [asyncio.ensure_future(directory.proves("zenobia", PASSWORD)) for _ in range(2)]
    done, _ = await asyncio.wait(asking, timeout=0.3)
    assert not done
    server.kill()
    for each in asking:
        with pytest.raises(DirectoryUnavailable):
            await each
    assert time.monotonic() - began < 4
    server.start()
    assert await directory.proves("zenobia", PASSWORD)


async def test_a_lookup_account_that_is_refused_is_an_outage_not_a_wrong_password(
    server: OpenLdap, authority: Authority
) -> None:
    wrong = {"RECORDER_LDAP_BIND_PASSWORD": "not the finder's"}
    with pytest.raises(DirectoryUnavailable):
        await a_directory(server.with_ldaps, authority=authority, **wrong).proves("zenobia", "x")
    nowhere = {"RECORDER_LDAP_BASE": "dc=elsewhere,dc=example"}
    with pytest.raises(DirectoryUnavailable):
        await a_directory(server.with_ldaps, authority=authority, **nowhere).proves("zenobia", "x")


# Whole sign-ins.


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with open_world(database_url) as opened:
        yield opened


def a_door(world: World, directory: LdapDirectory) -> Doorkeeper:
    return Doorkeeper(
        store=world.store,
        hasher=Argon2Hasher(memory_mib=1, passes=1),
        codes=TotpBook(),
        clock=world.clock,
        directory=directory,
    )


async def linked(world: World, login: str, name: str) -> Account:
    account = await world.person(login, Role.LISTENER)
    linker = Linker(
        store=world.store,
        hasher=Argon2Hasher(memory_mib=1, passes=1),
        clock=world.clock,
        agreement=world.keeper.agreement,
    )
    await linker.link(account, Link(by=SignsInBy.LDAP, subject=name), actor=OPERATOR)
    return await world.keeper.by_login(login)


async def enter(door: Doorkeeper, login: str, password: str, code: str = "") -> SignedIn:
    return await door.sign_in(login, password, code, source=DESK, kind=SessionKind.WEB)


async def said_to(door: Doorkeeper, login: str, password: str) -> str:
    with pytest.raises((SignInRefused, DirectoryUnavailable)) as caught:
        await enter(door, login, password)
    return str(caught.value)


async def test_a_linked_account_signs_in_by_the_directory_and_by_nothing_else(
    world: World, server: OpenLdap, authority: Authority
) -> None:
    account = await linked(world, "z.k", "zenobia")
    await linked(world, "j.l", "jan")
    await world.person("local", Role.LISTENER)
    door = a_door(world, a_directory(server.with_ldaps, authority=authority))
    signed = await enter(door, "z.k", PASSWORD)
    assert signed.account.roles == {Role.LISTENER}, "roles are given here"
    assert {
        await said_to(door, "z.k", LOCAL_PASSWORD),
        await said_to(door, "z.k", ""),
        await said_to(door, "j.l", PASSWORD),
        await said_to(door, "zenobia", PASSWORD),
        await said_to(door, "local", PASSWORD),
    } == {REFUSED}, "disabled there, not an account here, or kept here: all in one text"
    assert (await enter(door, "local", LOCAL_PASSWORD)).token
    await world.keeper.disable(account.id, actor=OPERATOR)
    assert await said_to(door, "z.k", PASSWORD) == REFUSED, "disabled here is enough"
    assert "account:linked" in await world.actions()


async def test_our_second_factor_is_asked_for_whoever_keeps_the_password(
    world: World, server: OpenLdap, authority: Authority
) -> None:
    await linked(world, "z.k", "zenobia")
    door = a_door(world, a_directory(server.with_ldaps, authority=authority))
    signed = await enter(door, "z.k", PASSWORD)
    visitor = Visitor(session=signed.session, account=signed.account)
    secret = await world.keeper.begin_totp(visitor)
    await world.keeper.confirm_totp(visitor, world.code(secret))
    world.clock.go(minutes=1)
    assert await said_to(door, "z.k", PASSWORD) == REFUSED
    again = await enter(door, "z.k", PASSWORD, world.code(secret))
    world.clock.go(minutes=1)
    await door.prove_again(
        Visitor(session=again.session, account=again.account), PASSWORD, world.code(secret)
    )
    with pytest.raises(RuleViolation, match="directory keeps"):
        await world.keeper.change_password(visitor, old=PASSWORD, new=LOCAL_PASSWORD)
    with pytest.raises(RuleViolation, match="directory keeps"):
        await world.keeper.reset_password(signed.account.id, actor=OPERATOR)


async def test_without_the_directory_local_accounts_sign_in_and_all_others_are_told_the_same(
    world: World, authority: Authority
) -> None:
    await linked(world, "z.k", "zenobia")
    await world.person("local", Role.LISTENER)
    door = a_door(world, a_directory(f"ldaps://{HERE}:{free_port()}", authority=authority))
    assert (await enter(door, "local", LOCAL_PASSWORD)).token
    said = {await said_to(door, login, "x") for login in ("z.k", "local", "nobody")}
    assert said == {AWAY}
    async with world.engine.connect() as connection:
        reasons = await connection.execute(
            text("SELECT DISTINCT reason FROM audit_event WHERE action = 'session:refused'")
        )
        assert {each.reason for each in reasons} == {"directory_away", "unknown_login"}


async def test_a_stalled_directory_keeps_no_local_account_waiting(
    world: World, authority: Authority
) -> None:
    await world.person("local", Role.LISTENER)
    with socket.create_server((HERE, 0)) as silent:
        port = silent.getsockname()[1]
        door = a_door(world, a_directory(f"ldaps://{HERE}:{port}", authority=authority))
        began = time.monotonic()
        await enter(door, "local", LOCAL_PASSWORD)
        assert time.monotonic() - began < 0.9


class Counting:
    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    async def proves(self, name: str, password: str | None) -> bool:
        self.asked.append((name, password))
        return False


async def test_who_is_throttled_does_not_get_to_the_directory(world: World) -> None:
    """A6: guessing here must not lock people out there."""
    await linked(world, "z.k", "zenobia")
    counting = Counting()
    door = a_door(world, counting)  # type: ignore[arg-type]
    for _ in range(20):
        with pytest.raises(SignInRefused):
            await enter(door, "z.k", "wrong")
    assert counting.asked == [("zenobia", "wrong")] * len(counting.asked)
    assert len(counting.asked) <= 6


async def test_one_person_there_is_one_account_here_until_unlinked(world: World) -> None:
    account = await linked(world, "z.k", "zenobia")
    with pytest.raises(RuleViolation, match="another account"):
        await linked(world, "other", "zenobia")
    linker = Linker(
        store=world.store,
        hasher=Argon2Hasher(memory_mib=1, passes=1),
        clock=world.clock,
        agreement=world.keeper.agreement,
    )
    signed_before = await world.store.by_id(account.id)
    assert signed_before
    temporary = await linker.unlink(account, actor=OPERATOR)
    signed = await enter(world.door, "z.k", temporary)
    assert signed.account.must_change_password
    assert signed.account.link is None
