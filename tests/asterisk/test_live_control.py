"""Pause, resume, stop and keep, stop and discard while calls go on, by order and by code (RG.12).

An order is given as a page gives it, through the table that capture looks into.
"""

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from recorder.embedded.office import Office
from recorder.live.model import Act, Answer, State
from tests.asterisk.live_stage import (
    CODES,
    EFFECTIVE_WITHIN_S,
    LINE,
    PERSON,
    QUEUE,
    SECRET_HZ,
    Stage,
    holds_tone,
    office_with_proxy,
    recording_of,
    seconds_without_sound,
    stage_in,
    timeline_of,
    trail_of,
)
from tests.asterisk.observed import rows, spool_files

pytestmark = pytest.mark.asterisk

AT_A_PAGE, AT_A_TELEPHONE = "ordered_at_page", "ordered_at_telephone"
PAUSED_S = 2.5
DISCARDED_HZ = 2345.0


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with office_with_proxy(tmp_path_factory.mktemp("office")) as (office, _):
        yield office


async def paused_and_resumed(stage: Stage, *, by_code: bool, line: str = LINE) -> None:
    """R8.1e, RG.12: what is said meanwhile is not recorded; trail and timeline tell of it."""
    number, caller, desk = await stage.talk(line)

    async def act(act: Act, state: State) -> None:
        began = time.monotonic()
        if by_code:
            await desk.press(CODES[act])
            await stage.in_state(number, state)
        else:
            assert await stage.order(number, act) is Answer.DONE
        assert time.monotonic() - began < EFFECTIVE_WITHIN_S

    await asyncio.sleep(1)
    await act(Act.PAUSE, State.PAUSED)
    caller.say(SECRET_HZ)
    await asyncio.sleep(PAUSED_S)
    caller.say(440.0)
    await asyncio.sleep(0.3)
    await act(Act.RESUME, State.RECORDING)
    await asyncio.sleep(1)
    await caller.hang_up()
    row = await stage.sealed(number)
    samples = await stage.audio(row)
    assert not holds_tone(samples, SECRET_HZ)
    assert holds_tone(samples[-6000:], 440.0)
    silent = seconds_without_sound(samples)
    assert PAUSED_S < silent < PAUSED_S + 2 * EFFECTIVE_WITHIN_S
    # Time goes on in the file: no second is missing.
    assert abs(len(samples) / 8000 - row["bridged_seconds"]) < 0.3
    how = AT_A_TELEPHONE if by_code else AT_A_PAGE
    assert timeline_of(row) == [("recording:paused", how), ("recording:resumed", how)]
    told = trail_of(stage.office, row["id"])
    if by_code:
        who = ("extension", "desk")
        assert told == [("recording:paused", *who), ("recording:resumed", *who)]
    else:
        assert [each[0] for each in told] == [
            *("order:placed", "recording:paused"),
            *("order:placed", "recording:resumed"),
        ]


async def stopped_and_kept(stage: Stage, *, by_code: bool) -> None:
    """RG.12: it ends early, is sealed as usual, and nothing can be done to it but discarding."""
    number, caller, desk = await stage.talk()
    await asyncio.sleep(2)
    said_s = time.monotonic() - stage.answered[number]
    if by_code:
        await desk.press(CODES[Act.STOP])
        await stage.in_state(number, State.STOPPED)
    else:
        assert await stage.order(number, Act.STOP) is Answer.DONE
    caller.say(SECRET_HZ)
    assert await stage.order(number, Act.STOP) is Answer.ALREADY
    assert await stage.order(number, Act.RESUME) is Answer.OVER
    await asyncio.sleep(2)
    await caller.hang_up()
    row = await stage.sealed(number)
    samples = await stage.audio(row)
    assert (row["outcome"], row["incomplete"]) == ("recorded", False)
    assert not holds_tone(samples, SECRET_HZ)
    assert said_s - 0.5 < len(samples) / 8000 < said_s + EFFECTIVE_WITHIN_S
    assert row["bridged_seconds"] > said_s + 2
    assert timeline_of(row)[0] == (
        "recording:stopped",
        AT_A_TELEPHONE if by_code else AT_A_PAGE,
    )


async def stopped_and_discarded(
    stage: Stage, gone: list[tuple[str, bytes]], *, by_code: bool
) -> None:
    """RG.12: no byte stays, a row with its reason does. Adds to ``gone`` what must be."""
    number, caller, desk = await stage.talk(caller_hz=DISCARDED_HZ)
    await asyncio.sleep(2.5)
    shown = await stage.shown(number)
    assert shown is not None
    raw = stage.office.spool / f"{recording_of(stage.office, str(shown.call_id))}.raw"
    said = raw.read_bytes()[8000:16000]
    assert any(said)
    if by_code:
        await desk.press(CODES[Act.DISCARD])
        await stage.in_state(number, State.DISCARDED)
    else:
        assert await stage.order(number, Act.DISCARD) is Answer.DONE
    async with asyncio.timeout(4):
        # Gone while the call goes on: not only at its end.
        while raw.exists():  # noqa: ASYNC110 - in the file system
            await asyncio.sleep(0.05)
    assert await stage.order(number, Act.RESUME) is Answer.OVER
    await caller.hang_up()
    row = await stage.sealed(number)
    assert (row["outcome"], row["reason"]) == ("not_recorded", "discarded")
    assert row["recording_id"] is None
    how = AT_A_TELEPHONE if by_code else AT_A_PAGE
    assert ("recording:discarded", how) in timeline_of(row)
    assert ("recording:wiped", "") in timeline_of(row)
    actions = [each[0] for each in trail_of(stage.office, row["id"])]
    assert {"recording:discarded", "discarding:verified"} <= set(actions)
    gone.append((raw.stem, said))


