"""Live control when AMI, capture or the database is away: nothing is recorded that must not be.

After a doubt the state with less audio holds (ADR 0053).
"""

import asyncio
import time
from collections.abc import Iterator

import pytest

from recorder.adapters.ami import LONGEST_PAUSE_S, PING_EVERY_S
from recorder.capture.following import STOP_AGAIN_AFTER_S
from recorder.embedded.office import Office
from recorder.live.model import Act, Answer, State
from recorder.live.service import ANSWER_WITHIN_S
from tests.asterisk.live_stage import (
    CODES,
    PERSON,
    SECRET_HZ,
    Stage,
    holds_tone,
    office_with_proxy,
    recording_of,
    stage_in,
    timeline_of,
    trail_of,
)
from tests.asterisk.observed import holds_within, restart_capture, row_of, rows, wait_until
from tests.tcp_proxy import Hold, TcpProxy

pytestmark = pytest.mark.asterisk

MADE_UP_FOR_WITHIN_S = LONGEST_PAUSE_S + STOP_AGAIN_AFTER_S + 5


@pytest.fixture(scope="module")
def office_and_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, TcpProxy]]:
    with office_with_proxy(tmp_path_factory.mktemp("office")) as made:
        yield made


@pytest.fixture(scope="module")
def office(office_and_proxy: tuple[Office, TcpProxy]) -> Office:
    return office_and_proxy[0]


@pytest.fixture
def proxy(office_and_proxy: tuple[Office, TcpProxy]) -> TcpProxy:
    return office_and_proxy[1]


async def reachable(stage: Stage, *, wanted: bool, within_s: float) -> None:
    async def is_so() -> bool:
        return [each.switchboard for each in (await stage.control.board()).nodes] == [wanted]

    async with asyncio.timeout(within_s):
        while not await is_so():  # noqa: ASYNC110 - in the database
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("done", [True, False], ids=["the answer is lost", "the order is lost"])
async def test_a_pause_that_ami_does_not_confirm_is_told_so_and_asked_for_until_it_is(
    office: Office, proxy: TcpProxy, done: bool
) -> None:
    """RG.12: neither "done" nor "refused" is said of what nobody knows."""
    async with stage_in(office) as stage:
        await reachable(stage, wanted=True, within_s=MADE_UP_FOR_WITHIN_S)
        number, caller, _ = await stage.talk()
        proxy.reset_lets_it_pass, proxy.reset_at = done, b"MixMonitorMute"
        assert await stage.order(number, Act.PAUSE) is Answer.DOUBTFUL
        shown = await stage.shown(number)
        assert shown is not None
        assert (shown.state, shown.in_doubt) == (State.PAUSED, True)
        await stage.in_state(number, State.PAUSED, MADE_UP_FOR_WITHIN_S)
        caller.say(SECRET_HZ)
        await asyncio.sleep(2)
        await caller.hang_up()
        row = await stage.sealed(number)
        assert not holds_tone(await stage.audio(row), SECRET_HZ)
        assert [each[0] for each in timeline_of(row)] == ["order:doubted", "recording:paused"]
        assert [each[0] for each in trail_of(office, row["id"])] == [
            *("order:placed", "order:doubted", "recording:paused"),
        ]


async def test_with_ami_frozen_orders_are_refused_at_once_and_the_call_goes_on(
    office: Office, proxy: TcpProxy
) -> None:
    """RG.12: nothing is done later that was refused now."""
    async with stage_in(office) as stage:
        await reachable(stage, wanted=True, within_s=MADE_UP_FOR_WITHIN_S)
        number, caller, desk = await stage.talk()
        proxy.silent = True
        # Its own ping finds out.
        await reachable(stage, wanted=False, within_s=PING_EVERY_S + 5)
        began = time.monotonic()
        assert await stage.order(number, Act.DISCARD) is Answer.SWITCHBOARD_AWAY
        assert time.monotonic() - began < 1
        await desk.press(CODES[Act.PAUSE])
        await asyncio.sleep(1)
        proxy.silent = False
        await reachable(stage, wanted=True, within_s=MADE_UP_FOR_WITHIN_S)
        await stage.in_state(number, State.RECORDING)
        await caller.hang_up()
        row = await stage.sealed(number)
        assert (row["outcome"], row["incomplete"]) == ("recorded", False)
        assert timeline_of(row) == [("order:refused", "switchboard_away")]
        assert [each[:2] for each in trail_of(office, row["id"])] == [
            *(("order:placed", "operator"), ("order:refused", "operator")),
            ("order:refused", "extension"),
        ]


