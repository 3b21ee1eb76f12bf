"""``recorder keys``: made once, rotated, and what was plain taken over whatever kills it."""

import asyncio
import hashlib
import os
import stat
import sys
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from recorder import cli
from recorder.accounts.model import AccountId
from recorder.adapters import wav
from recorder.adapters.factor_seal import seal_of
from recorder.adapters.totp import TotpBook
from recorder.settings import load_settings
from tests.crashes import Stage
from tests.keys import MASTER_KEY_TEXT, OTHER_SECRET, a_vault, some_keys
from tests.postgres.test_commands import REVEAL, Run, recorded, run, seal

pytestmark = pytest.mark.postgres
__all__ = ("recorded", "run")

ROOT = Path(__file__).parents[2]
ZENOBIA = AccountId(UUID(int=11))


def make_plain(database_url: str, tmp_path: Path, sealed: Path) -> bytes:
    """Turn one sealed recording into what an earlier release left: a WAV and no key."""
    recording_id = UUID(sealed.stem)
    folder = str(sealed.parent.relative_to(tmp_path / "vault"))
    vault = a_vault(tmp_path)
    plain = sealed.with_suffix(".wav")
    asyncio.run(vault.export(recording_id, folder=folder, target=plain))  # type: ignore[arg-type]
    asyncio.run(vault.destroy_key(recording_id))  # type: ignore[arg-type]
    sealed.unlink()
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        connection.execute("UPDATE recording SET sealed_as = 'wav' WHERE id = %s", [recording_id])
    return plain.read_bytes()


def forms(database_url: str) -> set[str]:
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        return {each[0] for each in connection.execute("SELECT sealed_as FROM recording")}


