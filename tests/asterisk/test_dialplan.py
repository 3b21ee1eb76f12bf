"""The subroutine by itself: every way out of it leads the caller on."""

import asyncio
import base64
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any
from unittest.mock import ANY
from uuid import uuid4

import numpy as np
import pytest

from recorder.embedded import sipp, tones
from recorder.embedded.asterisk import ensure_package, ensure_rootfs
from recorder.embedded.postgres import free_port
from tests.asterisk.bare import DIALPLAN, BareAsterisk, application, probe
from tests.asterisk.conftest import CACHE
from tests.asterisk.observed import wait_until

pytestmark = pytest.mark.asterisk
LINE = "746640900"

NOTED = r"""
[from-trunk](+)
exten => _74664090X,1,NoOp()
 same => n,ExecIf($[${EXTEN} = 746640901]?Set(TIMEOUT(absolute)=60))
 same => n,Set(CURLOPT(httptimeout)=7)
 same => n,Set(RECORDER_FILE=${NOTES}/planted.raw)
 same => n,Set(RECORDER_OUTCOME=planted)
 same => n,Set(BEFORE=${STRFTIME(,,%s%3q)})
 same => n,Gosub(recorder,inbound,1(${EXTEN}))
 same => n,Set(TOOK=$[${STRFTIME(,,%s%3q)} - ${BEFORE}])
 same => n,ExecIf($[${EXTEN} = 746640902]?Gosub(recorder,inbound,1(${EXTEN})))
 same => n,Set(WHERE=${CALLERID(num)}|${CONTEXT}|${EXTEN}|${RECORDER_OUTCOME})
 same => n,Set(DB(office/key)=value)
 same => n,Set(LIMITS=${DB(office/key)}|${TIMEOUT(absolute)}|${CURLOPT(httptimeout)})
 same => n,Set(FILE(${NOTES}/returned,,,al,u)=${WHERE}|${TOOK}|${LIMITS}|${UNIQUEID})
 same => n,Set(__WHOSE=${CALLERID(num)})
 same => n,Dial(PJSIP/desk,30,U(joined))
 same => n,Hangup()
exten => h,1,Set(FILE(${NOTES}/left,,,al,u)=${CALLERID(num)}|${STRFTIME(,,%s%3q)})

[joined]
exten => s,1,Set(FILE(${NOTES}/joined,,,al,u)=${WHOSE}|${STRFTIME(,,%s%3q)})
 same => n,Return()

[from-internal](+)
exten => outside,1,Gosub(recorder,leaving,1)
 same => n,Dial(PJSIP/desk,30)
"""


@pytest.fixture(scope="module")
def probe_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def asterisk(tmp_path_factory: pytest.TempPathFactory, probe_port: int) -> Iterator[BareAsterisk]:
    rootfs = ensure_rootfs(CACHE, print)
    ensure_package("sipp", "sip-tester", print)
    records = (DIALPLAN / "cdr_custom.conf").read_text(encoding="utf-8")
    with BareAsterisk(
        rootfs,
        tmp_path_factory.mktemp("bare"),
        probe_port=probe_port,
        dialplan=NOTED,
        files=lambda _: {"cdr_custom.conf": records},
    ) as bare:
        yield bare


@pytest.fixture(scope="module", autouse=True)
def desk(asterisk: BareAsterisk) -> Iterator[sipp.Sipp]:
    with sipp.desk(asterisk.directory / "desk", port=asterisk.desk_port) as desk:
        yield desk


_numbers = count(601_000_000)


@pytest.fixture
def number() -> str:
    """A caller of the test's own."""
    return str(next(_numbers))


@dataclass(frozen=True, slots=True)
class Returned:
    """What the PBX's own context saw on the line after the Gosub."""

    context: str
    dialled: str
    outcome: str
    took_ms: int
    stored: str
    """What the PBX keeps in its own database; empty where Asterisk refuses to read it."""
    limit_s: float
    curl_s: str
    channel_id: str


async def place(asterisk: BareAsterisk, number: str, *, fails: int = 0, **what: Any) -> None:
    """Place one call, and assert that the caller got through and was not cut."""
    caller = sipp.Caller(**{"number": number, "line": LINE, "marker_s": 0.0, **what})
    folder = asterisk.directory / f"caller-{number}"
    with sipp.call(folder, caller, sip_port=asterisk.sip_port) as placed:
        assert await asyncio.to_thread(placed.wait, timeout_s=60) == fails


