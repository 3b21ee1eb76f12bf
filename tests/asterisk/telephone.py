"""A caller that writes its own SIP, byte by byte: SIPp refuses to send what real attackers do."""

import socket
import time
import uuid

from recorder.embedded.asterisk_config import TRUNK

SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\n"
    b"m=audio 9 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
)
LOOK_EVERY_S = 0.5


class Telephone:
    """One call with a From header exactly as given; nothing is sent twice."""

    def __init__(self, sip_port: int, *, caller: bytes, line: str) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((TRUNK, 0))
        self._socket.connect(("127.0.0.1", sip_port))
        self._socket.settimeout(LOOK_EVERY_S)
        self._port = self._socket.getsockname()[1]
        self._id = uuid.uuid4().hex
        self._from = b"From: " + caller + b";tag=" + self._id.encode()
        self._uri = f"sip:{line}@127.0.0.1:{sip_port}".encode()
        self._to = b"To: <" + self._uri + b">"
        self._target = self._uri

    def call(self, *, within_s: float = 10.0) -> bytes:
        """Send the INVITE and acknowledge its answer; return the status, 200 when connected."""
        self._send(b"INVITE", 1, SDP)
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            try:
                answer = self._socket.recv(65536)
            except TimeoutError:
                continue
            status = answer.split(b" ", 2)[1]
            if not answer.startswith(b"SIP/2.0") or status.startswith(b"1"):
                continue
            headers = dict(
                line.split(b":", 1) for line in answer.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]
            )
            self._to = b"To:" + headers[b"To"]
            if b"Contact" in headers:
                self._target = headers[b"Contact"].strip().strip(b"<>").split(b">")[0]
            self._send(b"ACK", 1)
            return status
        return b"none"

    def hang_up(self) -> None:
        """End the call, whatever is answered."""
        self._send(b"BYE", 2)
        self._socket.close()

    def _send(self, method: bytes, number: int, body: bytes = b"") -> None:
        via = f"SIP/2.0/UDP {TRUNK}:{self._port};branch=z9hG4bK{method.decode()}{self._id}"
        target = self._uri if method == b"INVITE" else self._target
        lines = [
            method + b" " + target + b" SIP/2.0",
            b"Via: " + via.encode(),
            self._from,
            self._to,
            b"Call-ID: " + self._id.encode(),
            b"CSeq: %d " % number + method,
            f"Contact: <sip:caller@{TRUNK}:{self._port}>".encode(),
            b"Max-Forwards: 70",
            *((b"Content-Type: application/sdp",) if body else ()),
            b"Content-Length: %d" % len(body),
        ]
        self._socket.send(b"\r\n".join(lines) + b"\r\n\r\n" + body)
