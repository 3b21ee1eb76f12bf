"""A raw scan of a whole file system finds audio and key before a purge, and neither after it."""

import asyncio
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.shredder import DiskShredder
from recorder.adapters.spool import DiskSpool
from recorder.custody.rules import describe, folder_of
from tests.builders import IN_SCOPE, NOON, a_call
from tests.builders_keeping import numbered
from tests.contracts.test_keeping import WARSAW
from tests.fakes import FakeClock
from tests.keys import a_vault
from tests.postgres.test_erasing import eraser

pytestmark = pytest.mark.postgres
SIZE_MIB = 64
OLD = NOON - timedelta(days=31)


def may_mount() -> bool:
    found = all(shutil.which(each) for each in ("mkfs.ext4", "losetup", "mount"))
    if not found or os.geteuid() != 0:
        return False
    return subprocess.run(["losetup", "-f"], capture_output=True, check=False).returncode == 0


@contextmanager
def mounted(image: Path, where: Path) -> Iterator[None]:
    subprocess.run(["mount", "-o", "loop", str(image), str(where)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(where)], check=True)


def is_on(image: Path, wanted: bytes) -> bool:
    """Read the whole device, used or free, once everything is on it."""
    os.sync()
    return wanted in image.read_bytes()


@pytest.mark.skipif(not may_mount(), reason="needs root and a loop device")
def test_after_a_purge_neither_audio_nor_key_is_on_the_device(
    database_url: str, tmp_path: Path
) -> None:
    """R7.2e: the scan is shown to find them first; the spool's plaintext goes at sealing."""
    image, where = tmp_path / "disk.img", tmp_path / "disk"
    where.mkdir()
    image.touch()
    os.truncate(image, SIZE_MIB << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    marker = secrets.token_bytes(64)
    with mounted(image, where):
        (where / "spool").mkdir()
        spool, vault = DiskSpool(where / "spool"), a_vault(where)
        recording_id = numbered(1)[0]
        raw = spool.audio_path(recording_id)
        raw.write_bytes(marker * 4000)
        assert is_on(image, marker), "the spool holds the caller's voice in the clear"
        asyncio.run(seal(database_url, where, 1, raw))
        assert is_on(image, marker)
        spool.wipe_audio(recording_id)
        assert not is_on(image, marker), "sealed, it is on the device no more"
        (key,) = (where / "keys").glob(f"{recording_id}*")
        (file,) = (where / "vault").rglob("*.rec")
        secret, ciphertext = key.read_bytes(), file.read_bytes()
        middle = ciphertext[len(ciphertext) // 2 :][:64]
        assert is_on(image, secret)
        assert is_on(image, ciphertext[-64:])
        assert is_on(image, middle)
        asyncio.run(purge(database_url, where))
        for gone in (marker, secret, secret[-32:], middle, ciphertext[:64], ciphertext[-64:]):
            assert not is_on(image, gone)
        assert not list(vault.present())


async def purge(url: str, where: Path) -> None:
    async with connect(url) as engine:
        shredder = DiskShredder(where / "vault", a_vault(where))
        report = await eraser(engine, shredder, FakeClock()).run()
    assert (report.erased, report.failed) == (1, 0)


@pytest.mark.skipif(not may_mount(), reason="needs root and a loop device")
def test_an_immutable_file_and_a_read_only_vault_stop_no_other(
    database_url: str, tmp_path: Path
) -> None:
    """P8: chattr +i on one file; then the whole file system read-only; then both put right."""
    image, where = tmp_path / "disk.img", tmp_path / "disk"
    where.mkdir()
    image.touch()
    os.truncate(image, SIZE_MIB << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    folder = folder_of(OLD)

    async def run() -> tuple[int, int, int]:
        async with connect(database_url) as engine:
            shredder = DiskShredder(where / "vault", a_vault(where))
            report = await eraser(engine, shredder, FakeClock()).run()
        return report.erased, report.finished, report.failed

    with mounted(image, where):
        vault = a_vault(where)
        ids = []
        for number in range(3):
            raw = tmp_path / "audio.raw"
            raw.write_bytes(bytes(6400))
            asyncio.run(seal(database_url, where, number, raw))
            ids.append(numbered(number)[0])
        stuck = where / "vault" / folder / f"{ids[1]}.rec"
        subprocess.run(["chattr", "+i", str(stuck)], check=True)
        assert asyncio.run(run()) == (2, 0, 1)
        assert not vault._keys.holds(ids[1]), "the key is gone: nobody can hear it"
        subprocess.run(["mount", "-o", "remount,ro", str(where)], check=True)
        assert asyncio.run(run()) == (0, 0, 1)
        subprocess.run(["mount", "-o", "remount,rw", str(where)], check=True)
        subprocess.run(["chattr", "-i", str(stuck)], check=True)
        assert asyncio.run(run()) == (0, 1, 0)
        assert not list(vault.present())
    # Not mounted: the folder of its day is not there, so nothing is called gone.
    assert not (where / "vault").exists()


async def seal(url: str, where: Path, number: int, raw: Path) -> None:
    recording_id, call_id = numbered(number)
    call = a_call(
        id=call_id,
        channel_id=str(number),
        scope=IN_SCOPE,
        consent=IN_SCOPE,
        recording_id=recording_id,
        arrived_at=OLD,
        ended_at=OLD,
    )
    audio = await a_vault(where).store(recording_id, raw=raw, folder=folder_of(OLD))
    recording = describe(call, audio, retention_days=30, office_zone=WARSAW, now=OLD)
    path = where / "vault" / folder_of(OLD) / f"{recording_id}.rec"
    os.utime(path, (OLD.timestamp(), OLD.timestamp()))
    async with connect(url) as engine:
        ledger = PostgresLedger(engine)
        await ledger.record_call(call, recording=recording, incidents=[], at=OLD)