async def test_what_was_paused_stays_paused_over_the_death_of_capture(office: Office) -> None:
    """RG.12: nobody is recorded whom somebody believes paused; then it is resumed."""
    async with stage_in(office) as stage:
        await reachable(stage, wanted=True, within_s=MADE_UP_FOR_WITHIN_S)
        number, caller, _ = await stage.talk()
        await asyncio.sleep(1)
        assert await stage.order(number, Act.PAUSE) is Answer.DONE
        caller.say(SECRET_HZ)
        await asyncio.to_thread(restart_capture, office)
        await stage.in_state(number, State.PAUSED, MADE_UP_FOR_WITHIN_S)
        await asyncio.sleep(1)
        caller.say(440.0)
        await asyncio.sleep(0.3)
        assert await stage.order(number, Act.RESUME) is Answer.DONE
        await asyncio.sleep(1.5)
        await caller.hang_up()
        row = await stage.sealed(number)
        samples = await stage.audio(row)
        assert not holds_tone(samples, SECRET_HZ)
        assert holds_tone(samples[-6000:], 440.0)
        assert [each[0] for each in timeline_of(row)] == ["recording:paused", "recording:resumed"]


@pytest.mark.parametrize("talks_on", [True, False], ids=["the call goes on", "the call ends"])
async def test_a_discarding_that_capture_dies_in_is_finished(
    office: Office, proxy: TcpProxy, talks_on: bool
) -> None:
    """RG.12: killed between the order on disk and the stop; no byte stays all the same."""
    async with stage_in(office) as stage:
        await reachable(stage, wanted=True, within_s=MADE_UP_FOR_WITHIN_S)
        number, caller, _ = await stage.talk()
        await asyncio.sleep(1.5)
        shown, board = await stage.shown(number), await stage.control.board()
        assert shown is not None
        recording_id = recording_of(office, str(shown.call_id))
        raw = office.spool / f"{recording_id}.raw"
        assert raw.stat().st_size > 8000
        hold = Hold(b"StopMixMonitor")
        proxy.holds.append(hold)
        await stage.control.order(
            shown, Act.DISCARD, node=board.node_of(shown), by=PERSON, reason="próba"
        )
        assert await asyncio.to_thread(hold.held.wait, ANSWER_WITHIN_S)
        office.kill_capture()
        proxy.holds.clear()
        if not talks_on:
            await caller.hang_up()
        await asyncio.to_thread(restart_capture, office)
        if talks_on:
            await stage.in_state(number, State.DISCARDED, MADE_UP_FOR_WITHIN_S)
            await asyncio.to_thread(wait_until, lambda: not raw.exists(), 10)
            await caller.hang_up()
        row = await stage.sealed(number)
        assert (row["reason"], row["recording_id"]) == ("discarded", None)
        left = [
            *office.spool.glob(f"{recording_id}*"),
            *office.vault.rglob(f"*{recording_id}*"),
            *office.keys.rglob(f"*{recording_id}*"),
        ]
        assert left == []
        actions = [each[0] for each in trail_of(office, row["id"])]
        assert actions[:2] == ["order:placed", "order:doubted"]
        assert "discarding:verified" in actions


async def test_codes_work_without_the_database_and_are_in_the_trail_once_it_is_back(
    office: Office,
) -> None:
    """RG.12, F6: the call path touches no database; the act is audited all the same."""
    async with stage_in(office) as stage:
        await reachable(stage, wanted=True, within_s=MADE_UP_FOR_WITHIN_S)
        number, caller, desk = await stage.talk()
        await asyncio.sleep(1)
        office.postgres.kill()
        try:
            await desk.press(CODES[Act.PAUSE])
            await asyncio.sleep(1)
            caller.say(SECRET_HZ)
            await asyncio.sleep(1.5)
            await caller.hang_up()
        finally:
            office.postgres.start()
    row = await asyncio.to_thread(row_of, office, number, within_s=60)
    assert [each[0] for each in timeline_of(row)] == ["recording:paused"]
    query = "SELECT count(*) FROM audit_event WHERE subject = %s AND action = 'recording:paused'"

    def once() -> bool:
        return rows(office, query, f"call:{row['id']}") == [{"count": 1}]

    assert holds_within(once, 10)
