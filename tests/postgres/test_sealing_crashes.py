"""Sealing dies at every step, the power fails at every step, fsync fails once (F11, F16, F17).

Real files, a real PostgreSQL, real processes; see ``tests/crashes.py``.
"""

import asyncio
import hashlib
import shutil
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from recorder.adapters.journals import DiskJournals
from recorder.capture.journal import entry
from recorder.embedded.postgres import EmbeddedPostgres
from recorder.model import CallId, RecordingId
from tests.builders import IN_SCOPE, NOON
from tests.crashes import Run, Stage
from tests.keys import a_vault
from tests.postgres.conftest import create, url_of

pytestmark = pytest.mark.postgres
CALL, RECORDING = CallId(UUID(int=1)), RecordingId(UUID(int=2))
SECONDS = 20
AUDIO = bytes(range(256)) * (SECONDS * 32_000 // 256)
_names = count(1)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage("tests.postgres.sealing") as stage:
        yield stage


class World:
    """The spool of one ended call, an empty vault and an empty database."""

    def __init__(self, directory: Path, postgres: EmbeddedPostgres) -> None:
        self._database = f"crash_{next(_names)}"
        create(postgres, self._database, template="template")
        self._url = url_of(postgres, self._database)
        self.directory = directory / self._database
        self.spool, self.vault = self.directory / "spool", self.directory / "vault"
        for each in (self.spool, self.directory / "announcements"):
            each.mkdir(parents=True)
        a_vault(self.directory)
        (self.spool / f"{RECORDING}.raw").write_bytes(AUDIO)
        journals = DiskJournals(self.spool)
        permitted = {"record": True, "reason": IN_SCOPE.reason, "rule_version": "1"}
        arrival = {
            "call_id": str(CALL),
            "node": "pbx1",
            "channel_id": "1.1",
            "endpoint": "operator",
            "context": "from-operator",
            "line": "746640800",
            "caller_number": "600123456",
        }
        chosen = {"recording_id": str(RECORDING), "mode": "opt_out"}
        for after_s, kind, fields in (
            (0, "call:entered", arrival),
            (0, "scope:decided", permitted),
            (5, "consent:decided", permitted | chosen),
            (10, "line:changed", {"bridged": True, "parties": ["desk"]}),
            (10 + SECONDS, "call:ended", {"cause": 16}),
        ):
            at = NOON + timedelta(seconds=after_s)
            journals.append(CALL, entry(kind, at, fields), durable=False)
        journals.close(CALL)

    @property
    def arguments(self) -> tuple[str, str]:
        return str(self.directory), self._url

    def rows(self) -> list[dict[str, object]]:
        query = """SELECT call.id, reason, recording.id AS recording_id, stored_on, sha256, frames
                   FROM call LEFT JOIN recording ON call_id = call.id"""
        with psycopg.connect(self._url.replace("+psycopg", ""), row_factory=dict_row) as connection:
            return connection.execute(query).fetchall()

    def files(self) -> dict[str, str]:
        """Return every file of spool and vault with the hash of its bytes."""
        found = (each for each in self.directory.rglob("*") if each.is_file())
        return {
            str(each.relative_to(self.directory)): hashlib.sha256(each.read_bytes()).hexdigest()
            for each in found
        }

    def assert_nothing_is_lost(self, run: Run) -> None:
        """Not sealed: the spool has all of it. Sealed: the vault has all of it."""
        rows, files = self.rows(), self.files()
        if rows:
            self.assert_sealed(run)
            return
        assert files[f"spool/{RECORDING}.raw"] == hashlib.sha256(AUDIO).hexdigest(), run
        assert f"spool/{CALL}.journal" in files, run

    def assert_sealed(self, run: Run) -> None:
        """I1, I2, I4: one row, one recording, its file whole (F17: and durable before the row)."""
        (row,) = self.rows()
        assert row["recording_id"] == RECORDING, run
        assert row["frames"] == SECONDS * 8000, run
        kept = a_vault(self.directory).digest(RECORDING, folder=str(row["stored_on"]))
        assert asyncio.run(kept) == row["sha256"], run

    def assert_done(self, run: Run) -> None:
        self.assert_sealed(run)
        left = [each for each in self.files() if Path(each).suffix in {".raw", ".journal", ".part"}]
        assert left == [], run
        assert len(list(self.vault.rglob(f"{RECORDING}.*"))) == 1, run

    def forget(self, postgres: EmbeddedPostgres) -> None:
        shutil.rmtree(self.directory)
        with psycopg.connect(postgres.plain_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {self._database} WITH (FORCE)".encode())


@pytest.mark.parametrize("power_cut", [False, True], ids=["kill", "power cut"])
def test_sealing_that_dies_at_any_step_is_finished_by_the_next_start(
    stage: Stage, postgres: EmbeddedPostgres, tmp_path: Path, power_cut: bool
) -> None:
    """F16, F17, RG.5: whole or absent after every step; the run after that changes nothing."""
    worlds: list[World] = []

    def prepare() -> tuple[str, tuple[str, str]]:
        worlds.append(World(tmp_path, postgres))
        return "seal_all", worlds[-1].arguments

    deaths = 0
    for run in stage.every_crash(prepare, power_cut=power_cut):
        world = worlds[-1]
        deaths += run.died_at is not None
        world.assert_nothing_is_lost(run)
        assert stage.run("seal_all", world.arguments).died_at is None
        world.assert_done(run)
        before = world.rows(), world.files()
        again = stage.run("seal_all", world.arguments)
        assert again.steps == (), "a run with nothing to seal does nothing"
        assert (world.rows(), world.files()) == before
        world.forget(postgres)
    assert deaths >= 15, "there are steps to die at"
    assert "commit" in run.steps


def test_what_an_fsync_refused_is_written_anew_not_synced_again(
    stage: Stage, postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    """F11: after a failed fsync the pages may be gone though a second one succeeds."""
    failed = 0
    for nth in range(1, 50):
        world = World(tmp_path, postgres)
        run = stage.run("seal_all", world.arguments, fail_fsync=nth)
        world.assert_done(run)
        world.forget(postgres)
        broken = [number for number, step in enumerate(run.steps) if step.startswith("failed")]
        if not broken:
            break
        failed += 1
        name = run.steps[broken[0]].split()[-1]
        if name == f"{RECORDING}.part":
            after = run.steps[broken[0] + 1 :]
            renamed = next(i for i, step in enumerate(after) if step.startswith("rename"))
            assert f"open {RECORDING}.part" in after[:renamed], (
                f"synced again, not written anew: {after}"
            )
    assert failed >= 5


def test_the_row_is_committed_after_the_file_is_on_disk(
    stage: Stage, postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    """F17: file → name → directory → commit → spool wiped."""
    world = World(tmp_path, postgres)
    steps = stage.run("seal_all", world.arguments).steps
    day = f"{NOON:%d}"
    order = (
        f"fsync {RECORDING}.part",
        f"rename {RECORDING}.rec",
        f"fsync {day}",
        "commit",
        f"unlink {RECORDING}.raw",
        f"unlink {CALL}.journal",
    )
    places = [steps.index(each, steps.index(order[1]) if each == order[2] else 0) for each in order]
    assert places == sorted(places), steps
