"""AMI under a hostile server: every call is answered in time, and nothing is sent twice."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from pydantic import SecretStr

from recorder.adapters.ami import AmiControl
from recorder.adapters.ami_session import MOST_UNREAD, AmiAccount
from recorder.errors import CallGone, SwitchboardSilent, SwitchboardUnavailable

BANNER = b"Asterisk Call Manager/9.0.0\r\n"
Reply = Callable[[dict[str, str], asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Speaks AMI as a test says; keeps every action that it was sent."""

    def __init__(self) -> None:
        self.port = 0
        self.actions: list[dict[str, str]] = []
        self.connections = 0
        self.writers: list[asyncio.StreamWriter] = []
        self.greets = True
        self.accepts = True
        self.answers_ping = True
        self.answers_getvar = True
        self.on_stop: Reply = success

    def sent(self, action: str) -> int:
        return sum(each["Action"] == action for each in self.actions)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            if self.greets:
                writer.write(BANNER)
            while True:
                block = (await reader.readuntil(b"\r\n\r\n")).decode()
                lines = [line.partition(": ") for line in block.splitlines() if line]
                action = {name: value for name, _, value in lines}
                self.actions.append(action)
                await self._reply(action, writer)
        writer.close()

    async def _reply(self, action: dict[str, str], writer: asyncio.StreamWriter) -> None:
        match action["Action"]:
            case "Login" if self.greets:
                await (success if self.accepts else refused)(action, writer)
            case "Ping" if self.answers_ping:
                await success(action, writer)
            case "Getvar" if self.answers_getvar:
                await say(writer, action, "Response: Success", "Value: 0x1")
            case "StopMixMonitor" | "MixMonitorMute" | "Setvar":
                await self.on_stop(action, writer)
            case _:
                """Be silent."""


async def say(writer: asyncio.StreamWriter, action: dict[str, str], *lines: str) -> None:
    text = "".join(f"{line}\r\n" for line in (*lines, f"ActionID: {action['ActionID']}", ""))
    writer.write(text.encode())
    await writer.drain()


async def success(action: dict[str, str], writer: asyncio.StreamWriter) -> None:
    await say(writer, action, "Response: Success", "Message: Success")


async def refused(action: dict[str, str], writer: asyncio.StreamWriter) -> None:
    await say(writer, action, "Response: Error", "Message: Permission denied")


async def gone(action: dict[str, str], writer: asyncio.StreamWriter) -> None:
    await say(writer, action, "Response: Error", "Message: No such channel")


async def nothing(action: dict[str, str], writer: asyncio.StreamWriter) -> None:
    """Be silent."""


async def hang_up(action: dict[str, str], writer: asyncio.StreamWriter) -> None:
    writer.close()


async def rubbish(action: dict[str, str], writer: asyncio.StreamWriter) -> None:
    writer.write(b"\xff\xfe: \r\n: \r\nResponse\r\n\r\nEvent: Shutdown\r\n\r\n")


