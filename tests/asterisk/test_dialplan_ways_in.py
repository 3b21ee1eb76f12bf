"""The three ready ways in, as they are shipped: an Asterisk of one's own, a gateway, FreePBX."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from recorder.embedded import sipp, tones
from recorder.embedded.asterisk import ensure_package, ensure_rootfs
from recorder.embedded.asterisk_config import DESK, TRUNK
from recorder.embedded.postgres import free_port
from recorder.embedded.sipp_scenarios import CALLER, CALLER_IS_LEFT, DESK_ANSWERS, HEAD, SDP
from tests.asterisk.bare import DIALPLAN, Application, BareAsterisk, application, probe
from tests.asterisk.conftest import CACHE

pytestmark = pytest.mark.asterisk

LINE = "746640800"
OUTSIDE = "0600700800"

REFUSES = """<recv request="INVITE"/>
<send><![CDATA[
SIP/2.0 {code} No
[last_Via:]
[last_From:]
[last_To:];tag=[pid]r[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:{outside}@192.0.2.99>
Content-Length: 0
]]></send>
<recv request="ACK"/>
</scenario>
"""

IS_REFUSED = """<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="{code}"/>
<send><![CDATA[
ACK sip:{line}@[remote_ip]:[remote_port] SIP/2.0
[last_Via:]
From: {display}<sip:{number}@[local_ip]:[local_port]>;tag=[pid]c[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Content-Length: 0
]]></send>
</scenario>
"""

FREEPBX = """
[globals]
#include "globals_custom.conf"

[from-trunk]
; FreePBX's own, in short.
exten => _X.,1,Dial(PJSIP/desk,30)

[outbound]
exten => _X.,1,Gosub(macro-dialout-trunk-predial-hook,s,1())
 same => n,Dial(PJSIP/desk,30)

#include "extensions_custom.conf"
"""

_numbers = count(602_000_000)


def shipped(name: str) -> str:
    return (DIALPLAN / name).read_text(encoding="utf-8")


def in_place(asterisk: BareAsterisk, text: str) -> str:
    """Put this machine's values where the shipped file has its examples."""
    for name, value in {
        "RECORDER_PROBE_URL=http://127.0.0.1:8090/probe": "RECORDER_PROBE_URL",
        "RECORDER_SPOOL=/var/spool/rejestrator": "RECORDER_SPOOL",
        "RECORDER_WATCHDOG=45": "RECORDER_WATCHDOG",
    }.items():
        assert name in text
        text = text.replace(name, f"{value}={asterisk.globals[value]}")
    return text


def existing(asterisk: BareAsterisk) -> Mapping[str, str]:
    return {
        "rejestrator/recorder.conf": shipped("recorder.conf"),
        "extensions.conf": in_place(asterisk, shipped("existing-asterisk.conf")),
        "pjsip.conf": pjsip_of(asterisk).replace("context=from-trunk\n", "context=from-operator\n"),
    }


def gateway(asterisk: BareAsterisk) -> Mapping[str, str]:
    ports = {
        "0.0.0.0:5060": f"127.0.0.1:{asterisk.sip_port}",
        "198.51.100.10:5060": f"{TRUNK}:{asterisk.ari_port}",
        "192.0.2.20:5060": f"{DESK}:{asterisk.desk_port}",
        "198.51.100.10": TRUNK,
        "192.0.2.20": DESK,
    }
    pjsip = shipped("gateway/pjsip.conf")
    for example, here in ports.items():
        pjsip = pjsip.replace(example, here)
    # Where nothing resolves, Asterisk would ask for its own name with every call.
    pjsip = pjsip.replace("direct_media=no", "direct_media=no\nmedia_address=127.0.0.1")
    return {
        "rejestrator/recorder.conf": shipped("recorder.conf"),
        "extensions.conf": in_place(asterisk, shipped("gateway/extensions.conf")),
        "pjsip.conf": pjsip,
        "indications.conf": asterisk.sample("indications.conf"),
    }


def freepbx(asterisk: BareAsterisk) -> Mapping[str, str]:
    return {
        "rejestrator/recorder.conf": shipped("recorder.conf"),
        "globals_custom.conf": in_place(asterisk, shipped("freepbx/globals_custom.conf")),
        "extensions_custom.conf": shipped("freepbx/extensions_custom.conf"),
        "extensions.conf": FREEPBX,
        "pjsip.conf": pjsip_of(asterisk).replace(
            "context=from-trunk\n", "context=from-trunk-recorded\n"
        ),
    }


def pjsip_of(asterisk: BareAsterisk) -> str:
    return (asterisk.directory / "etc/pjsip.conf").read_text(encoding="utf-8")


WAYS = {"existing": existing, "gateway": gateway, "freepbx": freepbx}


@pytest.fixture(scope="module")
def probe_port() -> int:
    return free_port()


@pytest.fixture(scope="module", params=WAYS)
def asterisk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, probe_port: int
) -> Iterator[BareAsterisk]:
    rootfs = ensure_rootfs(CACHE, print)
    ensure_package("sipp", "sip-tester", print)
    folder = tmp_path_factory.mktemp(request.param)
    with BareAsterisk(rootfs, folder, probe_port=probe_port, files=WAYS[request.param]) as bare:
        yield bare


@pytest.fixture
def number() -> str:
    return str(next(_numbers))


@pytest.fixture
def desk(asterisk: BareAsterisk, number: str) -> Iterator[Path]:
    """The PBX, or the desk; yields the SIP messages that it saw."""
    folder = asterisk.directory / f"desk-{number}"
    with sipp.desk(folder, port=asterisk.desk_port):
        yield folder


@asynccontextmanager
async def capture(
    asterisk: BareAsterisk, probe_port: int, recording_id: str
) -> AsyncIterator[Application]:
    """An application that records every call that it gets."""
    release = f"decided.stayed_on_the_line.{recording_id}"
    async with application(asterisk, release=release) as app:
        with probe(probe_port, b"ok"):
            yield app


async def place(asterisk: BareAsterisk, number: str, **what: object) -> None:
    caller = sipp.Caller(**{"number": number, "line": LINE, "marker_s": 0.0, **what})  # type: ignore[arg-type]
    folder = asterisk.directory / f"caller-{number}"
    with sipp.call(folder, caller, sip_port=asterisk.sip_port) as placed:
        assert await asyncio.to_thread(placed.wait, timeout_s=60) == 0


def run(folder: Path, name: str, parts: list[str], address: str, arguments: list[str]) -> sipp.Sipp:
    folder.mkdir(parents=True, exist_ok=True)
    scenario = folder / f"{name}.xml"
    scenario.write_text("".join([HEAD.format(name=name), *parts]), encoding="utf-8")
    return sipp.Sipp(folder, ["-sf", str(scenario), "-i", address, "-t", "u1", *arguments])


def answers(folder: Path, address: str, port: int) -> sipp.Sipp:
    """Somebody who takes every call, and keeps the messages."""
    folder.mkdir(parents=True, exist_ok=True)
    sound = folder / "office.alaw"
    tones.write_alaw(sound, tones.sine(tones.OFFICE_HZ, 10))
    words = {"sdp": SDP, "sound": str(sound), "ring_ms": 200}
    parts = [
        DESK_ANSWERS.format(**words),
        CALLER_IS_LEFT.format(patience_ms=600_000),
    ]
    media = ["-mi", address, "-mp", str(free_port() // 2 * 2)]
    kept = ["-trace_msg", "-message_file", str(folder / "messages")]
    return run(folder, "answers", parts, address, ["127.0.0.1", "-p", str(port), *media, *kept])


def refuses(folder: Path, port: int, code: int) -> sipp.Sipp:
    parts = [REFUSES.format(code=code, outside=OUTSIDE)]
    return run(folder, "refuses", parts, DESK, ["127.0.0.1", "-p", str(port)])


def invite_in(folder: Path) -> str:
    """Return the first INVITE that was received."""
    text = (folder / "messages").read_text(encoding="utf-8", errors="replace")
    return text[text.index("INVITE sip:") :].split("-----", 1)[0]


def test_it_loads_without_a_word_of_complaint(asterisk: BareAsterisk) -> None:
    asterisk.cli("dialplan reload")
    for context in ("recorder", "inbound@recorder", "leaving@recorder"):
        assert "There is no existence" not in asterisk.cli(f"dialplan show {context}")
    told = re.compile(r"\] (pbx_|config.c|res_pjsip/|res_sorcery_config.*'pjsip.conf')")
    wrong = [line for line in asterisk.complaints() if told.search(line)]
    assert wrong == []


async def test_a_call_from_outside_is_recorded(
    asterisk: BareAsterisk, probe_port: int, number: str, desk: Path
) -> None:
    recording_id = str(uuid4())
    async with capture(asterisk, probe_port, recording_id) as app:
        await place(asterisk, number, talk_s=2.0)
    assert len(app.arrivals) == 1
    raw = (asterisk.spool / f"{recording_id}.raw").read_bytes()
    samples = np.frombuffer(raw, dtype="<i2").reshape(-1, 2) / 32768
    assert len(samples) > 1.5 * tones.SAMPLE_RATE
    assert tones.share_of(samples[:, 0], tones.CALLER_HZ) > 0.95
    assert tones.share_of(samples[:, 1], tones.OFFICE_HZ) > 0.95


async def test_a_call_from_outside_gets_through_without_capture(
    asterisk: BareAsterisk, number: str, desk: Path
) -> None:
    """R5.1b."""
    await place(asterisk, number, talk_s=1.0)
    log = (asterisk.spool / "bypassed.log").read_text(encoding="ascii")
    assert "|app_absent|" in log


@pytest.mark.parametrize("asterisk", ["gateway"], indirect=True, scope="module")
class TestGateway:
    """What is the gateway's alone."""

    async def test_number_and_caller_pass_unchanged(
        self, asterisk: BareAsterisk, number: str
    ) -> None:
        folder = asterisk.directory / f"pbx-{number}"
        with answers(folder, DESK, asterisk.desk_port):
            await place(asterisk, number, talk_s=1.0, display='"Jan Kowalski" ')
        invite = invite_in(folder)
        assert invite.startswith(f"INVITE sip:{LINE}@")
        assert f'From: "Jan Kowalski" <sip:{number}@' in invite

    async def test_a_call_to_the_outside_is_never_touched(
        self, asterisk: BareAsterisk, probe_port: int, number: str
    ) -> None:
        """R3.4b."""
        folder = asterisk.directory / f"operator-{number}"
        recording_id = str(uuid4())
        async with capture(asterisk, probe_port, recording_id) as app:
            with answers(folder, TRUNK, asterisk.ari_port):
                await place(asterisk, number, talk_s=1.0, line=OUTSIDE, address=DESK)
        assert app.arrivals == []
        assert list(asterisk.spool.glob(f"{recording_id}*")) == []
        invite = invite_in(folder)
        assert invite.startswith(f"INVITE sip:{OUTSIDE}@")
        assert f"<sip:{number}@" in invite

    @pytest.mark.parametrize("code", [486, 404, 480, 503])
    async def test_a_refusal_goes_back_with_its_cause(
        self, asterisk: BareAsterisk, number: str, code: int
    ) -> None:
        words = {
            "line": LINE,
            "number": number,
            "display": "",
            "sdp": SDP,
            "sound": "",
        }
        invite = CALLER.format(**words).split("<recv", 1)[0]
        parts = [invite, IS_REFUSED.format(code=code, **words)]
        with refuses(asterisk.directory / f"pbx-{number}", asterisk.desk_port, code):
            target = [f"127.0.0.1:{asterisk.sip_port}", "-m", "1", "-mi", TRUNK]
            folder = asterisk.directory / f"caller-{number}"
            with run(folder, "refused", parts, TRUNK, target) as placed:
                assert await asyncio.to_thread(placed.wait, timeout_s=20) == 0

    async def test_who_was_announced_and_finds_the_office_busy_hears_it(
        self, asterisk: BareAsterisk, probe_port: int, number: str
    ) -> None:
        """Answered for the announcement: a tone for 8 s, then the gateway hangs up."""
        words = {"line": LINE, "number": number, "display": "", "sdp": SDP}
        folder = asterisk.directory / f"caller-{number}"
        folder.mkdir()
        tones.write_alaw(folder / "caller.alaw", tones.sine(tones.CALLER_HZ, 20))
        invite = CALLER.format(**words, sound=folder / "caller.alaw")
        parts = [invite, CALLER_IS_LEFT.format(patience_ms=12_000)]
        recording_id = str(uuid4())
        async with capture(asterisk, probe_port, recording_id):
            with refuses(asterisk.directory / f"pbx-{number}", asterisk.desk_port, 486):
                target = [f"127.0.0.1:{asterisk.sip_port}", "-m", "1", "-mi", TRUNK]
                with run(folder, "told", parts, TRUNK, target) as placed:
                    assert await asyncio.to_thread(placed.wait, timeout_s=20) == 0
        raw = asterisk.spool / f"{recording_id}.raw"
        assert not raw.exists() or raw.stat().st_size == 0
        assert [line for line in asterisk.complaints() if "playtones" in line] == []

    async def test_a_caller_redirected_to_the_outside_gets_there_unrecorded(
        self, asterisk: BareAsterisk, probe_port: int, number: str
    ) -> None:
        """R3.4h: a 302 of the PBX."""
        recording_id = str(uuid4())
        there = asterisk.directory / f"operator-{number}"
        async with capture(asterisk, probe_port, recording_id) as app:
            with (
                refuses(asterisk.directory / f"pbx-{number}", asterisk.desk_port, 302),
                answers(there, TRUNK, asterisk.ari_port),
            ):
                await place(asterisk, number, talk_s=3.0)
        assert len(app.arrivals) == 1
        assert invite_in(there).startswith(f"INVITE sip:{OUTSIDE}@")
        raw = asterisk.spool / f"{recording_id}.raw"
        assert not raw.exists() or raw.stat().st_size == 0