def returned(asterisk: BareAsterisk, number: str) -> Returned:
    (found,) = [each[1:] for each in asterisk.notes("returned") if each[0] == number]
    context, dialled, outcome, took, stored, limit, curl, channel = found
    return Returned(context, dialled, outcome, int(took), stored, float(limit), curl, channel)


def connected_s(asterisk: BareAsterisk, number: str) -> float:
    """Return how long caller and desk were connected, by the dialplan's own clock."""
    ((joined,), (left,)) = (
        [int(each[1]) for each in asterisk.notes(name) if each[0] == number]
        for name in ("joined", "left")
    )
    return (left - joined) / 1000


def bypassed(asterisk: BareAsterisk, channel_id: str) -> tuple[str, list[str]]:
    """Return the reason and the decoded fields of the one line that a bypassed call left."""
    log = (asterisk.spool / "bypassed.log").read_text(encoding="ascii").splitlines()
    (line,) = [each for each in log if f"|{channel_id}|" in each]
    version, at, reason, _, *encoded = line.split("|")
    assert version == "1"
    assert abs(float(at) - float(channel_id)) < 5
    return reason, [base64.b64decode(each, validate=True).decode() for each in encoded]


def was_bypassed(asterisk: BareAsterisk, channel_id: str) -> bool:
    log = asterisk.spool / "bypassed.log"
    return log.exists() and f"|{channel_id}|" in log.read_text(encoding="ascii")


async def test_an_absent_application_costs_no_time(asterisk: BareAsterisk, number: str) -> None:
    """R5.1b, design 9: at most 50 ms; the dialled number, the context and the limits stay."""
    await place(asterisk, number, talk_s=1.0, display='"Jan Kowalski" ')
    back = returned(asterisk, number)
    assert back.took_ms <= 50
    assert (back.context, back.dialled, back.outcome) == ("from-trunk", LINE, "app_absent")
    assert (back.limit_s, back.curl_s) == (0.0, "7")
    reason, (channel, *who) = bypassed(asterisk, back.channel_id)
    assert reason == "app_absent"
    assert channel.startswith("PJSIP/trunk-")
    assert who == ["from-trunk", LINE, number, "Jan Kowalski"]


async def test_a_frozen_application_costs_one_second(
    asterisk: BareAsterisk, probe_port: int, number: str
) -> None:
    """R5.1b, F2, design 9: at most 1.5 s."""
    with probe(probe_port, None):
        await place(asterisk, number, talk_s=1.0)
    back = returned(asterisk, number)
    assert 900 < back.took_ms <= 1500
    assert back.outcome == "app_unresponsive"
    assert bypassed(asterisk, back.channel_id)[0] == "app_unresponsive"


@pytest.mark.parametrize("body", [b"no", b"", b"okay", b'" | "" = "', b"ok\nok", b"x" * 5000])
async def test_only_the_word_ok_hands_a_caller_over(
    asterisk: BareAsterisk, probe_port: int, number: str, body: bytes
) -> None:
    async with application(asterisk, release=None) as app:
        with probe(probe_port, body):
            await place(asterisk, number, talk_s=0.5)
    assert app.arrivals == []
    assert returned(asterisk, number).outcome == "app_absent"


async def test_an_application_that_left_after_its_ok_counts_as_absent(
    asterisk: BareAsterisk, probe_port: int, number: str
) -> None:
    """STASISSTATUS=FAILED."""
    with probe(probe_port, b"ok"):
        await place(asterisk, number, talk_s=0.5)
    back = returned(asterisk, number)
    assert (back.outcome, back.took_ms < 100) == ("app_absent", True)
    assert bypassed(asterisk, back.channel_id)[0] == "app_absent"


async def test_the_watchdog_brings_a_stuck_caller_back(
    asterisk: BareAsterisk, probe_port: int, number: str
) -> None:
    """R5.1b, F2: after RECORDER_WATCHDOG; a call longer than that is not cut by it."""
    async with application(asterisk, release=None) as app:
        with probe(probe_port, b"ok"):
            await place(asterisk, number, talk_s=4.0)
    assert len(app.arrivals) == 1
    back = returned(asterisk, number)
    assert (back.context, back.dialled, back.outcome) == ("from-trunk", LINE, "app_unresponsive")
    assert 2900 < back.took_ms < 3600
    assert back.limit_s == 0.0
    assert bypassed(asterisk, back.channel_id)[0] == "app_unresponsive"
    assert connected_s(asterisk, number) > 3.2, "connected for longer than the watchdog"


