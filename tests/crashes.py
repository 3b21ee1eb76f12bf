"""SQLite's loop (F16, F17): an act dies at its Nth step, N = 1, 2, 3 … until it completes.

A step is an operation on files (``os.open`` for writing, ``write``, ``fsync``, ``rename``,
``unlink`` …, a file opened or a sound written by Python or libsndfile), another program's start or
end (``pg_dump``), or a commit of PostgreSQL.
An act is an async function of a module, called with strings in a process of its own, which dies
by ``os._exit`` right before the step: no ``finally`` runs, no buffer is flushed.

    with Stage("tests.postgres.sealing") as stage:
        for run in stage.every_crash(lambda: ("seal_all", prepare())):
            ...

``power_cut`` also takes from the disk what was not put on it: contents without ``fsync``, names
without ``fsync`` of their directory. That is the least that a disk may keep; a plain death is the
most. ``fail_fsync`` makes one ``fsync`` fail instead (F11).
"""

import asyncio
import builtins
import errno
import importlib
import io
import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psycopg
import soundfile

from tests.power_cut import Disk

DIED = 86
MOST_STEPS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How one run of an act went."""

    arguments: tuple[str, ...]
    died_at: int | None
    """The step before which it died; None = it completed."""
    steps: tuple[str, ...]
    """What was done, in order, as ``operation name``."""

    def __str__(self) -> str:
        return f"died before step {self.died_at}, after {list(self.steps[-3:])}"


class Stage:
    """Runs acts of one module in processes forked from one that has it imported already."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crashes", self._module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).resolve().parents[1],
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # noqa: TID251 - handed on
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate("", timeout=20)

    def run(
        self,
        act: str,
        arguments: Sequence[str],
        *,
        die_at: int | None = None,
        power_cut: bool = False,
        fail_fsync: int | None = None,
    ) -> Run:
        """Run an act; any end but the ordered death and success is an error."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = [act, list(arguments), die_at, power_cut, fail_fsync]
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        status, steps = json.loads(self._process.stdout.readline())
        assert status in {0, DIED}, f"{act} failed by itself, after {steps[-5:]}"
        died_at = die_at if status == DIED else None
        return Run(arguments=tuple(arguments), died_at=died_at, steps=tuple(steps))

    def every_crash(
        self, prepare: Callable[[], tuple[str, Sequence[str]]], *, power_cut: bool = False
    ) -> Iterator[Run]:
        """Yield a run for each step to die at, last the one that completed untouched.

        ``prepare`` makes a fresh world and returns the act and its arguments.
        """
        for die_at in range(1, MOST_STEPS):
            act, arguments = prepare()
            run = self.run(act, arguments, die_at=die_at, power_cut=power_cut)
            yield run
            if run.died_at is None:
                return
        raise AssertionError("the act never completed")


class _Steps:
    """Counts the steps of this process, and ends it before the one it was told."""

    def __init__(
        self, *, die_at: int | None, power_cut: bool, fail_fsync: int | None, trace: int, kept: Path
    ) -> None:
        self._die_at, self._power_cut, self._fail_fsync = die_at, power_cut, fail_fsync
        self._trace = trace
        self._count = self._fsyncs = 0
        self._disk = Disk(kept)
        self._write = os.write
        self._dying = False

    def wrap_all(self) -> None:
        for name in ("fsync", "fdatasync"):
            setattr(os, name, self._sync(name, getattr(os, name)))
        for name in ("rename", "replace"):
            setattr(os, name, self._two(name, getattr(os, name), self._disk.renaming))
        os.link = self._two("link", os.link, self._disk.linking)
        for name in ("unlink", "remove"):
            setattr(os, name, self._one(name, getattr(os, name), self._disk.unlinking))
        os.mkdir = self._one("mkdir", os.mkdir, self._disk.making)
        os.rmdir = self._one("rmdir", os.rmdir, self._disk.unmaking)
        for name in ("chmod", "truncate"):
            setattr(os, name, self._one(name, getattr(os, name), lambda _: None))
        os.write = self._writing("write", os.write)
        os.ftruncate = self._writing("ftruncate", os.ftruncate)
        os.open = self._opening(os.open)
        builtins.open = io.open = self._opening_by_python(io.open)
        soundfile.SoundFile.write = self._plain("write sound", soundfile.SoundFile.write)
        opening = "__init__"
        setattr(soundfile.SoundFile, opening, self._sound(soundfile.SoundFile.__init__))
        subprocess.Popen.__init__ = self._starting(subprocess.Popen.__init__)  # type: ignore[method-assign]
        subprocess.Popen.communicate = self._ending(subprocess.Popen.communicate)  # type: ignore[method-assign]
        for kind in (psycopg.Connection, psycopg.AsyncConnection):
            kind.commit = self._plain("commit", kind.commit)  # type: ignore[method-assign]

    def step(self, what: str) -> None:
        if self._dying:
            return
        self._count += 1
        if self._count == self._die_at:
            self._dying = True
            if self._power_cut:
                self._disk.cut()
            os._exit(DIED)
        self._write(self._trace, f"{what}\n".encode())

    def _plain(self, what: str, act: Any) -> Any:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.step(what)
            return act(*args, **kwargs)

        return wrapped

    def _one(self, what: str, act: Any, note: Callable[[Path], object]) -> Any:
        def wrapped(path: Any, *args: Any, **kwargs: Any) -> Any:
            whole = _whole(path, kwargs.get("dir_fd"))
            self.step(f"{what} {whole.name}")
            if not self._dying:
                note(whole)
            return act(path, *args, **kwargs)

        return wrapped

    def _two(self, what: str, act: Any, note: Callable[[Path, Path], object]) -> Any:
        def wrapped(source: Any, target: Any, *args: Any, **kwargs: Any) -> Any:
            old = _whole(source, kwargs.get("src_dir_fd"))
            new = _whole(target, kwargs.get("dst_dir_fd"))
            self.step(f"{what} {new.name}")
            if not self._dying:
                note(old, new)
            return act(source, target, *args, **kwargs)

        return wrapped

    def _starting(self, act: Any) -> Any:
        def wrapped(process: Any, command: Any, *args: Any, **kwargs: Any) -> Any:
            if "--version" not in command:
                self.step(f"start {Path(command[0]).name}")
            return act(process, command, *args, **kwargs)

        return wrapped

    def _ending(self, act: Any) -> Any:
        def wrapped(process: Any, *args: Any, **kwargs: Any) -> Any:
            if "--version" not in process.args:
                self.step(f"wait for {Path(process.args[0]).name}")
            return act(process, *args, **kwargs)

        return wrapped

    def _sync(self, what: str, act: Any) -> Any:
        def wrapped(handle: int) -> Any:
            path = _path_of(handle)
            self._fsyncs += 1
            if self._fsyncs == self._fail_fsync:
                self.step(f"failed {what} {path.name}")
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            self.step(f"{what} {path.name}")
            self._disk.synced(path)
            return act(handle)

        return wrapped

    def _writing(self, what: str, act: Any) -> Any:
        def wrapped(handle: int, *args: Any) -> Any:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return act(handle, *args)
            self.step(f"{what} {_path_of(handle).name}")
            return act(handle, *args)

        return wrapped

    def _opening(self, act: Any) -> Any:
        def wrapped(path: Any, flags: int, *args: Any, **kwargs: Any) -> Any:
            whole = _whole(path, kwargs.get("dir_fd"))
            # Opening what is not there makes nothing unless it is told to.
            makes = flags & os.O_CREAT or whole.exists()
            if flags & (os.O_WRONLY | os.O_RDWR) and makes and not self._dying:
                self._open(whole)
            return act(path, flags, *args, **kwargs)

        return wrapped

    def _opening_by_python(self, act: Any) -> Any:
        def wrapped(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            named = isinstance(file, (str, os.PathLike))
            if named and set(mode) & set("wax+") and not self._dying:
                self._open(Path(file))
            return act(file, mode, *args, **kwargs)

        return wrapped

    def _sound(self, act: Any) -> Any:
        def wrapped(sound: Any, file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            if mode != "r" and isinstance(file, (str, os.PathLike)):
                self._open(Path(file))
            return act(sound, file, mode, *args, **kwargs)

        return wrapped

    def _open(self, path: Path) -> None:
        self.step(f"open {path.name}")
        self._disk.written(path, new=not path.exists())


def _whole(path: Any, folder: int | None) -> Path:
    """Return a path also where it is told by an open folder and a name."""
    return Path(path) if folder is None else _path_of(folder) / path


def _path_of(handle: int) -> Path:
    return Path(f"/proc/self/fd/{handle}").readlink()


def main(module: str) -> None:
    """Serve requests of a ``Stage``: one line in, one fork, one line out."""
    acts = importlib.import_module(module)
    for line in sys.stdin:
        act, arguments, die_at, power_cut, fail_fsync = json.loads(line)
        with tempfile.TemporaryFile() as trace, tempfile.TemporaryDirectory() as kept:
            child = os.fork()
            if child == 0:
                # What the act prints is no answer to the stage.
                os.dup2(2, 1)
                steps = _Steps(
                    die_at=die_at,
                    power_cut=power_cut,
                    fail_fsync=fail_fsync,
                    trace=trace.fileno(),
                    kept=Path(kept),
                )
                steps.wrap_all()
                try:
                    asyncio.run(getattr(acts, act)(*arguments))
                except BaseException:  # noqa: BLE001 - told, then the process ends
                    sys.excepthook(*sys.exc_info())
                    os._exit(1)
                os._exit(0)
            _, status = os.waitpid(child, 0)
            trace.seek(0)
            done = trace.read().decode().splitlines()
        sys.stdout.write(json.dumps([os.waitstatus_to_exitcode(status), done]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
