"""Backups, there and back: real PostgreSQL, real pg_dump, real vault and keys (RG.17, F20)."""

import asyncio
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import make_url

from recorder.accounts.model import AccountId
from recorder.adapters import pg_tools
from recorder.adapters.backup_check import problems_of
from recorder.adapters.backup_maker import BackupMaker
from recorder.adapters.backup_places import Places
from recorder.adapters.backup_pruning import KeyPruner, remove_unreadable
from recorder.adapters.backup_set import Opened, open_set, sets_in
from recorder.adapters.erasure_ledger import read_ledger, write_ledger
from recorder.adapters.factor_seal import FactorSeal
from recorder.adapters.master_key import MasterKey
from recorder.adapters.postgres import migrate
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.restoring import clear, ledger_of
from recorder.adapters.postgres.trail_reading import PostgresTrail
from recorder.adapters.restore_marker import read_marker
from recorder.adapters.sealed_stream import seal_stream
from recorder.adapters.vault import open_vault
from recorder.audit.rules import verify
from recorder.backup.model import ErasureLedger, Manifest
from recorder.custody.rules import folder_of
from recorder.embedded.postgres import EmbeddedPostgres
from recorder.errors import (
    BackupDamaged,
    BackupUnavailable,
    ConfigurationError,
    KeyUnavailable,
    LedgerUnavailable,
    RuleViolation,
)
from recorder.model import RecordingId
from tests.builders import NOON
from tests.builders_keeping import OLGA, a_change
from tests.keys import OTHER_SECRET, SECRET
from tests.restoring import DAYS, KEY_DAYS, LEAD, Installation, opened_set, places_in, quiet

pytestmark = pytest.mark.postgres
DAY = timedelta(days=1)
TABLES = ("call", "recording", "hold", "tombstone", "audit_event", "audit_personal", "announcement")


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Installation:
    office = Installation(database_url, tmp_path / "office")
    office.open()
    return office


@pytest.fixture
def elsewhere(empty_url: str, tmp_path: Path) -> Installation:
    """A new machine: nothing but the master key."""
    return Installation(empty_url, tmp_path / "elsewhere")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return places_in(tmp_path / "backup")


def rows_of(url: str, *tables: str) -> dict[str, list[str]]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("SET timezone = 'UTC'")
        return {
            each: sorted(row[0] for row in connection.execute(f"SELECT t::text FROM {each} t"))
            for each in tables or TABLES
        }


