"""The ARI client against a real Asterisk."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recorder.adapters.ari import (
    AriHTTPError,
    AriRefused,
    AriReplaced,
    AriUnreachable,
    Conflict,
    NotFound,
)
from recorder.adapters.ari import client as module
from recorder.embedded.asterisk import PrivateAsterisk, ensure_rootfs
from tests.contracts.ari_session import Session

pytestmark = pytest.mark.asterisk

DIALPLAN = """
[contract]
; Who enters: a caller made by a test. What leaves: nothing.
exten => caller,1,Stasis(recorder,hello)
 same => n,Set(CAME_BACK=${FROM_APP})
 same => n,Wait(60)
exten => desk,1,Answer()
 same => n,Wait(60)
"""
NOBODY = "1.404"


@pytest.fixture(scope="module")
def asterisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateAsterisk]:
    rootfs = ensure_rootfs(Path.home() / ".cache" / "rejestrator", print)
    asterisk = PrivateAsterisk(
        rootfs, tmp_path_factory.mktemp("asterisk"), globals_={}, dialplan=DIALPLAN
    )
    asterisk.start()
    try:
        yield asterisk
    finally:
        asterisk.stop()


def session_with(asterisk: PrivateAsterisk, **more: float | str) -> Session:
    return Session(asterisk.ari_url, password=asterisk.ari_password, **more)


async def originate(session: Session) -> None:
    await session.client.channels.originate(
        endpoint="Local/caller@contract/n", context="contract", extension="desk", priority="1"
    )


def types_of(session: Session, channel_id: str) -> list[str]:
    return [each.type for each in session.events if each.channel_id == channel_id]


async def test_a_caller_is_answered_played_to_followed_and_given_back(
    asterisk: PrivateAsterisk,
) -> None:
    """RG.6: each step is believed when its event has come."""
    session = session_with(asterisk)
    channels = session.client.channels

    async def until(done: Callable[[], bool]) -> None:
        await session.heard_when(done)

    async def call() -> None:
        await until(lambda: session.client.connected)
        await originate(session)
        await until(lambda: "StasisStart" in session.order)
        start = next(each for each in session.events if each.type == "StasisStart")
        me = start.channel_id
        assert start.get("args") == ["hello"]
        assert start.timestamp is not None
        assert me in {each["id"] for each in await channels.list()}

        await channels.answer(channelId=me)
        await channels.playWithId(channelId=me, playbackId="beep-1", media="sound:beep")
        await until(lambda: "PlaybackFinished" in session.order)
        finished = next(each for each in session.events if each.type == "PlaybackFinished")
        assert finished.text("playback", "id") == "beep-1"
        assert finished.text("playback", "state") == "done"
        with pytest.raises(NotFound):
            await session.client.playbacks.stop(playbackId="beep-1")

        odd = "ą & = ? %41 \"'$(x)"
        await channels.setChannelVar(channelId=me, variable="ODD", value=odd)
        assert await channels.getChannelVar(channelId=me, variable="ODD") == odd
        await channels.setChannelVars(channelId=me, variables={"FROM_APP": "yes", "B": "2"})
        assert await channels.getChannelVar(channelId=me, variable="B") == "2"

        # Subscribed before it leaves, so that its events keep coming.
        await session.client.applications.subscribe(
            applicationName="recorder", eventSource=f"channel:{me}"
        )
        await channels.continueInDialplan(channelId=me)
        await until(
            lambda: any(
                each.text("variable") == "CAME_BACK" and each.text("value") == "yes"
                for each in session.events
            )
        )
        with pytest.raises(Conflict) as caught:
            await channels.setChannelVar(channelId=me, variable="X", value="600100200")
        assert str(caught.value) == "setChannelVar: 409 Channel not in Stasis application"

        await channels.hangup(channelId=me)
        await until(lambda: "ChannelDestroyed" in types_of(session, me))
        types = types_of(session, me)
        assert (
            types.index("StasisStart") < types.index("StasisEnd") < types.index("ChannelDestroyed")
        )
        with pytest.raises(NotFound):
            await channels.hangup(channelId=me)

    await session.run_while(call())
    assert session.client.counters["rubbish"] == 0


async def test_what_is_not_there_and_what_is_wrong_keep_asterisks_words(
    asterisk: PrivateAsterisk,
) -> None:
    async with session_with(asterisk).client as client:
        with pytest.raises(NotFound) as gone:
            await client.channels.answer(channelId=NOBODY)
        with pytest.raises(AriHTTPError) as wrong:
            await client.channels.originate(endpoint="Nothing/7")
        assert (await client.asterisk.getInfo())["system"]["version"].startswith("22.")
        assert await client.bridges.list() == []
    assert str(gone.value) == "answer: 404 Channel not found"
    assert wrong.value.status == 400
    assert wrong.value.message


async def test_a_wrong_password_is_refused(asterisk: PrivateAsterisk) -> None:
    with pytest.raises(AriRefused):
        await Session(asterisk.ari_url).run_until(lambda: False)


async def test_the_older_of_two_clients_of_one_name_ends(asterisk: PrivateAsterisk) -> None:
    older, newer = session_with(asterisk), session_with(asterisk)

    async def be_taken_over() -> None:
        await older.heard_when(lambda: older.client.connected)
        await newer.run_until(lambda: False)

    with pytest.raises(AriReplaced):
        await older.run_while(be_taken_over())
    assert older.order == ["prepared", "disconnected"]


async def test_a_killed_asterisk_is_noticed_and_found_again(
    asterisk: PrivateAsterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F4, F5: calls can be taken again without a restart of ours."""
    monkeypatch.setattr(module, "LONGEST_PAUSE_S", 0.5)
    session = session_with(asterisk)

    async def fault() -> None:
        await session.heard_when(lambda: session.client.connected)
        await asyncio.to_thread(asterisk.kill)
        await session.heard_when(lambda: not session.client.connected)
        with pytest.raises(AriUnreachable):
            await session.client.channels.list()
        await asyncio.to_thread(asterisk.start)
        await session.heard_when(lambda: session.order == ["prepared", "disconnected", "prepared"])
        await originate(session)
        await session.heard_when(lambda: "StasisStart" in session.order)

    await session.run_while(fault())
