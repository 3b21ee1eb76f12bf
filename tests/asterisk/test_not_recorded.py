"""Who is not recorded leaves no audio, not for a moment; who sends rubbish leaves it as data."""

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from recorder.embedded.asterisk_config import OTHER_TRUNK, PHONE
from recorder.embedded.office import Office
from tests.asterisk.inotify import watching
from tests.asterisk.observed import (
    a_number,
    begin,
    place,
    row_of,
    rows,
    seen_of,
    wait_until,
)
from tests.asterisk.telephone import Telephone

pytestmark = [pytest.mark.asterisk, pytest.mark.usefixtures("desk")]


def test_no_audio_comes_into_being_of_whoever_is_not_recorded(office: Office) -> None:
    """Promise 2, R3.4a, R3.4b, RK.2b, RG.1: the kernel watches the spool meanwhile."""
    kinds: dict[str, dict[str, Any]] = {
        "not_from_a_trunk": {"talk_s": 2.0, "address": OTHER_TRUNK},
        "caller_left": {"talk_s": 0.7},
        "declined": {"talk_s": 3.0, "key": "2"},
    }
    for step in ("1,Gosub(recorder,leaving,1)", "2,Dial(PJSIP/desk)"):
        office.asterisk.cli(f"dialplan add extension _8X.,{step} into from-internal")
    with watching(office.spool) as watched:
        internal, placed = begin(office, talk_s=2.0, line="desk", address=PHONE)
        outbound, leaving = begin(office, talk_s=2.0, line="8600700800", address=PHONE)
        callers = {reason: begin(office, **what) for reason, what in kinds.items()}
        for each in (placed, leaving, *(caller for _, caller in callers.values())):
            assert each.wait(timeout_s=30) == 0
        for reason, (number, _) in callers.items():
            row = row_of(office, number)
            assert (row["outcome"], row["reason"]) == ("not_recorded", reason)
            assert (row["answered_by"] == "desk") == (reason == "declined")
    assert watched.came, "the watch itself works: journals came"
    assert watched.audio_that_came() == set()
    for number in (internal, outbound):
        assert rows(office, "SELECT 1 FROM call WHERE caller_number = %s", number) == []


WIPE = """
import os, sys
from pathlib import Path
from uuid import UUID
from recorder.adapters.spool import DiskSpool
os.setgroups([])
os.setgid({group})
os.setuid({user})
DiskSpool(Path(".")).wipe_audio(UUID("{audio}"))
"""
CAPTURE, SHARED = 64_001, 64_002
"""A user that is not Asterisk's, and the group that both are in."""


def test_an_unanswered_call_has_no_byte_and_capture_may_wipe_its_file(office: Office) -> None:
    """R3.4e, ADR 0009; the file is Asterisk's, and another user of the group removes it."""
    os.chown(office.spool, -1, SHARED)
    files: list[os.stat_result] = []
    with watching(office.spool) as watched:
        number, placed = begin(office, talk_s=4.0, line="746640813", is_cut=True)
        wait_until(lambda: any(office.spool.glob("*.raw")), 10)
        (audio,) = office.spool.glob("*.raw")
        files.append(audio.stat())
        script = WIPE.format(user=CAPTURE, group=SHARED, audio=audio.stem)
        subprocess.run([sys.executable, "-c", script], cwd=office.spool, check=True)
        assert not audio.exists()
        placed.wait(timeout_s=30)
        row = row_of(office, number)
    assert (row["outcome"], row["reason"]) == ("not_recorded", "not_answered")
    assert watched.audio_that_came() == {audio.name}
    assert watched.audio_written() == set()
    assert stat.S_IMODE(files[0].st_mode) == 0o660
    assert files[0].st_gid == SHARED


