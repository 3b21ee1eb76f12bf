"""Telephones that do what people do: hold, pass on, ask a colleague first. Real SIP, real RTP.

SIPp plays one dialogue from a script; a transfer needs two of one telephone that know of each
other, so these are written out. Each line of a telephone says a tone of its own.
"""

import asyncio
import io
import re
import secrets
import struct
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import cast

import soundfile

from recorder.embedded import tones

ANSWER_WITHIN_S = 10.0
FRAME_S, FRAME = 0.02, 160
SILENCE = 0.0

SDP = """v=0\r
o=- {version} {version} IN IP4 {address}\r
s=-\r
c=IN IP4 {address}\r
t=0 0\r
m=audio {port} RTP/AVP 8\r
a=rtpmap:8 PCMA/8000\r
a={direction}\r
"""


@cache
def a_second_of(hertz: float) -> bytes:
    """Return A-law that repeats without a seam."""
    kept = io.BytesIO()
    samples = tones.sine(hertz, 1.0)
    soundfile.write(kept, samples, tones.SAMPLE_RATE, format="RAW", subtype="ALAW")
    return kept.getvalue()


@dataclass
class Message:
    """One SIP message, headers in order."""

    first: str
    headers: list[tuple[str, str]]
    body: str = ""

    @classmethod
    def parse(cls, data: bytes) -> "Message":
        head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        pairs = [line.partition(":") for line in lines]
        return cls(first, [(name.strip().lower(), value.strip()) for name, _, value in pairs], body)

    def get(self, name: str) -> str:
        return next((value for each, value in self.headers if each == name), "")

    @property
    def method(self) -> str:
        return self.get("cseq").partition(" ")[2]

    @property
    def is_request(self) -> bool:
        return not self.first.startswith("SIP/2.0")

    @property
    def status(self) -> int:
        return int(self.first.split(" ", 2)[1])

    @property
    def contact(self) -> str:
        return self.get("contact").partition("<")[2].partition(">")[0]


def tag_of(header: str) -> str:
    return header.partition(";tag=")[2].partition(";")[0]


class Phone(asyncio.DatagramProtocol):
    """One telephone at one address."""

    def __init__(self, name: str, address: str, port: int, pbx_port: int) -> None:
        self.name, self.address, self.port = name, address, port
        self._pbx = ("127.0.0.1", pbx_port)
        self._lines: dict[str, Line] = {}
        self._ringing: defaultdict[str, asyncio.Queue[Line]] = defaultdict(asyncio.Queue)
        self._transport: asyncio.DatagramTransport | None = None

    @classmethod
    @asynccontextmanager
    async def at(
        cls, name: str, address: str, *, port: int, pbx_port: int
    ) -> AsyncIterator["Phone"]:
        phone = cls(name, address, port, pbx_port)
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: phone, local_addr=(address, port))
        try:
            yield phone
        finally:
            for line in phone._lines.values():
                line.silence()
            assert phone._transport is not None
            phone._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        message = Message.parse(data)
        line = self._lines.get(message.get("call-id"))
        if line is not None:
            line.hear(message)
        elif message.is_request and message.method == "INVITE":
            line = self._lines[message.get("call-id")] = Line.offered(self, message)
            line.reply(message, "180 Ringing")
            self._ringing[line.caller].put_nowait(line)
        elif message.is_request and message.method != "ACK":
            self.send(Line.offered(self, message).response(message, "481 Gone"))

    def send(self, text: str) -> None:
        assert self._transport is not None
        self._transport.sendto(text.encode(), self._pbx)

    async def rings(self, caller: str) -> "Line":
        """Wait until this caller's call rings here."""
        return await asyncio.wait_for(self._ringing[caller].get(), 3 * ANSWER_WITHIN_S)

    async def dials(self, number: str, hertz: float, *, caller: str) -> "Line":
        """Call somebody, and return once they have answered."""
        line = Line.dialling(self, number, caller)
        self._lines[line.call_id] = line
        await line.open(hertz)
        answer = await line.request("INVITE", body=line.sdp("sendrecv"))
        line.accept(answer)
        return line