@pytest.mark.parametrize("released", [True, False], ids=["released", "stuck"])
async def test_a_limit_of_the_pbx_runs_on(
    asterisk: BareAsterisk, probe_port: int, number: str, *, released: bool
) -> None:
    """What is left of a TIMEOUT(absolute) of 60 s, whichever way the caller came out."""
    async with application(asterisk, release="decided.declined" if released else None):
        with probe(probe_port, b"ok"):
            await place(asterisk, number, talk_s=0.5, line="746640901")
    back = returned(asterisk, number)
    assert back.limit_s == pytest.approx(60 - back.took_ms / 1000, abs=0.3)


async def test_the_application_alone_says_what_is_recorded(
    asterisk: BareAsterisk, probe_port: int, number: str
) -> None:
    """R3.4a: a file name or an outcome that came with the call counts for nothing."""
    async with application(asterisk, release="decided.not_from_a_trunk") as app:
        with probe(probe_port, b"ok"):
            await place(asterisk, number, talk_s=1.0)
    back = returned(asterisk, number)
    assert back.outcome == "not_from_a_trunk"
    assert not (asterisk.directory / "planted.raw").exists()
    assert not was_bypassed(asterisk, back.channel_id), "the application has its row"
    ((version, *arguments),) = app.arrivals
    assert version == "v1"
    decoded = [base64.b64decode(each).decode() for each in arguments]
    assert decoded == [LINE, "from-trunk"]


async def test_both_sides_are_recorded_while_connected(
    asterisk: BareAsterisk, probe_port: int, number: str
) -> None:
    """R3.4e: 32,000 bytes a connected second; left the caller, right the office. The PBX's
    own call record says what became of the call."""
    recording_id = str(uuid4())
    raw = asterisk.spool / f"{recording_id}.raw"
    async with application(asterisk, release=f"decided.stayed_on_the_line.{recording_id}"):
        with probe(probe_port, b"ok"):
            await place(asterisk, number, talk_s=4.0)
    samples = np.frombuffer(raw.read_bytes(), dtype="<i2").reshape(-1, 2) / 32768
    assert abs(len(samples) / tones.SAMPLE_RATE - connected_s(asterisk, number)) <= 0.1
    assert tones.share_of(samples[:, 0], tones.CALLER_HZ) > 0.95
    assert tones.share_of(samples[:, 1], tones.OFFICE_HZ) > 0.95
    assert raw.stat().st_mode & 0o007 == 0
    channel = returned(asterisk, number).channel_id
    records = asterisk.directory / "log/cdr-custom/rejestrator.csv"
    wait_until(lambda: records.exists() and channel in records.read_text(), 5)
    (record,) = [each for each in csv.reader(records.read_text().splitlines()) if channel in each]
    assert record[-1] == "stayed_on_the_line"


async def test_the_pbx_keeps_all_its_functions_afterwards(
    asterisk: BareAsterisk, probe_port: int, number: str
) -> None:
    """R5.1b. A variable set by ARI would cost the PBX its DB(), FILE() and SHELL(); see
    docs/dialplan.md."""
    async with application(asterisk, release="decided.declined"):
        with probe(probe_port, b"ok"):
            await place(asterisk, number, talk_s=0.5)
    assert returned(asterisk, number).stored == "value"
    assert [line for line in asterisk.complaints() if "blocked" in line] == []


async def test_variables_and_the_next_line_release_a_caller_too(
    asterisk: BareAsterisk, probe_port: int, number: str
) -> None:
    """The older way: the file's full name, set by the application."""
    raw = asterisk.spool / f"{uuid4()}.raw"
    variables = {"RECORDER_FILE": str(raw), "RECORDER_OUTCOME": "stayed_on_the_line"}
    async with application(asterisk, release="", variables=variables):
        with probe(probe_port, b"ok"):
            await place(asterisk, number, talk_s=2.0)
    assert raw.stat().st_size > 32_000


