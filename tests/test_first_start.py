"""The first minutes with the program: who is refused, and how; what the shell completes."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder.embedded.demo_call import RunningOffice
from recorder.embedded.office import CHECKOUT
from recorder.embedded.postgres import free_port
from recorder.errors import Unavailable

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A checkout's scripts where a stranger may read them."""
    folder = Path(tempfile.mkdtemp(prefix="rejestrator-"))
    folder.chmod(0o755)
    shutil.copytree(CHECKOUT / "script", folder / "script")
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(shutil.which("asterisk") is not None, reason="an Asterisk needs no root")
def test_who_is_not_root_is_told_what_is_needed(open_to_all: Path) -> None:
    identity = NOBODY if Path("/proc/self").stat().st_uid == 0 else []
    done = subprocess.run(
        [*identity, str(open_to_all / "script/run"), "--demo"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 2
    assert "needs root" in done.stderr
    assert "sudo script/run --demo" in done.stderr
    assert not (open_to_all / ".local").exists(), "refused before anything is installed"


def recorder(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).with_name("recorder")
    return subprocess.run(
        [str(program), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"} | environment,
    )


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_completion(shell: str) -> None:
    done = recorder(_RECORDER_COMPLETE=f"source_{shell}")
    assert done.returncode == 0
    assert "_RECORDER_COMPLETE" in done.stdout
    assert "recorder" in done.stdout


def test_the_shell_completes_commands() -> None:
    words = {
        "_RECORDER_COMPLETE": "complete_bash",
        "COMP_CWORD": "1",
        "COMP_WORDS": "recorder hol",
    }
    assert recorder(**words).stdout.split() == ["hold"]


def test_completion_can_be_installed_by_the_command_itself() -> None:
    done = recorder("--help")
    assert "--install-completion" in done.stdout


def test_a_test_call_goes_to_no_office_but_a_running_private_one(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="script/run"):
        RunningOffice.find(tmp_path)
    stale = RunningOffice(sip_port=1, desk_port=1, probe_port=free_port(), database_url="")
    stale.keep(tmp_path)
    assert (tmp_path / "running.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(Unavailable, match="takes no calls"):
        RunningOffice.find(tmp_path)
