"""People at the pages of a private office: whom a benchmark sets to listening and searching."""

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from uuid import UUID

import httpx
import numpy as np
import uuid_utils.compat as uuids

from recorder.accounts.model import Account, Role, SessionKind
from recorder.accounts.service import Visitor
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.regulation_file import load_regulation
from recorder.adapters.vault import open_vault
from recorder.audit.event import Actor, ActorKind
from recorder.authorisations.service import Registrar
from recorder.commands.parts import Parts, parts_around, url_of
from recorder.custody.rules import describe, folder_of
from recorder.model import CallId, CallRecord, Decision, Reason, RecordingId, Span
from recorder.settings import load_settings

COOKIE = "rejestrator-demo-session"
OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}
BENCH = Actor(kind=ActorKind.PROCESS, name="bench")
PASSWORD = "cztery niezwiązane słowa tutaj"  # noqa: S105 - of an office that lives for minutes
HOUR_S = 3600
CHUNK = 256 * 1024
"""What a browser takes at once after a seek: eight seconds of sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody signed in."""

    token: str
    recording: UUID
    call: UUID


@dataclass(kw_only=True)
class Hall:
    """Everybody, at one address."""

    address: str
    purpose: str
    people: list[Person]
    seeks_ms: list[float] = field(default_factory=list)
    searches_ms: list[float] = field(default_factory=list)
    """From sending the form to the last byte of the page with its answer."""
    failures: list[str] = field(default_factory=list)

    def emptied(self) -> "Hall":
        """Return the same people, with nothing measured yet."""
        return replace(self, seeks_ms=[], searches_ms=[], failures=[])

    def searched_alone(self, times: int) -> "Hall":
        """Have people search so often together, one search after another, and do nothing else."""
        alone = self.emptied()
        asyncio.run(_searches_alone(alone, times))
        return alone


async def furnish(
    environment: Mapping[str, str], directory: Path, *, address: str, people: int, hours: int
) -> Hall:
    """Seal one-hour recordings and sign people in, each with a paper and a recording to hear."""
    settings = load_settings(environment)
    vault = open_vault(settings)
    async with connect(url_of(settings), application="bench") as engine:
        parts, ledger = parts_around(engine, settings), PostgresLedger(engine)
        raw = directory / "hour.raw"
        _hour_of_sound(raw)
        calls = []
        for number in range(hours):
            call = _call(number, parts.clock.now())
            assert call.recording_id is not None  # noqa: S101
            assert call.ended_at is not None  # noqa: S101
            sealing = directory / "sealing.raw"
            sealing.write_bytes(raw.read_bytes())
            audio = await vault.store(
                call.recording_id, raw=sealing, folder=folder_of(call.ended_at)
            )
            recording = describe(
                call,
                audio,
                retention_days=30,
                office_zone=settings.office_zone,
                now=call.ended_at,
            )
            await ledger.record_call(call, recording=recording, incidents=[], at=call.ended_at)
            calls.append(call)
        director, _ = await _person(parts, "bench-director", Role.ADMINISTRATOR)
        seated = []
        for number in range(people):
            account, token = await _person(parts, f"bench-{number}", Role.LISTENER)
            await _authorise(parts.registrar, account, director, parts.clock.now())
            call = calls[number % hours]
            assert call.recording_id is not None  # noqa: S101
            seated.append(Person(token=token, recording=call.recording_id, call=call.id))
    purpose = load_regulation(settings.regulation_file).purposes[0]
    return Hall(address=address, purpose=purpose, people=seated)


def work(hall: Hall, until: Event, *, searches_a_second: float) -> None:
    """Have everybody seek once a second and search together so often, until told to stop."""
    asyncio.run(_work(hall, until, searches_a_second))


async def _work(hall: Hall, until: Event, searches_a_second: float) -> None:
    pause = len(hall.people) / searches_a_second
    async with asyncio.TaskGroup() as tasks:
        for number, person in enumerate(hall.people):
            tasks.create_task(_listens(hall, person, until, random.Random(number)))  # noqa: S311
            tasks.create_task(_searches(hall, person, until, random.Random(number), pause))  # noqa: S311


def browser(hall: Hall, person: Person) -> httpx.AsyncClient:
    """Return a client that is signed in as a browser would be."""
    return httpx.AsyncClient(
        base_url=hall.address, cookies={COOKIE: person.token}, headers=OUR_PAGE, timeout=30
    )