def test_a_master_key_is_made_once_and_binds_its_directory(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "master-key"
    monkeypatch.setenv("RECORDER_MASTER_KEY", "")
    monkeypatch.setenv("RECORDER_MASTER_KEY_FILE", str(file))
    monkeypatch.setenv("RECORDER_KEY_DIR", str(tmp_path / "new/keys"))
    said = run("keys", "init")
    assert said.status == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    assert before.decode().strip() not in said.out
    again = run("keys", "init")
    assert (again.status, "rotate" in again.err) == (1, True)
    assert file.read_bytes() == before


def test_the_first_second_factor_needs_no_writing_among_the_keys(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The web may only read them; nobody could set a second factor there before."""
    monkeypatch.setenv("RECORDER_MASTER_KEY", "")
    monkeypatch.setenv("RECORDER_MASTER_KEY_FILE", str(tmp_path / "master-key"))
    monkeypatch.setenv("RECORDER_KEY_DIR", str(tmp_path / "new/keys"))
    folder = tmp_path / "new/keys"
    assert run("keys", "init").status == 0
    before = {each.name: each.read_bytes() for each in folder.iterdir()}
    book = TotpBook(seal_of(load_settings()))
    secret = book.new_secret()
    assert book.opened(book.sealed(secret, ZENOBIA), ZENOBIA) == secret
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == before
    (folder / "accounts.key").unlink()
    assert run("keys", "init").status == 0, "an installation from before gets what it lacks"
    assert book.opened(book.sealed(secret, ZENOBIA), ZENOBIA) == secret


def test_without_the_right_master_key_nothing_is_read(
    run: Run, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RG.4: a clear refusal, before any recording is called damaged."""
    for value, says in (("", "keys init"), ("00" * 32, "not the one"), ("hush", "32 bytes")):
        monkeypatch.setenv("RECORDER_MASTER_KEY", value)
        said = run("recordings", "verify", "--all")
        assert (said.status, said.out) == (2, "")
        assert says in said.err
        assert "hush" not in said.err


def test_a_rotation_ends_with_a_sentence_and_the_old_master_key_is_refused(
    run: Run, recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RG.4."""
    audio = recorded.read_bytes()
    new = tmp_path / "new-master-key"
    said = run("keys", "rotate", "--new-master-key-file", str(new))
    assert said.status == 0
    assert said.out.startswith("Wrapped 1 keys, 0 were already.")
    assert run("recordings", "verify", "--all").status == 2
    again = run("keys", "rotate", "--new-master-key-file", str(new))
    assert again.out.startswith("Wrapped 0 keys, 1 were already.")
    monkeypatch.delenv("RECORDER_MASTER_KEY")
    monkeypatch.setenv("RECORDER_MASTER_KEY_FILE", str(new))
    assert run("recordings", "verify", "--all").status == 0
    assert recorded.read_bytes() == audio


def test_a_third_master_key_after_a_rotation_cut_short_lets_nobody_destroy_the_first(
    run: Run, recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RG.4: a key that was left behind opens nothing without it."""
    second, third = tmp_path / "second", tmp_path / "third"
    key = next(tmp_path.rglob(f"{recorded.stem}.key"))
    left_behind, first = key.read_bytes(), MASTER_KEY_TEXT
    assert run("keys", "rotate", "--new-master-key-file", str(second)).status == 0
    key.write_bytes(left_behind)
    monkeypatch.delenv("RECORDER_MASTER_KEY")
    monkeypatch.setenv("RECORDER_MASTER_KEY_FILE", str(second))
    said = run("keys", "rotate", "--new-master-key-file", str(third))
    assert (said.status, "destroy" in said.out) == (1, False)
    assert "Destroy no master key" in said.err
    monkeypatch.delenv("RECORDER_MASTER_KEY_FILE")
    monkeypatch.setenv("RECORDER_MASTER_KEY", first)
    assert run("keys", "rotate", "--new-master-key-file", str(third)).status == 0
    monkeypatch.delenv("RECORDER_MASTER_KEY")
    monkeypatch.setenv("RECORDER_MASTER_KEY_FILE", str(third))
    assert run("recordings", "verify", "--all").status == 0


def test_plain_recordings_are_sealed_and_destroyed(
    run: Run, recorded: Path, database_url: str, tmp_path: Path
) -> None:
    plain = make_plain(database_url, tmp_path, recorded)
    seal(database_url, tmp_path, number=2)
    said = run("recordings", "verify", "--all")
    assert f"{recorded.stem} lies in plain" in said.out
    kept = tmp_path / "kept"
    kept.hardlink_to(recorded.with_suffix(".wav"))
    said = run("keys", "adopt")
    assert said.status == 0
    assert said.out.startswith("Sealed 1 recordings and destroyed their plain WAVs; 0 refused")
    assert list((tmp_path / "vault").rglob("*.wav")) == []
    assert kept.stat().st_size == len(plain)
    assert plain[44:] not in kept.read_bytes(), "overwritten, not only removed"
    assert run("recordings", "verify", "--all").status == 0
    assert forms(database_url) == {"rec1"}
    assert (
        run("recordings", "export", recorded.stem, str(tmp_path / "out.wav"), *REVEAL[1:]).status
        == 0
    )
    assert (tmp_path / "out.wav").read_bytes() == plain
    assert run("keys", "adopt").out.startswith("Sealed 0 recordings")


def test_a_plain_file_that_is_not_its_rows_is_refused_and_left(
    run: Run, recorded: Path, database_url: str, tmp_path: Path
) -> None:
    make_plain(database_url, tmp_path, recorded)
    file = recorded.with_suffix(".wav")
    file.write_bytes(wav.header(0))
    stray = file.with_name(f"{UUID(int=5)}.wav")
    stray.write_bytes(b"x")
    said = run("keys", "adopt")
    assert said.status == 1
    assert f"{recorded.stem}: the plain WAV is not the one of its row" in said.err
    assert "1 refused, 1 have no row" in said.out
    assert file.exists()
    assert stray.exists()


def adopt(database_url: str, directory: str) -> None:
    """``recorder keys adopt``, as an act of ``tests/crashes.py``."""
    os.environ |= {  # noqa: TID251 - of a process of its own
        "RECORDER_DATABASE_URL": database_url,
        "RECORDER_VAULT_DIR": f"{directory}/vault",
        "RECORDER_KEY_DIR": f"{directory}/keys",
        "RECORDER_MASTER_KEY": MASTER_KEY_TEXT,
    }
    sys.argv = ["recorder", "keys", "adopt"]
    try:
        cli.main()
    except SystemExit as ended:
        if ended.code:
            raise


def test_taking_over_killed_before_any_step_is_finished_by_the_next_run(
    run: Run, recorded: Path, database_url: str, tmp_path: Path
) -> None:
    """F16: a real process, killed before its Nth file operation or commit; nothing is lost."""
    plain = b""

    def prepare() -> tuple[str, tuple[str, str]]:
        nonlocal plain
        plain = make_plain(database_url, tmp_path, recorded)
        return "adopt", (database_url, str(tmp_path))

    deaths = 0
    vault, folder = a_vault(tmp_path), str(recorded.parent.relative_to(tmp_path / "vault"))
    with Stage(__name__) as stage:
        for died in stage.every_crash(prepare):
            deaths += died.died_at is not None
            assert run("keys", "adopt").status == 0, died
            assert list((tmp_path / "vault").rglob("*.wav")) == []
            assert forms(database_url) == {"rec1"}
            found = asyncio.run(vault.digest(UUID(recorded.stem), folder=folder))  # type: ignore[arg-type]
            assert found == hashlib.sha256(plain).hexdigest(), died
            assert len(list((tmp_path / "keys").iterdir())) == 3
    assert deaths > 8, "there are steps to die at"
    assert "commit" in died.steps


def test_a_rotation_that_was_begun_is_told(
    run: Run, recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapped = (tmp_path / "keys" / f"{recorded.stem}.key").read_bytes()
    new = tmp_path / "new"
    new.write_text(OTHER_SECRET.hex())
    assert run("keys", "rotate", "--new-master-key-file", str(new)).status == 0
    (tmp_path / "keys" / f"{recorded.stem}.key").write_bytes(wrapped)
    monkeypatch.setenv("RECORDER_MASTER_KEY", OTHER_SECRET.hex())
    (tmp_path / "regulation.toml").write_bytes((ROOT / "regulation.toml").read_bytes())
    found = run("config", "check", "--json").json
    assert any("1 keys lie under another master key" in each["says"] for each in found)
    said = run("recordings", "verify", recorded.stem)
    assert f"{recorded.stem} cannot be read" in said.out, "it is not called damaged"
    assert some_keys(tmp_path / "keys").holds(UUID(recorded.stem))  # type: ignore[arg-type]
