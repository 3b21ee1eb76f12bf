"""Second factors' secrets at rest: a database that was copied makes no code."""

from itertools import count
from pathlib import Path
from uuid import UUID

import pytest

from recorder.accounts.model import AccountId
from recorder.adapters.factor_seal import FactorSeal
from recorder.adapters.key_rotation import keys_under_another, rotate
from recorder.adapters.master_key import MasterKey
from recorder.adapters.totp import TotpBook
from recorder.errors import ConfigurationError, KeyUnavailable
from tests.crashes import Stage
from tests.keys import OTHER_SECRET, SECRET, some_keys

ZENOBIA, JAN = AccountId(UUID(int=11)), AccountId(UUID(int=12))
OLD, NEW = MasterKey(SECRET), MasterKey(OTHER_SECRET)


def a_seal(directory: Path, master: MasterKey = OLD) -> FactorSeal:
    return FactorSeal(directory, lambda: master)


def test_a_secret_opens_for_its_account_alone(tmp_path: Path) -> None:
    some_keys(tmp_path)
    book = TotpBook(a_seal(tmp_path))
    secret = book.new_secret()
    stored = book.sealed(secret, ZENOBIA)
    assert secret not in stored
    assert stored != book.sealed(secret, ZENOBIA), "a fresh nonce each time"
    assert TotpBook(a_seal(tmp_path)).opened(stored, ZENOBIA) == secret
    for damaged in (stored[:-4], stored[:-2] + "xx", stored[:12]):
        with pytest.raises(KeyUnavailable):
            book.opened(damaged, ZENOBIA)
    with pytest.raises(KeyUnavailable, match="another account's"):
        book.opened(stored, JAN)
    with pytest.raises(KeyUnavailable, match="RECORDER_MASTER_KEY_FILE"):
        TotpBook().opened(stored, ZENOBIA)


def test_without_a_master_key_secrets_stay_plain_and_are_sealed_once_there_is_one(
    tmp_path: Path,
) -> None:
    plain = TotpBook()
    secret = plain.new_secret()
    assert plain.sealed(secret, ZENOBIA) == secret
    assert plain.sealed_later(secret, ZENOBIA) is None
    book = TotpBook(a_seal(tmp_path))
    assert book.opened(secret, ZENOBIA) == secret
    assert book.sealed_later(secret, ZENOBIA) is None, "no key directory: nobody is kept out"
    some_keys(tmp_path)
    sealed = book.sealed_later(secret, ZENOBIA)
    assert sealed is not None
    assert book.opened(sealed, ZENOBIA) == secret
    assert book.sealed_later(sealed, ZENOBIA) is None


def test_a_wrong_master_key_binds_no_account(tmp_path: Path) -> None:
    some_keys(tmp_path)
    with pytest.raises(ConfigurationError):
        a_seal(tmp_path, NEW).seal("SECRET", ZENOBIA)
    assert not (tmp_path / "accounts.key").exists()
    stored = a_seal(tmp_path).seal("SECRET", ZENOBIA)
    with pytest.raises(KeyUnavailable, match="another master key"):
        a_seal(tmp_path, NEW).open(stored, ZENOBIA)
    (tmp_path / "accounts.key").unlink()
    with pytest.raises(KeyUnavailable, match="restore"):
        a_seal(tmp_path).open(stored, ZENOBIA)


def rotate_all(directory: str) -> None:
    """An act of ``tests/crashes.py``."""
    rotate(Path(directory), old=OLD, new=NEW, progress=lambda *_: None)


def test_a_rotation_wraps_the_accounts_key_again_whatever_kills_it(tmp_path: Path) -> None:
    """F16: a real process, killed before its Nth file operation, N = 1, 2, 3 …"""
    places = (tmp_path / str(number) for number in count(1))
    stored: list[str] = []

    def prepare() -> tuple[str, tuple[str]]:
        place = next(places)
        some_keys(place)
        stored.append(a_seal(place).seal("SECRET", ZENOBIA))
        return "rotate_all", (str(place),)

    deaths = 0
    with Stage(__name__) as stage:
        for run in stage.every_crash(prepare):
            deaths += run.died_at is not None
            place = Path(run.arguments[0])
            rotate(place, old=OLD, new=NEW, progress=lambda *_: None)
            assert a_seal(place, NEW).open(stored[-1], ZENOBIA) == "SECRET", run
            assert keys_under_another(place, NEW) == 0
            assert OLD.id not in (place / "accounts.key").read_bytes()
            assert len(list(place.iterdir())) == 3, "nothing is left over"
    assert deaths > 5, "there are steps to die at"