async def test_a_call_that_enters_twice_is_decided_once(
    asterisk: BareAsterisk, probe_port: int, number: str
) -> None:
    recording_id = str(uuid4())
    raw = asterisk.spool / f"{recording_id}.raw"
    async with application(asterisk, release=f"decided.stayed_on_the_line.{recording_id}") as app:
        with probe(probe_port, b"ok"):
            await place(asterisk, number, talk_s=2.0, line="746640902")
    assert len(app.arrivals) == 1
    assert returned(asterisk, number).outcome == "stayed_on_the_line"
    assert raw.stat().st_size > 32_000


async def test_a_caller_passed_on_to_the_outside_is_recorded_no_further(
    asterisk: BareAsterisk, probe_port: int, number: str
) -> None:
    """R3.4h: the outbound route stops it, the call goes on."""
    recording_id = str(uuid4())
    raw = asterisk.spool / f"{recording_id}.raw"
    caller = sipp.Caller(number=number, line=LINE, talk_s=6.0)
    folder = asterisk.directory / f"caller-{number}"
    async with application(asterisk, release=f"decided.stayed_on_the_line.{recording_id}"):
        with (
            probe(probe_port, b"ok"),
            sipp.call(folder, caller, sip_port=asterisk.sip_port) as placed,
        ):
            await asyncio.to_thread(
                wait_until, lambda: raw.exists() and raw.stat().st_size > 32_000, 10
            )
            channels = asterisk.cli("core show channels concise").splitlines()
            (ours,) = [e.partition("!")[0] for e in channels if e.startswith("PJSIP/trunk-")]
            asterisk.cli(f"channel redirect {ours} from-internal,outside,1")
            await asyncio.to_thread(
                wait_until, lambda: "outside" in asterisk.cli("core show channels"), 5
            )
            stopped_at = raw.stat().st_size
            assert await asyncio.to_thread(placed.wait, timeout_s=30) == 0
    # What was still in the buffer when it stopped is written after that: 32 KiB at most.
    assert raw.stat().st_size <= stopped_at + 32_768 + 8_000


async def test_a_caller_who_leaves_in_between_gets_the_hangup_steps_of_the_pbx(
    asterisk: BareAsterisk, probe_port: int, number: str
) -> None:
    """RK.2b: nothing is left running."""
    async with application(asterisk, release=None):
        with probe(probe_port, b"ok"):
            await place(asterisk, number, talk_s=0.5, fails=ANY)
    assert [each[0] for each in asterisk.notes("left") if each[0] == number] == [number]
    assert "0 active channels" in asterisk.cli("core show channels")


async def test_a_missing_spool_stops_no_call(asterisk: BareAsterisk, number: str) -> None:
    """F10: the line cannot be written, and the caller does not notice."""
    away = asterisk.spool.rename(asterisk.directory / "away")
    try:
        await place(asterisk, number, talk_s=1.0)
    finally:
        away.rename(asterisk.spool)
    assert returned(asterisk, number).took_ms <= 50


@pytest.mark.parametrize(
    "name",
    [
        r"Robert\"); DROP TABLE call;--",
        "$(reboot) `id` ${SHELL(id)}",
        "a|b,c)d(e&f%41;g",
        "x) , System(id",
        "=HYPERLINK()",
        "Zażółć gęślą Їжак",
        "../../etc/passwd",
        "",
        "y" * 300,
    ],
)
async def test_a_hostile_name_arrives_as_data(
    asterisk: BareAsterisk, number: str, name: str
) -> None:
    """RG.7, B3: in base64 in the one line, and in no log. Asterisk itself keeps 79 bytes."""
    await place(asterisk, number, talk_s=0.5, display=f'"{name}" ')
    (*_, told) = bypassed(asterisk, returned(asterisk, number).channel_id)[1]
    assert name.startswith(told)
    assert len(told.encode()) >= min(len(name.encode()), 75)
    # Asterisk itself logs a name that is too long for it.
    logged = [line for line in asterisk.complaints() if "res_pjsip.c" not in line]
    assert not any(name and name[:12] in line for line in logged)


def test_the_dialplan_loads_without_a_word_of_complaint(asterisk: BareAsterisk) -> None:
    asterisk.cli("dialplan reload")
    assert [line for line in asterisk.complaints() if "pbx" in line and ".conf" in line] == []
