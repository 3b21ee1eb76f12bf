"""What is installed from a wheel works without the checkout it was built from."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recorder.embedded.office import CHECKOUT

pytestmark = pytest.mark.postgres
LEFT_BEHIND = (".git", ".local", "build", "*.egg-info", "__pycache__", "tests", "bench", ".*_cache")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel of a copy, for building writes into its sources, and unpack it alone."""
    folder = tmp_path_factory.mktemp("wheel")
    source, site = folder / "source", folder / "site"
    shutil.copytree(CHECKOUT, source, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(source)]
    unpack = [*pip, "install", "--no-deps", "--target", str(site), "--no-index"]
    for command in (build, [*unpack, "--find-links", str(folder), "rejestrator"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    shutil.rmtree(source)
    return site


def recorder(
    installed: Path, folder: Path, *arguments: str, **settings: str
) -> "subprocess.CompletedProcess[str]":
    """Run the installed command; the libraries are those of this environment."""
    return subprocess.run(
        [sys.executable, "-m", "recorder", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(installed), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"} | settings,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_wheel_migrates_an_empty_database(
    installed: Path, tmp_path: Path, empty_url: str
) -> None:
    """R5.2a: the migrations travel with the program."""
    done = recorder(installed, tmp_path, "db", "upgrade", RECORDER_DATABASE_URL=empty_url)
    assert done.returncode == 0, done.stderr
    assert "The database is at revision 0" in done.stdout
    assert (
        recorder(installed, tmp_path, "db", "current", RECORDER_DATABASE_URL=empty_url).returncode
        == 0
    )


def test_a_wheel_installs_the_starter_announcements(installed: Path, tmp_path: Path) -> None:
    """R8.2d."""
    shutil.copy(installed / "recorder/regulation.toml", tmp_path)
    done = recorder(
        installed,
        tmp_path,
        *("announcement", "install-starters", "--activate"),
        RECORDER_ANNOUNCEMENT_DIR=str(tmp_path / "announcements"),
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("announcements/*/sound.alaw"))


def test_a_wheel_carries_the_dialplan_and_the_process(installed: Path) -> None:
    shipped = installed / "recorder/dialplan/recorder.conf"
    assert shipped.read_bytes() == (CHECKOUT / "dialplan/recorder.conf").read_bytes()
    assert (installed / "ari_app.py").read_bytes() == (CHECKOUT / "ari_app.py").read_bytes()


def test_a_program_of_a_wheel_is_not_the_checkout(installed: Path, tmp_path: Path) -> None:
    """The other tests prove nothing if the checkout answers in the wheel's place."""
    done = subprocess.run(
        [sys.executable, "-c", "import recorder; print(recorder.__file__)"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(installed / "recorder/__init__.py")


def test_a_wheel_brings_every_page_its_style_and_its_words(installed: Path) -> None:
    for kind in ("static", "templates", "translations"):
        here = CHECKOUT / "recorder/web" / kind
        wanted = {each.relative_to(here) for each in here.rglob("*") if each.is_file()}
        there = installed / "recorder/web" / kind
        assert wanted
        assert {each.relative_to(there) for each in there.rglob("*") if each.is_file()} == wanted