@dataclass(eq=False)
class Line:
    """One dialogue of a telephone."""

    phone: Phone
    call_id: str
    local: str
    remote: str
    target: str
    caller: str
    invite: Message | None = None
    answered: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)
    passed_on: asyncio.Event = field(default_factory=asyncio.Event)
    _cseq: "count[int]" = field(default_factory=lambda: count(1))
    _version: "count[int]" = field(default_factory=lambda: count(1))
    _waiting: dict[tuple[int, str], "asyncio.Future[Message]"] = field(default_factory=dict)
    _rtp: asyncio.DatagramTransport | None = None
    _rtp_to: tuple[str, int] | None = None
    _speaking: "asyncio.Task[None] | None" = None
    _hertz: float = SILENCE

    @classmethod
    def offered(cls, phone: Phone, invite: Message) -> "Line":
        return cls(
            phone=phone,
            call_id=invite.get("call-id"),
            local=f"{invite.get('to')};tag={secrets.token_hex(6)}",
            remote=invite.get("from"),
            target=invite.contact,
            caller=invite.get("from").partition("sip:")[2].partition("@")[0],
            invite=invite,
        )

    @classmethod
    def dialling(cls, phone: Phone, number: str, caller: str) -> "Line":
        target = f"sip:{number}@127.0.0.1:{phone._pbx[1]}"
        return cls(
            phone=phone,
            call_id=f"{secrets.token_hex(12)}@{phone.address}",
            local=f"<sip:{caller}@{phone.address}>;tag={secrets.token_hex(6)}",
            remote=f"<{target}>",
            target=target,
            caller=caller,
        )

    async def answer(self, hertz: float) -> None:
        """Take the call and say a tone."""
        assert self.invite is not None
        await self.open(hertz)
        self.learn(self.invite.body)
        self.answered = True
        self.reply(self.invite, "200 OK", body=self.sdp("sendrecv"))

    async def hold(self) -> None:
        """Put the other side on hold, and say nothing meanwhile."""
        await self._offer("sendonly")
        self.say(SILENCE)

    async def unhold(self, hertz: float) -> None:
        await self._offer("sendrecv")
        self.say(hertz)

    async def press(self, keys: str) -> None:
        """Press keys, each as an INFO, as a telephone without RFC 4733 does."""
        for key in keys:
            body = f"Signal={key}\r\nDuration=120\r\n"
            await self.request("INFO", body=body, kind="application/dtmf-relay")
            await asyncio.sleep(0.1)

    async def pass_on(self, number: str) -> None:
        """Transfer blindly; returns once the PBX has accepted it."""
        await self._refer(f"<sip:{number}@127.0.0.1:{self.phone._pbx[1]}>")

    async def pass_on_to(self, other: "Line") -> None:
        """Transfer to whom one talks with on another line (Replaces)."""
        replaces = f"{other.call_id};to-tag={tag_of(other.remote)};from-tag={tag_of(other.local)}"
        quoted = replaces.replace(";", "%3B").replace("=", "%3D").replace("@", "%40")
        await self._refer(f"<{other.target}?Replaces={quoted}>")
        await asyncio.wait_for(self.passed_on.wait(), ANSWER_WITHIN_S)

    async def hang_up(self) -> None:
        if not self.over.is_set():
            await self.request("BYE")
            self._end()

    def say(self, hertz: float) -> None:
        self._hertz = hertz

    def silence(self) -> None:
        if self._speaking is not None:
            self._speaking.cancel()
        if self._rtp is not None:
            self._rtp.close()

    async def open(self, hertz: float) -> None:
        """Open the ear and the mouth."""
        self._hertz = hertz
        loop = asyncio.get_running_loop()
        self._rtp, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=(self.phone.address, 0)
        )
        self._speaking = loop.create_task(self._speak())

    async def _speak(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        source = secrets.randbits(32)
        for number in count():
            await asyncio.sleep(max(0.0, began + number * FRAME_S - loop.time()))
            if self._rtp_to is None or self._rtp is None:
                continue
            head = struct.pack("!BBHII", 0x80, 8, number & 0xFFFF, number * FRAME, source)
            start = number * FRAME % tones.SAMPLE_RATE
            frame = a_second_of(self._hertz)[start : start + FRAME]
            self._rtp.sendto(head + frame, self._rtp_to)

    def learn(self, sdp: str) -> None:
        """Note where the other side hears."""
        address = re.search(r"^c=IN IP4 (\S+)", sdp, re.MULTILINE)
        port = re.search(r"^m=audio (\d+)", sdp, re.MULTILINE)
        if address and port:
            self._rtp_to = (address[1], int(port[1]))

    def sdp(self, direction: str) -> str:
        assert self._rtp is not None
        return SDP.format(
            version=next(self._version),
            address=self.phone.address,
            port=self._rtp.get_extra_info("sockname")[1],
            direction=direction,
        )

    def hear(self, message: Message) -> None:
        """Handle one message of this dialogue."""
        if not message.is_request:
            number = int(message.get("cseq").split()[0])
            waiting = self._waiting.get((number, message.method))
            if waiting is not None and not waiting.done() and message.status >= 200:
                waiting.set_result(message)
            return
        match message.method:
            case "ACK":
                return
            case "INVITE" if self.answered:
                self.learn(message.body)
                self.reply(message, "200 OK", body=self.sdp("sendrecv"))
            case "INVITE":
                self.reply(message, "180 Ringing")
            case "BYE":
                self.reply(message, "200 OK")
                self._end()
            case "CANCEL":
                self.reply(message, "200 OK")
                assert self.invite is not None
                self.reply(self.invite, "487 Cancelled")
                self._end()
            case "NOTIFY":
                self.reply(message, "200 OK")
                if "SIP/2.0 200" in message.body:
                    self.passed_on.set()
            case _:
                self.reply(message, "200 OK")

    def _end(self) -> None:
        self.over.set()
        self.silence()

    async def _offer(self, direction: str) -> None:
        answer = await self.request("INVITE", body=self.sdp(direction))
        self.accept(answer)

    async def _refer(self, to: str) -> None:
        me = f"<sip:{self.phone.name}@{self.phone.address}>"
        await self.request("REFER", more=f"Refer-To: {to}\r\nReferred-By: {me}\r\n")

    def accept(self, answer: Message) -> None:
        """Acknowledge the answer to an INVITE of ours."""
        assert answer.status == 200, answer.first
        self.answered = True
        self.remote = answer.get("to")
        self.target = answer.contact
        self.learn(answer.body)
        self.phone.send(self._request("ACK", int(answer.get("cseq").split()[0])))

    async def request(
        self, method: str, *, body: str = "", more: str = "", kind: str = "application/sdp"
    ) -> Message:
        """Send a request and return its final answer."""
        number = next(self._cseq)
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[number, method] = waiting
        self.phone.send(self._request(method, number, body=body, more=more, kind=kind))
        answer: Message = await asyncio.wait_for(waiting, 2 * ANSWER_WITHIN_S)
        assert answer.status < 300, f"{method}: {answer.first}"
        return answer

    def _request(
        self,
        method: str,
        number: int,
        *,
        body: str = "",
        more: str = "",
        kind: str = "application/sdp",
    ) -> str:
        kind = f"Content-Type: {kind}\r\n" if body else ""
        return (
            f"{method} {self.target} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.phone.address}:{self.phone.port};"
            f"branch=z9hG4bK{secrets.token_hex(8)}\r\n"
            f"From: {self.local}\r\nTo: {self.remote}\r\nCall-ID: {self.call_id}\r\n"
            f"CSeq: {number} {method}\r\nMax-Forwards: 70\r\n"
            f"Contact: <sip:{self.phone.name}@{self.phone.address}:{self.phone.port}>\r\n"
            f"{more}{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def reply(self, request: Message, status: str, *, body: str = "") -> None:
        self.phone.send(self.response(request, status, body=body))

    def response(self, request: Message, status: str, *, body: str = "") -> str:
        vias = "".join(f"Via: {value}\r\n" for name, value in request.headers if name == "via")
        to = request.get("to")
        if not tag_of(to):
            to = self.local
        kind = "Content-Type: application/sdp\r\n" if body else ""
        return (
            f"SIP/2.0 {status}\r\n{vias}From: {request.get('from')}\r\nTo: {to}\r\n"
            f"Call-ID: {self.call_id}\r\nCSeq: {request.get('cseq')}\r\n"
            f"Contact: <sip:{self.phone.name}@{self.phone.address}:{self.phone.port}>\r\n"
            f"{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        )
