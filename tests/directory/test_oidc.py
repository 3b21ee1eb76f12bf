"""Signing in by an OpenID provider in a process of its own; every lie it could tell is refused."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession
from sqlalchemy import text

from recorder.accounts.claims import Refused
from recorder.accounts.linking import Linker
from recorder.accounts.model import Account, Link, Role, SignsInBy
from recorder.accounts.provider import CodeAwaited, Entered, ProviderDoor, ProviderRefused
from recorder.accounts.service import SignInRefused, Visitor
from recorder.adapters.oidc import OidcProvider, provider_of
from recorder.adapters.passwords import Argon2Hasher
from recorder.adapters.postgres.begun import PostgresBegunSignIns
from recorder.errors import ConfigurationError, DirectoryUnavailable, RuleViolation
from recorder.settings import load_settings
from tests.directory.provider import CLIENT, SECRET, tell
from tests.postgres.access_world import DESK, OPERATOR, PASSWORD, ClockInHand, World, open_world

pytestmark = pytest.mark.postgres
RETURN_TO = "https://rejestrator.example/sign-in/oidc/return"
SUBJECT = "zenobia-at-the-provider"


@dataclass(kw_only=True)
class Entrance:
    world: World
    provider: OidcProvider
    door: ProviderDoor

    async def sent_back(self, next_path: str = "/") -> dict[str, str]:
        """Send a browser to the provider; return what it comes back with."""
        sent = await self.door.begin(next_path)
        async with (
            ClientSession() as session,
            session.get(sent.address, allow_redirects=False) as answer,
        ):
            location = answer.headers["Location"]
        assert location.startswith(f"{RETURN_TO}?")
        query = {name: each[0] for name, each in parse_qs(urlsplit(location).query).items()}
        return {
            "state": query["state"],
            "code": query["code"],
            "issuer": query["iss"],
            "browser": sent.browser,
        }

    async def enters(self, **changed: Any) -> Entered | CodeAwaited:
        return await self.door.come_back(source=DESK, **(await self.sent_back() | changed))

    async def refused(self, **back: Any) -> ProviderRefused:
        with pytest.raises(ProviderRefused) as caught:
            await self.door.come_back(source=DESK, **(back or await self.sent_back()))
        return caught.value

    async def linked(self, login: str = "zenobia", subject: str = SUBJECT) -> Account:
        account = await self.world.person(login, Role.LISTENER)
        link = Link(by=SignsInBy.OIDC, subject=subject, issuer=self.provider.issuer)
        linker = Linker(
            store=self.world.store,
            hasher=Argon2Hasher(memory_mib=1, passes=1),
            clock=self.world.clock,
            agreement=self.world.keeper.agreement,
        )
        await linker.link(account, link, actor=OPERATOR)
        return account

    async def reasons(self) -> list[str]:
        async with self.world.engine.connect() as connection:
            query = "SELECT reason FROM audit_event WHERE action = 'session:refused' ORDER BY seq"
            return [each.reason for each in await connection.execute(text(query))]


@asynccontextmanager
async def open_entrance(database_url: str, issuer: str) -> AsyncIterator[Entrance]:
    async with open_world(database_url) as world:
        world.clock.at = datetime.now(UTC)  # noqa: TID251 - the provider has the machine's clock
        provider = provider_of(
            load_settings(
                {
                    "RECORDER_DATABASE_URL": "postgresql://x/x",
                    "RECORDER_OIDC_ISSUER": issuer,
                    "RECORDER_OIDC_CLIENT_ID": CLIENT,
                    "RECORDER_OIDC_CLIENT_SECRET": SECRET,
                    "RECORDER_OIDC_PLAIN_LOOPBACK": "true",
                }
            ),
            return_to=RETURN_TO,
            clock=world.clock,
        )
        door = ProviderDoor(
            provider=provider,
            begun=PostgresBegunSignIns(world.engine),
            store=world.store,
            door=world.door,
            clock=world.clock,
        )
        yield Entrance(world=world, provider=provider, door=door)


@pytest.fixture
async def entrance(database_url: str, issuer: str) -> AsyncIterator[Entrance]:
    async with open_entrance(database_url, issuer) as entrance:
        yield entrance


async def test_a_linked_account_is_signed_in_and_led_on(entrance: Entrance) -> None:
    await entrance.linked()
    back = await entrance.sent_back("/recordings")
    entered = await entrance.door.come_back(source=DESK, **back)
    assert isinstance(entered, Entered)
    assert entered.next_path == "/recordings"
    visitor = await entrance.world.visitor(entered.signed)
    assert visitor is not None
    assert visitor.account.roles == {Role.LISTENER}
    with pytest.raises(SignInRefused):
        await entrance.world.sign_in("zenobia", PASSWORD)


async def test_nobody_is_let_in_who_was_not_linked_here(entrance: Entrance) -> None:
    refused = await entrance.refused()
    assert (refused.why, refused.subject) == (Refused.NOT_LINKED, SUBJECT)
    account = await entrance.linked()
    assert isinstance(await entrance.enters(), Entered)
    await entrance.world.keeper.disable(account.id, actor=OPERATOR)
    assert (await entrance.refused()).why is Refused.NOT_LINKED
    with pytest.raises(RuleViolation, match="another account"):
        await entrance.linked("other")


@pytest.mark.parametrize(
    ("lie", "why"),
    [
        ({"sign": "none"}, Refused.TOKEN),
        ({"sign": "shared"}, Refused.TOKEN),
        ({"sign": "other key"}, Refused.TOKEN),
        ({"sign": "jwk in the header"}, Refused.TOKEN),
        ({"sign": "altered"}, Refused.TOKEN),
        ({"sign": "nonsense"}, Refused.TOKEN),
        ({"sign": "deep head"}, Refused.TOKEN),
        ({"sign": "deep"}, Refused.TOKEN),
        ({"claims": {"aud": "another service"}}, Refused.AUDIENCE),
        ({"claims": {"aud": [CLIENT, "another service"]}}, Refused.AUDIENCE),
        ({"claims": {"azp": "another service"}}, Refused.AUDIENCE),
        ({"claims": {"iss": "https://evil.example"}}, Refused.ISSUER),
        ({"claims": {"nonce": "another sign-in's"}}, Refused.NONCE),
        ({"claims": {"nonce": None}}, Refused.NONCE),
        ({"claims": {"exp": -120}}, Refused.EXPIRED),
        ({"claims": {"iat": 600}}, Refused.FROM_THE_FUTURE),
        ({"claims": {"nbf": 600}}, Refused.FROM_THE_FUTURE),
        ({"claims": {"iat": -3600}}, Refused.NOT_NOW),
        ({"claims": {"auth_time": -3600}}, Refused.NOT_NOW),
        ({"claims": {"sub": ""}}, Refused.SUBJECT),
        ({"claims": {"sub": 7}}, Refused.SUBJECT),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else value.value,
)
async def test_a_hostile_token_signs_nobody_in_and_leaves_an_entry(
    entrance: Entrance, issuer: str, lie: dict[str, Any], why: Refused
) -> None:
    await entrance.linked()
    await tell(issuer, lie=lie)
    assert (await entrance.refused()).why is why
    assert await entrance.reasons() == [why.value]
    await tell(issuer)
    assert isinstance(await entrance.enters(), Entered), "the same without the lie"


async def test_a_state_counts_once_in_its_own_browser_and_for_ten_minutes(
    entrance: Entrance,
) -> None:
    await entrance.linked()
    back = await entrance.sent_back()
    assert isinstance(await entrance.door.come_back(source=DESK, **back), Entered)
    assert (await entrance.refused(**back)).why is Refused.NOT_BEGUN
    for changed in ({"browser": "another"}, {"browser": ""}, {"state": "guessed"}):
        assert (await entrance.refused(**(await entrance.sent_back() | changed))).why is (
            Refused.NOT_BEGUN
        )
    stolen = await entrance.sent_back()
    assert (await entrance.refused(**stolen | {"browser": "thief"})).why is Refused.NOT_BEGUN
    assert (await entrance.refused(**stolen)).why is Refused.NOT_BEGUN, "tried once, it is gone"
    late = await entrance.sent_back()
    entrance.world.clock.go(minutes=11)
    assert (await entrance.refused(**late)).why is Refused.NOT_BEGUN
    assert set(await entrance.reasons()) == {Refused.NOT_BEGUN.value}


async def test_a_code_counts_once_and_for_the_sign_in_it_was_given_to(entrance: Entrance) -> None:
    await entrance.linked()
    first = await entrance.sent_back()
    assert isinstance(await entrance.door.come_back(source=DESK, **first), Entered)
    second = await entrance.sent_back()
    for code in (first["code"], "", "guessed"):
        again = await entrance.sent_back()
        assert (await entrance.refused(**again | {"code": code})).why is Refused.PROVIDER_SAYS_NO
    third = await entrance.sent_back()
    mixed = third | {"code": second["code"]}
    assert (await entrance.refused(**mixed)).why is Refused.PROVIDER_SAYS_NO, "PKCE"
    evil = await entrance.sent_back()
    assert (await entrance.refused(**evil | {"issuer": "https://evil.example"})).why is (
        Refused.ISSUER
    )


async def test_keys_are_fetched_again_when_the_provider_changes_them_and_not_for_each_forgery(
    entrance: Entrance, issuer: str
) -> None:
    await entrance.linked()
    assert isinstance(await entrance.enters(), Entered)
    await tell(issuer, rotate="two")
    entrance.world.clock.go(seconds=31)
    assert isinstance(await entrance.enters(), Entered)
    await tell(issuer, lie={"sign": "other key"})
    for _ in range(5):
        await entrance.refused()
    assert (await tell(issuer)).count("keys") <= 1


async def test_our_second_factor_is_asked_for_after_the_provider(entrance: Entrance) -> None:
    await entrance.linked()
    world = entrance.world
    entered = await entrance.enters()
    assert isinstance(entered, Entered)
    visitor = Visitor(session=entered.signed.session, account=entered.signed.account)
    secret = await world.keeper.begin_totp(visitor)
    await world.keeper.confirm_totp(visitor, world.code(secret))
    world.clock.go(seconds=30)
    back = await entrance.sent_back()
    awaited = await entrance.door.come_back(source=DESK, **back)
    assert isinstance(awaited, CodeAwaited)
    browser = back["browser"]
    wrong = await entrance.door.give_code(
        handle=awaited.handle, code="000000", browser=browser, source=DESK
    )
    assert isinstance(wrong, CodeAwaited)
    for handle, holder in ((awaited.handle, browser), (back["state"], browser)):
        with pytest.raises(ProviderRefused):
            await entrance.door.give_code(
                handle=handle, code=world.code(secret), browser=holder, source=DESK
            )
    again = await entrance.door.give_code(
        handle=wrong.handle, code=world.code(secret), browser=browser, source=DESK
    )
    assert isinstance(again, Entered)


@pytest.mark.parametrize(
    "about",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": ""},
    ],
)
async def test_a_provider_that_describes_itself_wrongly_is_not_used(
    entrance: Entrance, issuer: str, about: dict[str, str]
) -> None:
    await tell(issuer, lie={"about": about})
    with pytest.raises(DirectoryUnavailable):
        await entrance.door.begin("/")


async def test_an_answer_that_cannot_be_read_is_an_outage(entrance: Entrance, issuer: str) -> None:
    await entrance.linked()
    await tell(issuer, lie={"answer": "deep"})
    with pytest.raises(DirectoryUnavailable):
        await entrance.enters()


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        ("http://login.example", "true"),
        ("http://127.0.0.1:1", "false"),
        ("https://user@login.example", "false"),
        ("login.example", "false"),
    ],
)
def test_only_https_is_a_provider_but_for_loopback_when_it_is_said(
    address: str, plain: str
) -> None:
    settings = load_settings(
        {
            "RECORDER_DATABASE_URL": "postgresql://x/x",
            "RECORDER_OIDC_ISSUER": address,
            "RECORDER_OIDC_CLIENT_ID": CLIENT,
            "RECORDER_OIDC_PLAIN_LOOPBACK": plain,
        }
    )
    with pytest.raises(ConfigurationError):
        provider_of(
            settings,
            return_to=RETURN_TO,
            clock=ClockInHand(),
        )