def files_of(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def chain_verifies(url: str) -> bool:
    async def look() -> bool:
        async with connect(url) as engine:
            trail = PostgresTrail(engine)
            return (
                verify(await trail.entries_after(0, limit=10_000), head=await trail.head()) is None
            )

    return asyncio.run(look())


def ledger_from(office: Installation, path: Path) -> ErasureLedger:
    async def look() -> None:
        async with connect(office.url) as engine:
            erased, holds = await ledger_of(engine)
            write_ledger(path, at=office.clock.at, erased=erased, holds=holds)

    asyncio.run(look())
    return read_ledger(path)


def test_everything_comes_back_as_it_was(
    office: Installation, elsewhere: Installation, places: Places
) -> None:
    """Every hash, row and right; the chain of the audit trail verifies."""
    seal = FactorSeal(office.keys, lambda: MasterKey(SECRET))
    factor = seal.seal("SECRET", AccountId(UUID(int=7)))
    ids = [office.seal(number, age=number * DAY) for number in range(1, 6)]
    office.hold(ids[0])
    before = rows_of(office.url)
    folder, _ = office.back_up(places)
    backup = opened_set(folder, places)
    assert (
        problems_of(
            backup, vault=places.vault / folder.name, master=MasterKey(SECRET), progress=quiet
        )
        == []
    )
    elsewhere.bring_back(backup)
    assert rows_of(elsewhere.url) == before
    ended = elsewhere.end()
    assert (ended.erased, ended.erased_again, ended.held) == (0, 0, 0)
    assert files_of(elsewhere.vault) == files_of(office.vault)
    assert (
        FactorSeal(elsewhere.keys, lambda: MasterKey(SECRET)).open(factor, AccountId(UUID(int=7)))
        == "SECRET"
    )
    ours, theirs = files_of(office.keys), files_of(elsewhere.keys)
    same = {name for name in theirs if name.endswith(".key")}
    assert {name: theirs[name] for name in same} == {
        name: digest for name, digest in ours.items() if name.endswith(".key")
    }
    assert files_of(elsewhere.announcements) == files_of(office.announcements)
    assert files_of(elsewhere.checkpoints) == files_of(office.checkpoints)
    assert (elsewhere.directory / "regulation.toml").read_bytes() == (
        office.directory / "regulation.toml"
    ).read_bytes()
    assert chain_verifies(elsewhere.url)
    assert migrate.current(elsewhere.url) == migrate.head()
    folders = {each: folder_of(NOON - n * DAY) for n, each in enumerate(ids, 1)}
    assert elsewhere.playable(ids, folders) == set(ids)
    rights = "SELECT has_table_privilege('recorder_runtime', 'audit_event', 'UPDATE')"
    with psycopg.connect(elsewhere.url.replace("+psycopg", "")) as connection:
        assert connection.execute(rights).fetchone() == (False,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE audit_event SET reason = 'other'")


@pytest.mark.parametrize("days_later", [3, 20, 40])
def test_a_backup_restored_late_gives_back_nothing_past_its_day(
    office: Installation, elsewhere: Installation, places: Places, days_later: int
) -> None:
    """F20, P10, I6: holds stand, the rest goes by the clock.

    On day 20 and 40 its keys should not exist any more: they lay forgotten on a medium.
    """
    ages = {number: number * DAY for number in (0, 2, 4, 10, 20, 22)}
    ids = {number: office.seal(number + 1, age=age) for number, age in ages.items()}
    folders = {ids[number]: folder_of(NOON - age) for number, age in ages.items()}
    held = {ids[0], ids[20]}
    for each in held:
        office.hold(each)
    folder, _ = office.back_up(places)
    elsewhere.clock.at = NOON + days_later * DAY
    told = elsewhere.bring_back(opened_set(folder, places))
    assert any("should have been destroyed" in each for each in told) is (days_later > KEY_DAYS)
    with pytest.raises(ConfigurationError, match="restore --finish"):
        open_vault(elsewhere.settings)
    with pytest.raises(KeyUnavailable, match="restore --finish"):
        elsewhere.playable(list(held), folders)
    ended = elsewhere.end()
    within = {ids[number] for number in ages if days_later + number < DAYS}
    assert elsewhere.playable(list(ids.values()), folders) == within | held
    assert ended.erased == len(ids) - len(within | held)
    open_vault(elsewhere.settings)
    assert chain_verifies(elsewhere.url)
    stones = "SELECT count(*) FROM tombstone"
    gone = "SELECT count(*) FROM call WHERE caller_number IS NULL"
    told_of = "SELECT count(*) FROM audit_event WHERE action = 'recording:erased'"
    with psycopg.connect(elsewhere.url.replace("+psycopg", "")) as connection:
        for query in (stones, gone, told_of):
            assert connection.execute(query).fetchone() == (ended.erased,)


def test_the_ledger_takes_back_what_came_back_and_keeps_what_was_held_since(
    office: Installation, elsewhere: Installation, places: Places, tmp_path: Path
) -> None:
    """RG.17, P10: erased by hand since, held since, and lifted since the backup."""
    by_hand, held_later, lifted, plain = (office.seal(n, age=DAY) for n in range(1, 5))
    folders = {each: folder_of(NOON - DAY) for each in (by_hand, held_later, lifted, plain)}
    ends = office.hold(lifted)
    folder, _ = office.back_up(places)
    office.clock.at += DAY
    office.hold(held_later)

    async def live_on() -> None:
        async with connect(office.url) as engine:
            keeping = office.keeping(engine)
            await keeping.eraser.erase_by_hand(
                by_hand, actor=OLGA, reason="a mistake", approval=None
            )
            await keeping.holds.lift(ends, reason="done", reference="RSD 12/2026", actor=OLGA)

    asyncio.run(live_on())
    ledger = ledger_from(office, tmp_path / "off/erasures.jsonl")
    assert "a mistake" not in (tmp_path / "off/erasures.jsonl").read_text()
    elsewhere.clock.at = NOON + 25 * DAY
    elsewhere.bring_back(opened_set(folder, places), ledger=ledger)
    ended = elsewhere.end(ledger)
    assert (ended.erased_again, ended.holds_changed) == (1, 2)
    assert elsewhere.playable(list(folders), folders) == {held_later}
    why = "SELECT why FROM tombstone WHERE recording_id = %s"
    with psycopg.connect(elsewhere.url.replace("+psycopg", "")) as connection:
        assert connection.execute(why, [by_hand]).fetchone() == ("erased_before",)
        assert connection.execute(why, [lifted]).fetchone() == ("expired",)


def test_whoever_was_signed_in_on_the_day_of_the_backup_is_not_any_more(
    office: Installation, elsewhere: Installation, places: Places
) -> None:
    with psycopg.connect(office.url.replace("+psycopg", "")) as connection:
        connection.execute(
            """INSERT INTO first_run_token (sha256, created_at, expires_at)
               VALUES ('0', now(), now() + interval '1 day')"""
        )
        connection.execute(
            """WITH somebody AS (
                   INSERT INTO account (id, login, name, post, roles, created_at, password_hash,
                       password_set_at, must_change_password)
                   VALUES (gen_random_uuid(), 'olga', 'Olga', '', '[]', now(), '', now(), false)
                   RETURNING id)
               INSERT INTO session (id, token_sha256, account_id, kind, source, created_at, seen_at,
                   fresh_at)
               SELECT gen_random_uuid(), '0', id, 'web', '', now(), now(), now() FROM somebody"""
        )
    folder, _ = office.back_up(places)
    elsewhere.bring_back(opened_set(folder, places))
    assert elsewhere.end().sessions == 1
    query = """SELECT (SELECT count(*) FROM first_run_token WHERE used_at IS NULL),
                      (SELECT count(*) FROM session WHERE ended_at IS NULL)"""
    with psycopg.connect(elsewhere.url.replace("+psycopg", "")) as connection:
        assert connection.execute(query).fetchone() == (0, 0)


def test_a_ledger_older_than_the_backup_is_refused(
    office: Installation, elsewhere: Installation, places: Places, tmp_path: Path
) -> None:
    ledger = ledger_from(office, tmp_path / "erasures.jsonl")
    office.clock.at += DAY
    folder, _ = office.back_up(places)
    elsewhere.clock.at = office.clock.at
    with pytest.raises(RuleViolation, match="older than the backup"):
        elsewhere.bring_back(opened_set(folder, places), ledger=ledger)
    assert not elsewhere.keys.exists()


def test_a_cut_ledger_is_refused(office: Installation, tmp_path: Path) -> None:
    office.hold(office.seal(1, age=DAY))
    path = tmp_path / "erasures.jsonl"
    ledger_from(office, path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))
    with pytest.raises(BackupDamaged, match="cut"):
        read_ledger(path)


def test_what_is_erased_while_the_backup_is_made_does_not_come_back(
    office: Installation, elsewhere: Installation, places: Places
) -> None:
    """The dump has its row; key and audio went before they were copied, or after."""
    kept, early, late = (office.seal(n, age=DAY) for n in range(1, 4))
    folders = {each: folder_of(NOON - DAY) for each in (kept, early, late)}

    async def erase(recording_id: RecordingId) -> None:
        async with connect(office.url) as engine:
            assert await office.keeping(engine).eraser.erase_by_hand(
                recording_id,
                actor=OLGA,
                reason="a mistake",
                approval=None,
            )

    def meanwhile(what: str, done: int, _: int) -> None:
        if (what, done) == ("database", 0):
            asyncio.run(erase(early))
        if (what, done) == ("recordings", 3):
            asyncio.run(erase(late))

    folder, manifest = _make(office, places, meanwhile)
    assert {each.id for each in manifest.recordings} == {kept}
    assert {each.id for each in manifest.erased} == {early, late}
    assert manifest.missing == ()
    copied = files_of(places.vault)
    assert not any(str(early) in name or str(late) in name for name in copied)
    elsewhere.bring_back(opened_set(folder, places))
    assert elsewhere.end().erased_again == 2
    assert elsewhere.playable(list(folders), folders) == {kept}


def test_what_should_have_been_erased_is_not_backed_up(
    office: Installation, places: Places
) -> None:
    """After an outage of the purge: a key in a backup never outlives the thirty days."""
    fresh, due, held = (office.seal(n, age=age * DAY) for n, age in ((1, 1), (2, 24), (3, 24)))
    office.hold(held)
    _, manifest = office.back_up(places)
    assert {each.id for each in manifest.recordings} == {fresh, held}
    assert {each.id for each in manifest.erased} == {due}


def test_a_row_without_audio_is_told_and_restored_as_missing(
    office: Installation, elsewhere: Installation, places: Places
) -> None:
    lost = office.seal(1, age=DAY)
    (office.vault / folder_of(NOON - DAY) / f"{lost}.rec").unlink()
    folder, manifest = office.back_up(places)
    assert [each.id for each in manifest.missing] == [lost]
    elsewhere.clock.at = NOON + 30 * DAY
    elsewhere.bring_back(opened_set(folder, places))
    assert elsewhere.end().erased == 1


def test_a_copy_of_all_volumes_and_of_a_backup_without_the_master_key_says_nothing(
    office: Installation, places: Places
) -> None:
    """No audio, no number: the marker tone and the caller's number are nowhere in clear."""
    sealed = office.seal(0x1234, age=DAY, length=30_000)
    wav = b"\x34\x12" * 64
    folder, _ = office.back_up(places)
    everything = [
        path.read_bytes()
        for root in (places.sets, places.vault, places.keys, office.vault, office.keys)
        for path in root.rglob("*")
        if path.is_file()
    ]
    assert any(str(sealed).encode() in each for each in everything)
    for secret in (wav, b"600123456", SECRET):
        assert not any(secret in each for each in everything)
    with psycopg.connect(office.url.replace("+psycopg", "")) as connection:
        assert b"600123456" in str(connection.execute("SELECT * FROM call").fetchall()).encode()
    with pytest.raises(KeyUnavailable, match="another master key"):
        open_set(folder, keys_at=places.keys, master=MasterKey(OTHER_SECRET))


def test_files_are_for_their_owner_alone(office: Installation, places: Places) -> None:
    office.seal(1, age=DAY)
    office.back_up(places)
    for root in (places.sets, places.vault, places.keys):
        for path in [root, *root.rglob("*")]:
            wanted = 0o700 if path.is_dir() else 0o600
            assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_the_next_backup_links_what_is_there_already(office: Installation, places: Places) -> None:
    first = office.seal(1, age=DAY)
    one, _ = office.back_up(places)
    office.clock.at += timedelta(hours=1)
    office.seal(2, age=timedelta(minutes=1))
    two, manifest = office.back_up(places)
    name = f"{folder_of(NOON - DAY)}/{first}.rec"
    assert (places.vault / one.name / name).samefile(places.vault / two.name / name)
    assert len(manifest.recordings) == 2
    assert [each.name for each in sets_in(places.sets)] == [two.name, one.name]
    backup = opened_set(two, places)
    assert not problems_of(
        backup, vault=places.vault / two.name, master=MasterKey(SECRET), progress=quiet
    )


def test_keys_are_destroyed_in_time_and_what_they_opened_goes_with_them(
    office: Installation, places: Places
) -> None:
    """RG.17: live retention and lifetime in backups stay within thirty days."""
    office.seal(1, age=DAY)
    one, manifest = office.back_up(places)
    key = (places.keys / manifest.keys.path).read_bytes()
    office.clock.at += DAY
    two, _ = office.back_up(places)
    pruner = KeyPruner([places.keys], key_days=KEY_DAYS, lead=LEAD)
    due = NOON + KEY_DAYS * DAY - LEAD
    assert pruner.prune(due - timedelta(seconds=1)).destroyed == ()
    assert pruner.prune(due).destroyed == (manifest.id,)
    assert [each.name for each in places.keys.iterdir()] == [f"{two.name}.keys"]
    assert key[40:] not in b"".join(each.read_bytes() for each in places.keys.iterdir())
    removed = remove_unreadable(places.sets, destroyed=[], lead=LEAD, now=due)
    assert removed == [one.name]
    assert [each.name for each in places.vault.iterdir()] == [two.name]
    backup = opened_set(two, places)
    assert not problems_of(
        backup, vault=places.vault / two.name, master=MasterKey(SECRET), progress=quiet
    )


def test_a_place_that_is_away_does_not_keep_the_others(
    office: Installation, places: Places, tmp_path: Path
) -> None:
    office.seal(1, age=DAY)
    _, manifest = office.back_up(places)
    pruner = KeyPruner([tmp_path / "away", places.keys], key_days=KEY_DAYS, lead=LEAD)
    done = pruner.prune(NOON + KEY_DAYS * DAY)
    assert done.destroyed == (manifest.id,)
    assert len(done.stuck) == 1


def test_more_than_thirty_days_together_are_refused(office: Installation, places: Places) -> None:
    office.directory.joinpath("regulation.toml").write_text(
        office.directory.joinpath("regulation.toml").read_text().replace("days = 7", "days = 8")
    )
    with pytest.raises(RuleViolation, match="more than 30 days together"):
        office.back_up(places)


def test_days_that_are_still_in_force_count_too(office: Installation, places: Places) -> None:
    """A shorter retention that nobody applied yet leaves recordings of thirty days."""

    async def apply() -> None:
        async with connect(office.url) as engine:
            log = office.keeping(engine).purge_log
            await log.apply(a_change(), written=30, actor=OLGA, approval=None)

    asyncio.run(apply())
    with pytest.raises(RuleViolation, match=r"retention.days \(30\)"):
        office.back_up(places)


def test_captures_own_login_is_enough_to_back_up(
    office: Installation, elsewhere: Installation, places: Places, runtime_url: str
) -> None:
    """The owner's, which may do everything, is for migrating and restoring alone."""
    kept = office.seal(1, age=DAY)
    office.hold(kept)
    owner, office.url = office.url, runtime_url
    folder, _ = office.back_up(places)
    elsewhere.bring_back(opened_set(folder, places))
    assert rows_of(elsewhere.url) == rows_of(owner)
    with pytest.raises(LedgerUnavailable, match="owner's login"):
        clear(runtime_url)
    assert rows_of(owner) == rows_of(elsewhere.url)


def test_an_owner_without_other_powers_restores(
    office: Installation, places: Places, tmp_path: Path, postgres: EmbeddedPostgres
) -> None:
    """As OPERATIONS.md installs it: the database's owner, no superuser, makes no roles."""
    with psycopg.connect(postgres.plain_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE office_owner LOGIN PASSWORD 'secret'")
        for name in ("office_owned", "office_restored"):
            connection.execute(f"CREATE DATABASE {name} OWNER office_owner".encode())
    address = f"postgresql+psycopg://office_owner:secret@127.0.0.1:{postgres.port}"
    office.url = f"{address}/office_owned"
    migrate.upgrade(office.url)
    kept = office.seal(1, age=DAY)
    office.hold(kept)
    folder, _ = office.back_up(places)
    elsewhere = Installation(f"{address}/office_restored", tmp_path / "elsewhere")
    for again in (False, True):
        elsewhere.bring_back(opened_set(folder, places), replace=again)
        elsewhere.end()
    assert rows_of(elsewhere.url, "recording", "hold") == rows_of(office.url, "recording", "hold")


def test_keys_beside_what_they_open_are_refused(office: Installation, tmp_path: Path) -> None:
    """RG.4."""
    for keys in (tmp_path / "b", tmp_path / "b/audio/keys", tmp_path / "b/sets"):
        places = Places(sets=tmp_path / "b/sets", vault=tmp_path / "b/audio", keys=keys)
        with pytest.raises(RuleViolation, match="beside"):
            office.back_up(places)


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def dump(folder: Path, places: Places) -> Path:
    return folder / "database.dump"


def audio(folder: Path, places: Places) -> Path:
    return next((places.vault / folder.name).rglob("*.rec"))


def sound(folder: Path, places: Places) -> Path:
    return folder / "announcements/first.pl.wav"


@pytest.mark.parametrize("victim", [dump, audio, sound])
@pytest.mark.parametrize("gone", [False, True])
def test_a_changed_or_missing_file_is_found_and_nothing_is_restored(
    office: Installation,
    elsewhere: Installation,
    places: Places,
    victim: Callable[[Path, Places], Path],
    gone: bool,
) -> None:
    office.seal(1, age=DAY)
    folder, _ = office.back_up(places)
    path = victim(folder, places)
    if gone:
        path.unlink()
    else:
        flip(path, 5)
    backup = opened_set(folder, places)
    assert problems_of(
        backup, vault=places.vault / folder.name, master=MasterKey(SECRET), progress=quiet
    )
    with pytest.raises(BackupDamaged, match="nothing was restored"):
        elsewhere.bring_back(backup)
    assert not elsewhere.keys.exists()
    assert migrate.current(elsewhere.url) is None


def test_damaged_recordings_can_be_left_out(
    office: Installation, elsewhere: Installation, places: Places
) -> None:
    ids = [office.seal(n, age=DAY) for n in (1, 2)]
    folder, _ = office.back_up(places)
    flip(places.vault / folder.name / folder_of(NOON - DAY) / f"{ids[0]}.rec", 50)
    elsewhere.bring_back(opened_set(folder, places), despite_damage=True)
    elsewhere.end()
    folders = dict.fromkeys(ids, folder_of(NOON - DAY))
    assert elsewhere.playable(ids, folders) == {ids[1]}


def test_a_restore_without_its_damaged_recordings_ends_when_they_are_due(
    office: Installation, elsewhere: Installation, places: Places
) -> None:
    ids = [office.seal(n, age=n * DAY) for n in (1, 20)]
    folder, _ = office.back_up(places)
    shutil.rmtree(places.vault / folder.name / folder_of(NOON - 20 * DAY))
    elsewhere.clock.at = NOON + 5 * DAY
    told = elsewhere.bring_back(opened_set(folder, places), despite_damage=True)
    assert f"{ids[1]} is damaged in the backup and was left out" in told
    assert elsewhere.end().erased == 1
    assert read_marker(elsewhere.keys) is None
    assert elsewhere.playable([ids[0]], {ids[0]: folder_of(NOON - DAY)}) == {ids[0]}


@pytest.mark.parametrize("instead", ["link", "folder"])
def test_a_recording_that_cannot_be_read_keeps_no_other_from_coming_back(
    office: Installation, elsewhere: Installation, places: Places, instead: str
) -> None:
    ids = [office.seal(n, age=DAY) for n in (1, 2)]
    folder, _ = office.back_up(places)
    day = places.vault / folder.name / folder_of(NOON - DAY)
    victim = day / f"{ids[0]}.rec"
    victim.unlink()
    if instead == "link":
        victim.symlink_to(day / f"{ids[1]}.rec")
    else:
        victim.mkdir()
    backup = opened_set(folder, places)
    with pytest.raises(BackupDamaged, match=f"{ids[0]}.rec: the place of the backup cannot"):
        elsewhere.bring_back(backup)
    elsewhere.bring_back(backup, despite_damage=True)
    elsewhere.end()
    assert elsewhere.playable(ids, dict.fromkeys(ids, folder_of(NOON - DAY))) == {ids[1]}


def test_a_proof_of_any_bytes_is_refused(office: Installation, places: Places) -> None:
    folder, _ = office.back_up(places)
    (folder / "manifest.mac").write_bytes(b"\xff\xfe")
    with pytest.raises(BackupDamaged, match="somebody changed it"):
        opened_set(folder, places)


def test_a_manifest_that_somebody_wrote_is_refused(office: Installation, places: Places) -> None:
    office.seal(1, age=DAY)
    folder, _ = office.back_up(places)
    path = folder / "manifest.json"
    told = json.loads(path.read_text())
    told["destroy_by"] = "2036-01-01T00:00:00Z"
    path.write_text(json.dumps(told))
    with pytest.raises(BackupDamaged, match="somebody changed it"):
        opened_set(folder, places)
    path.write_text("{}")
    with pytest.raises(BackupDamaged, match="manifest is damaged"):
        opened_set(folder, places)


def test_a_changed_file_of_keys_is_refused(office: Installation, places: Places) -> None:
    office.seal(1, age=DAY)
    folder, manifest = office.back_up(places)
    whole = (places.keys / manifest.keys.path).read_bytes()
    for at in range(0, len(whole), 7):
        flip(places.keys / manifest.keys.path, at)
        with pytest.raises(BackupDamaged):
            opened_set(folder, places)
        (places.keys / manifest.keys.path).write_bytes(whole)
    (places.keys / manifest.keys.path).unlink()
    with pytest.raises(RuleViolation, match="without its keys"):
        opened_set(folder, places)


@pytest.mark.parametrize("what", ["keys", "vault", "database"])
def test_nothing_that_is_there_is_replaced_unasked(
    office: Installation, elsewhere: Installation, places: Places, what: str, database_url: str
) -> None:
    office.seal(1, age=DAY)
    folder, _ = office.back_up(places)
    backup = opened_set(folder, places)
    if what == "database":
        elsewhere.url = database_url
    else:
        getattr(elsewhere, what).mkdir()
        source: Path = getattr(office, what)
        for path in source.rglob("*.*"):
            if path.is_file():
                target = getattr(elsewhere, what) / path.relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
    with pytest.raises(RuleViolation, match="--replace"):
        elsewhere.bring_back(backup)
    elsewhere.bring_back(backup, replace=True)
    elsewhere.end()


def test_replacing_destroys_what_is_not_in_the_backup(office: Installation, places: Places) -> None:
    old = office.seal(1, age=DAY)
    folder, _ = office.back_up(places)
    office.clock.at += timedelta(hours=1)
    new = office.seal(2, age=timedelta(minutes=1))
    office.bring_back(opened_set(folder, places), replace=True)
    office.end()
    folders = {old: folder_of(NOON - DAY), new: folder_of(office.clock.at)}
    assert office.playable([old, new], folders) == {old}
    assert not any(str(new) in name for name in (*files_of(office.vault), *files_of(office.keys)))


def test_nobody_may_be_connected(
    office: Installation, elsewhere: Installation, places: Places
) -> None:
    office.seal(1, age=DAY)
    folder, _ = office.back_up(places)
    address = elsewhere.url.replace("+psycopg", "")
    with (
        psycopg.connect(address, application_name="capture"),
        pytest.raises(RuleViolation, match="capture is connected"),
    ):
        elsewhere.bring_back(opened_set(folder, places))


def test_a_clock_before_the_backup_is_refused(
    office: Installation, elsewhere: Installation, places: Places
) -> None:
    office.seal(1, age=DAY)
    folder, _ = office.back_up(places)
    elsewhere.clock.at = NOON - timedelta(seconds=1)
    with pytest.raises(RuleViolation, match="clock"):
        elsewhere.bring_back(opened_set(folder, places))


def test_a_file_that_will_not_go_keeps_the_marker(
    office: Installation, elsewhere: Installation, places: Places
) -> None:
    due = office.seal(1, age=DAY)
    folder, _ = office.back_up(places)
    elsewhere.clock.at = NOON + 30 * DAY
    elsewhere.bring_back(opened_set(folder, places))
    path = elsewhere.vault / folder_of(NOON - DAY) / f"{due}.rec"
    path.unlink()
    path.mkdir()
    written = (NOON - DAY).timestamp()
    os.utime(path, (written, written))
    with pytest.raises(RuleViolation, match="would not go"):
        elsewhere.end()
    assert read_marker(elsewhere.keys) is not None
    path.rmdir()
    elsewhere.end()
    assert read_marker(elsewhere.keys) is None


def test_an_older_releases_dump_is_migrated(
    office: Installation, elsewhere: Installation, places: Places
) -> None:
    office.seal(1, age=DAY)
    folder, _ = office.back_up(places)
    backup = opened_set(folder, places)
    head = migrate.head()
    migrate.downgrade(office.url, to="-1")
    older = migrate.current(office.url)
    assert older not in {head, None}
    # As that release would have made it: the dump alone differs.
    with psycopg.connect(office.url.replace("+psycopg", "")) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        name = connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert name is not None
        with (
            (folder / "database.dump").open("wb") as target,
            pg_tools.dumping(office.url, server=18, snapshot=name[0]) as stream,
        ):
            seal_stream(stream, target, backup.dump_key, owner=backup.manifest.id)
    content = (folder / "database.dump").read_bytes()
    dump = backup.manifest.dump.model_copy(
        update={"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    )
    manifest = backup.manifest.model_copy(update={"dump": dump, "revision": older})
    elsewhere.bring_back(
        Opened(folder=folder, manifest=manifest, keys=backup.keys, dump_key=backup.dump_key)
    )
    elsewhere.end()
    assert migrate.current(elsewhere.url) == head


def test_a_missing_tool_is_said_in_a_sentence(
    office: Installation, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.seal(1, age=DAY)
    found = [path for path in pg_tools._candidates("pg_dump") if "embedded" not in path]
    monkeypatch.setattr(pg_tools, "_candidates", lambda _: iter(found))
    with pytest.raises(BackupUnavailable, match="postgresql-client-18"):
        office.back_up(places)
    assert list(sets_in(places.sets)) == []


def test_the_password_is_on_no_command_line(office: Installation, places: Places) -> None:
    office.seal(1, age=DAY)
    lines: list[bytes] = []

    def look(what: str, *_: int) -> None:
        lines.extend(
            path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()
        )

    _make(office, places, look)
    password = make_url(office.url).password
    assert password
    assert "PGPASSWORD" in pg_tools._environment(office.url)
    assert str(password) not in pg_tools._address(office.url)
    assert not any(str(password).encode() in each for each in lines)


def _make(
    office: Installation, places: Places, progress: Callable[[str, int, int], None]
) -> tuple[Path, Manifest]:
    return BackupMaker(office.source(), places, office.clock, uuid4).make(progress)