async def _listens(hall: Hall, person: Person, until: Event, chance: random.Random) -> None:
    async with browser(hall, person) as client:
        opened = await client.post(
            f"/api/v1/recordings/{person.recording}/playbacks", json={"purpose": hall.purpose}
        )
        if opened.status_code != httpx.codes.CREATED:
            hall.failures.append(f"playback {opened.status_code}")
            return
        audio, size = opened.json()["audio"], HOUR_S * 32_000
        await asyncio.sleep(chance.random())
        while not until.is_set():
            began = time.perf_counter()
            start = chance.randrange(size - CHUNK)
            span = {"Range": f"bytes={start}-{start + CHUNK - 1}"}
            async with client.stream("GET", audio, headers=span) as answer:
                if answer.status_code != httpx.codes.PARTIAL_CONTENT:
                    hall.failures.append(f"audio {answer.status_code}")
                first = True
                async for _ in answer.aiter_raw():
                    if first:
                        hall.seeks_ms.append(1000 * (time.perf_counter() - began))
                        first = False
            await asyncio.sleep(max(0.0, 1 - (time.perf_counter() - began)))


async def _searches(
    hall: Hall, person: Person, until: Event, chance: random.Random, pause: float
) -> None:
    async with browser(hall, person) as client:
        await asyncio.sleep(chance.random() * pause)
        while not until.is_set():
            took = await _search(hall, client, chance)
            await asyncio.sleep(max(0.0, pause - took))


async def _searches_alone(hall: Hall, times: int) -> None:
    """One person alone would soon be asked to wait."""
    chance = random.Random(0)  # noqa: S311
    for person in hall.people:
        async with browser(hall, person) as client:
            for _ in range(times // len(hall.people)):
                await _search(hall, client, chance)


async def _search(hall: Hall, client: httpx.AsyncClient, chance: random.Random) -> float:
    """§ 7.5: caller, day and hour, as a form is sent and its answer is read; return the seconds."""
    began = time.perf_counter()
    day = datetime(2026, 10, chance.randrange(3, 31), tzinfo=UTC)
    wanted = {
        "caller": f"60{chance.randrange(1_000_000, 4_000_000)}"[:9],
        "day": f"{day:%d.%m.%Y}",
        "hour": f"{chance.randrange(7, 17):02}:15",
    }
    led = await client.post("/search", data=wanted)
    answer = await client.get(led.headers.get("location", "/nowhere"))
    took = time.perf_counter() - began
    hall.searches_ms.append(1000 * took)
    if answer.status_code != httpx.codes.OK:
        hall.failures.append(f"search {led.status_code} {answer.status_code}")
    return took


async def _person(parts: Parts, login: str, role: Role) -> tuple[Account, str]:
    account, temporary = await parts.keeper.add(
        login=login, name="Osoba Próbna", post="biuro", roles={role}, actor=BENCH
    )
    signed = await parts.door.sign_in(
        login, temporary, "", source="127.0.0.1", kind=SessionKind.WEB
    )
    visitor = Visitor(session=signed.session, account=signed.account)
    await parts.keeper.change_password(visitor, old=temporary, new=PASSWORD)
    return account, signed.token


async def _authorise(
    registrar: Registrar, holder: Account, director: Account, now: datetime
) -> None:
    await registrar.grant(
        holder,
        roles=frozenset({Role.LISTENER}),
        lines=None,
        recording_id=None,
        valid_from=now - timedelta(minutes=1),
        valid_until=now + timedelta(days=1),
        by=director.id,
    )


def _hour_of_sound(raw: Path) -> None:
    minute = np.random.default_rng(1).integers(-9000, 9000, 60 * 16_000, dtype="<i2").tobytes()
    with raw.open("wb") as file:
        for _ in range(HOUR_S // 60):
            file.write(minute)


def _call(number: int, now: datetime) -> CallRecord:
    ended = now - timedelta(hours=2 + number)
    stays = Decision(record=True, reason=Reason.STAYED_ON_THE_LINE)
    return CallRecord(
        id=CallId(uuids.uuid7()),
        node="pbx1",
        channel_id=f"bench-{number}",
        arrived_at=ended - timedelta(seconds=HOUR_S + 20),
        ended_at=ended,
        endpoint="operator",
        context="from-operator",
        line="746640800",
        caller_number="600123456",
        scope=stays,
        consent=stays,
        answered_at=ended - timedelta(seconds=HOUR_S),
        answered_by="desk",
        recording_id=RecordingId(uuids.uuid7()),
        bridged=(Span(since=ended - timedelta(seconds=HOUR_S), until=ended),),
    )