async def without_end(action: dict[str, str], writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        writer.write(b"x" * (4 * MOST_UNREAD))
        await writer.drain()


async def word_that_trips(action: dict[str, str], writer: asyncio.StreamWriter) -> None:
    await say(writer, action, "Response: Success", "Message: Originate successfully queued")


def account_on(server: Server) -> AmiAccount:
    return AmiAccount(host="127.0.0.1", port=server.port, user="u", password=SecretStr("p"))


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    yield server
    listening.close()
    for each in server.writers:
        each.transport.abort()
    await asyncio.sleep(0)


@pytest.fixture
async def control(server: Server) -> AsyncIterator[AmiControl]:
    control = AmiControl(account_on(server), ping_every_s=0.2)
    with control:
        yield control


async def until(holds: Callable[[], bool], within_s: float = 5) -> None:
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - what is waited for is in another thread
            await asyncio.sleep(0.01)


async def test_a_stop_names_the_one_recording_that_is_ours(
    server: Server, control: AmiControl
) -> None:
    """Another MixMonitor of the office goes on."""
    await until(lambda: control.connected)
    await control.stop("1.1")
    (stop,) = [each for each in server.actions if each["Action"] == "StopMixMonitor"]
    assert (stop["Channel"], stop["MixMonitorID"]) == ("1.1", "0x1")


async def test_a_mute_and_its_end_name_both_directions(server: Server, control: AmiControl) -> None:
    """RG.12."""
    await until(lambda: control.connected)
    await control.mute("1.1")
    await control.unmute("1.1")
    sent = [each for each in server.actions if each["Action"] == "MixMonitorMute"]
    assert [(each["Direction"], each["State"]) for each in sent] == [("both", "1"), ("both", "0")]
    assert {each["MixMonitorID"] for each in sent} == {"0x1"}


async def test_a_telephone_is_left_a_word_under_our_own_name(
    server: Server, control: AmiControl
) -> None:
    await until(lambda: control.connected)
    await control.tell("2.2", "pause")
    (told,) = [each for each in server.actions if each["Action"] == "Setvar"]
    assert (told["Channel"], told["Variable"], told["Value"]) == ("2.2", "RECORDER_ANSWER", "pause")


async def test_a_question_that_is_not_answered_leaves_no_doubt(
    server: Server, control: AmiControl
) -> None:
    """RG.12: asked was only which recording it is, so nothing can have been done."""
    server.answers_getvar = False
    await until(lambda: control.connected)
    with pytest.raises(SwitchboardUnavailable) as refused:
        await control.mute("1.1")
    assert not isinstance(refused.value, SwitchboardSilent)
    assert server.sent("MixMonitorMute") == 0


async def test_an_act_that_is_not_answered_is_a_doubt(server: Server, control: AmiControl) -> None:
    """RG.12."""
    server.on_stop = nothing
    await until(lambda: control.connected)
    with pytest.raises(SwitchboardSilent):
        await control.mute("1.1")


async def test_a_call_that_is_gone_is_no_failure_of_ami(
    server: Server, control: AmiControl
) -> None:
    server.on_stop = gone
    await until(lambda: control.connected)
    with pytest.raises(CallGone):
        await control.stop("1.1")
    assert control.connected


@pytest.mark.parametrize(
    "reply", [refused, nothing, hang_up, rubbish, without_end, word_that_trips]
)
async def test_whatever_the_other_side_does_there_is_an_answer_in_time_and_one_request(
    server: Server, control: AmiControl, reply: Reply
) -> None:
    """RG.12: within 2 s. After the reconnection nothing is sent again."""
    server.on_stop = reply
    await until(lambda: control.connected)
    began = time.monotonic()
    with pytest.raises(SwitchboardUnavailable):
        await control.stop("1.1")
    assert time.monotonic() - began < 2
    server.on_stop = success
    await until(lambda: control.connected)
    assert server.sent("StopMixMonitor") == 1
    await control.stop("1.1")
    assert server.sent("StopMixMonitor") == 2


async def test_a_connection_that_falls_silent_is_made_again(
    server: Server, control: AmiControl
) -> None:
    await until(lambda: control.connected)
    server.answers_ping = False
    await until(lambda: server.connections > 1)
    server.answers_ping = True
    await until(lambda: control.connected)
    await control.stop("1.1")


@pytest.mark.parametrize("attribute", ["greets", "accepts"])
async def test_without_a_login_every_request_is_refused_at_once(
    server: Server, attribute: str
) -> None:
    setattr(server, attribute, False)
    with AmiControl(account_on(server)) as control:
        await until(lambda: server.connections > 0)
        with pytest.raises(SwitchboardUnavailable):
            await control.stop("1.1")
        assert not control.connected
        setattr(server, attribute, True)
        await until(lambda: control.connected)


async def test_nothing_that_breaks_a_line_is_sent(server: Server, control: AmiControl) -> None:
    await until(lambda: control.connected)
    with pytest.raises(SwitchboardUnavailable):
        await control.stop("1.1\r\nAction: Originate")
    assert server.sent("Originate") == 0


async def test_a_thread_that_stands_still_costs_the_caller_of_it_two_seconds_at_most(
    server: Server, control: AmiControl
) -> None:
    """Its fate is not that of capture's loop, which goes on meanwhile."""
    await until(lambda: control.connected)
    control._loop.call_soon_threadsafe(time.sleep, 4)
    began, beats = time.monotonic(), 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.05)
            beats += 1

    async with asyncio.TaskGroup() as group:
        beating = group.create_task(beat())
        with pytest.raises(SwitchboardUnavailable):
            await control.stop("1.1")
        beating.cancel()
    assert time.monotonic() - began < 2.5
    assert beats > 20
