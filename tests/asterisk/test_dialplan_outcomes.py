"""What the subroutine leaves of a call: its outcome in the PBX's own record, its line."""

import asyncio
import base64
import csv
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest

from recorder.embedded import sipp
from recorder.embedded.asterisk import ensure_package, ensure_rootfs
from recorder.embedded.postgres import free_port
from tests.asterisk.bare import DIALPLAN, BareAsterisk, application, probe
from tests.asterisk.conftest import CACHE
from tests.asterisk.observed import wait_until

pytestmark = pytest.mark.asterisk

_numbers = count(603_000_001)
OUT_AGAIN = r"""
[from-trunk](+)
; A forward to the outside by the office's own routing.
exten => 746640930,1,Gosub(recorder,inbound,1(${EXTEN}))
 same => n,Gosub(recorder,leaving,1)
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
    with (
        BareAsterisk(
            rootfs,
            tmp_path_factory.mktemp("outcomes"),
            probe_port=probe_port,
            dialplan=OUT_AGAIN,
            files=lambda _: {"cdr_custom.conf": records},
        ) as bare,
        sipp.desk(bare.directory / "desk", port=bare.desk_port),
    ):
        yield bare


async def place(asterisk: BareAsterisk, **what: str) -> str:
    number = str(next(_numbers))
    caller = sipp.Caller(**{"number": number, "marker_s": 0.0, "talk_s": 0.5, **what})  # type: ignore[arg-type]
    folder = asterisk.directory / f"caller-{number}"
    with sipp.call(folder, caller, sip_port=asterisk.sip_port) as placed:
        assert await asyncio.to_thread(placed.wait, timeout_s=30) == 0
    return number


def outcome_in_the_record(asterisk: BareAsterisk, number: str) -> str:
    """Return the last field of the PBX's own record of this caller's call."""
    path = asterisk.directory / "log/cdr-custom/rejestrator.csv"
    wait_until(lambda: path.exists() and number in path.read_text(), 5)
    (record,) = [each for each in csv.reader(path.read_text().splitlines()) if number in each]
    return record[-1]


@pytest.mark.parametrize(
    ("release", "line", "outcome"),
    [
        ("decided.declined", "746640800", "declined"),
        ("decided.stayed_on_the_line.{id}", "746640800", "stayed_on_the_line"),
        ("decided.stayed_on_the_line.{id}", "746640930", "stopped_outside"),
    ],
)
async def test_the_outcome_stands_in_the_pbxs_own_record(
    asterisk: BareAsterisk, probe_port: int, release: str, line: str, outcome: str
) -> None:
    """R3.4f."""
    async with application(asterisk, release=release.format(id=uuid4())):
        with probe(probe_port, b"ok"):
            number = await place(asterisk, line=line)
    assert outcome_in_the_record(asterisk, number) == outcome


@pytest.mark.parametrize(
    "name", ["Firma) oddzial: glowny", "a)):)b:3", "(:):", ")" * 70 + ":5", "x:3:4", ""]
)
async def test_a_name_with_brackets_and_colons_is_kept_to_its_end(
    asterisk: BareAsterisk, name: str
) -> None:
    """RG.7, R5.1b."""
    number = await place(asterisk, display=f'"{name}" ')
    assert outcome_in_the_record(asterisk, number) == "app_absent"
    log = (asterisk.spool / "bypassed.log").read_text(encoding="ascii").splitlines()
    told = [[base64.b64decode(each).decode() for each in line.split("|")[4:]] for line in log]
    assert [(called, shown) for _, _, called, who, shown in told if who == number] == [
        ("746640800", name)
    ]


def test_the_shipped_configuration_writes_records_without_a_number(
    tmp_path: Path, asterisk: BareAsterisk
) -> None:
    """RG.13, R6.3d: with the modules that the container loads."""
    shipped = DIALPLAN.parent / "deploy/asterisk/etc"
    texts = {name: (shipped / name).read_text("utf-8") for name in ("cdr.conf", "modules.conf")}
    records = (shipped / "cdr_custom.conf").read_text("utf-8")
    # A path longer than 79 characters is cut: here the folder that Asterisk has for it.
    texts["cdr_custom.conf"] = records.replace("/var/spool/rejestrator/records/", "")
    bare = BareAsterisk(
        asterisk._rootfs,
        tmp_path / "asterisk",
        probe_port=free_port(),
        files=lambda _: texts,
    )
    written = bare.directory / "log/cdr-custom/rejestrator-calls.csv"
    with bare, sipp.desk(bare.directory / "desk", port=bare.desk_port):
        number = asyncio.run(place(bare))
        wait_until(written.exists, 5)
    (line,) = written.read_text("utf-8").splitlines()
    assert number not in line
    assert re.fullmatch(r"[0-9.]+,[0-9.]+,PJSIP/trunk-[0-9a-f]+,ANSWERED,[0-9.]+", line)
    assert list(bare.directory.glob("log/cdr-c*/*")) == [written]