def assert_no_byte_is_left(office: Office, recording_id: str, said: bytes) -> None:
    """Look through everything that the office has on disk, its database and logs left out."""
    folders = (office.spool, office.vault, office.keys)
    files = [each for folder in folders for each in folder.rglob("*") if each.is_file()]
    assert [each for each in files if recording_id in each.name] == []
    assert [each for each in files if said in each.read_bytes()] == []


async def test_during_twenty_calls_at_once_each_act_by_order_and_by_code(office: Office) -> None:
    """RG.12, issue 6 point 7."""
    gone: list[tuple[str, bytes]] = []
    async with stage_in(office) as stage, asyncio.TaskGroup() as group:
        for by_code in (False, True):
            for _ in range(4):
                group.create_task(paused_and_resumed(stage, by_code=by_code))
            for _ in range(3):
                group.create_task(stopped_and_kept(stage, by_code=by_code))
            for _ in range(3):
                group.create_task(stopped_and_discarded(stage, gone, by_code=by_code))
    assert spool_files(office) == []
    assert len(gone) == 6
    for recording_id, said in gone:
        assert_no_byte_is_left(office, recording_id, said)
    assert rows(office, "SELECT kind FROM incident") == []


async def test_behind_a_queue_the_desk_has_the_same_codes(office: Office) -> None:
    """RG.12: between desk and caller there are two halves of a Local channel."""
    async with stage_in(office) as stage:
        await paused_and_resumed(stage, by_code=True, line=QUEUE)


async def test_the_caller_has_no_codes_and_orders_find_their_call_or_say_why_not(
    office: Office,
) -> None:
    """RG.12: nothing that a caller presses acts; twice is once; over is over."""
    async with stage_in(office) as stage:
        number, caller, _ = await stage.talk()
        await caller.press(CODES[Act.DISCARD])
        await asyncio.sleep(1)
        await stage.in_state(number, State.RECORDING)
        assert await stage.order(number, Act.RESUME) is Answer.ALREADY
        assert await stage.order(number, Act.PAUSE) is Answer.DONE
        assert await stage.order(number, Act.PAUSE) is Answer.ALREADY
        shown = await stage.shown(number)
        assert shown is not None
        board = await stage.control.board()
        await caller.hang_up()
        row = await stage.sealed(number)
        assert timeline_of(row) == [("recording:paused", AT_A_PAGE)]
        late = await stage.control.order(
            shown, Act.RESUME, node=board.node_of(shown), by=PERSON, reason=""
        )
        assert (await stage.control.answer(late))[1] is Answer.CALL_OVER
        assert row["reason"] == "stayed_on_the_line"


async def test_from_page_and_prompt_a_clerk_acts_on_the_call_at_their_telephone(
    office: Office,
) -> None:
    """RG.12, issue 6 point 7: page or prompt, gate, table, capture, AMI, Asterisk."""
    await asyncio.to_thread(office.start_web)
    password = (await asyncio.to_thread(office.employ)).read_text().splitlines()[0]
    ours = {"Sec-Fetch-Site": "same-origin"}
    async with (
        stage_in(office) as stage,
        httpx.AsyncClient(base_url=office.web_address, headers=ours, timeout=10) as browser,
    ):
        form = {"login": "demo", "password": password, "code": ""}
        assert (await browser.post("/sign-in", data=form)).status_code == 303
        number, caller, _ = await stage.talk()
        page = (await browser.get("/live")).text
        (path,) = re.findall(r'action="(/live/[0-9a-f-]{36}/pause)"', page)
        began = time.monotonic()
        led = await browser.post(path)
        assert time.monotonic() - began < EFFECTIVE_WITHIN_S
        caller.say(SECRET_HZ)
        assert "Nagrywanie wstrzymane od" in (await browser.get(led.headers["location"])).text
        await asyncio.sleep(2)
        caller.say(440.0)
        await asyncio.sleep(0.3)
        listed = await asyncio.to_thread(at_the_prompt, office, "live", "--json")
        (shown,) = json.loads(listed)
        assert (shown["state"], shown["caller_number"]) == ("paused", f"618***{number[-3:]}")
        assert await asyncio.to_thread(at_the_prompt, office, "resume", shown["id"]) == "Done.\n"
        await asyncio.sleep(1)
        await caller.hang_up()
        row = await stage.sealed(number)
        samples = await stage.audio(row)
        assert not holds_tone(samples, SECRET_HZ)
        assert holds_tone(samples[-4000:], 440.0)
        kinds = [("recording:paused", AT_A_PAGE), ("recording:resumed", AT_A_PAGE)]
        assert timeline_of(row) == kinds
        told = trail_of(office, row["id"])
        assert [each[:2] for each in told] == [
            *(("order:placed", "account"), ("recording:paused", "account")),
            *(("order:placed", "account"), ("recording:resumed", "account")),
        ]


def at_the_prompt(office: Office, *words: str) -> str:
    """Run `recorder calls …` as the person who is signed in there; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "recorder", "calls", *words],
        cwd=office.directory,
        env={**office.environment, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