HOSTILE_NAMES = [
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "'); DROP TABLE call;--",
    "../../etc/passwd",
    "$(reboot) ${SHELL(id)} `id`",
    "line%0abreak%0d%0aX-Header: 1",
    "\x1b[31mred\x01",
    "\u202egnp.exe",
    "Zażółć gęślą Їжак ☎",
    "x" * 300,
]
HOSTILE_NUMBERS = ["../../etc/passwd", "'--;DROP TABLE call", "$(reboot)", "anonymous", ""]


BY_EITHER = "SELECT * FROM call WHERE caller_number = %s OR caller_name = %s"


def is_there(office: Office, who: str) -> bool:
    return len(rows(office, BY_EITHER, who, who)) == 1


def as_header(name: str, number: str) -> bytes:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <sip:{number or "x"}@127.0.0.2>'.encode()


def test_what_hostile_callers_send_arrives_as_data_and_nowhere_else(office: Office) -> None:
    """B3, RG.7: fifteen at once, each wholly in its row; the checker searches logs and names."""
    seen = seen_of[office.directory]
    expected: dict[str, tuple[str, str]] = {}
    telephones = []
    for name in HOSTILE_NAMES:
        number = a_number()
        expected[number] = (number, name)
        telephones.append(as_header(name, number))
    for index, number in enumerate(HOSTILE_NUMBERS):
        name = f"Hostile Number {index}"
        expected[name] = (number, name)
        telephones.append(as_header(name, number))
    port = office.asterisk.sip_port

    def call(caller: bytes) -> bytes:
        telephone = Telephone(port, caller=caller, line="746640800")
        status = telephone.call(within_s=3)
        telephone.hang_up()
        return status

    with ThreadPoolExecutor(len(telephones)) as at_once:
        statuses = list(at_once.map(call, telephones))
    seen.names += [name for _, name in expected.values() if len(name) > 4]
    accepted = [who for who, status in zip(expected, statuses, strict=True) if status == b"200"]
    assert len(accepted) >= 12
    for who in accepted:
        number, name = expected[who]
        wait_until(partial(is_there, office, who), 20)
        (row,) = rows(office, BY_EITHER, who, who)
        assert row["reason"] == "caller_left"
        if who == name:
            assert row["caller_number"] in {number, "x"}
        else:
            # Asterisk keeps so many bytes of a name.
            assert name.startswith(row["caller_name"])
            assert len(row["caller_name"].encode()) >= min(79, len(name.encode()))


def test_a_name_that_is_no_utf_8_costs_its_character(office: Office) -> None:
    """B1, B3."""
    number = a_number()
    header = b'"Kowa\xb3ski" <sip:' + number.encode() + b"@127.0.0.2>"
    telephone = Telephone(office.asterisk.sip_port, caller=header, line="746640800")
    assert telephone.call() == b"200"
    telephone.hang_up()
    row = row_of(office, number)
    assert row["caller_name"].startswith("Kowa")
    assert row["caller_name"].endswith("ski")


def test_what_nobody_seals_is_told_at_the_start_and_left_alone(office: Office) -> None:
    """R3.4g, F15: and once, however often capture starts."""
    orphan = office.spool / "01a21000-0000-7000-8000-000000000001.raw"
    too_new = office.spool / "01a21000-0000-7000-8000-000000000002.journal"
    orphan.write_bytes(bytes(32_000))
    os.utime(orphan, (0, 0))
    too_new.write_bytes(b'{"v":99,"kind":"from:tomorrow"}\n')
    told = "SELECT kind FROM incident WHERE detail LIKE %s"

    def is_told() -> bool:
        return all(rows(office, told, f"%{each.stem}%") for each in (orphan, too_new))

    for _ in range(2):
        office.kill_capture()
        office.start_capture()
        wait_until(is_told, 10)
        assert place(office, talk_s=0.5)
    assert rows(office, told, f"%{orphan.stem}%") == [{"kind": "orphan_audio"}]
    assert rows(office, told, f"%{too_new.stem}%") == [{"kind": "journal_unreadable"}]
    assert orphan.stat().st_size == 32_000
    for each in (orphan, too_new):
        each.unlink()
