"""The processes of ``tests/crashes.py``: one with everything imported, which forks one per act.

A fork counts its steps and kills itself before the one it was told.
"""

import asyncio
import builtins
import errno
import importlib
import inspect
import io
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import soundfile

from tests.power_cut import Disk


class Steps:
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
            os.kill(os.getpid(), signal.SIGKILL)
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
                steps = Steps(
                    die_at=die_at,
                    power_cut=power_cut,
                    fail_fsync=fail_fsync,
                    trace=trace.fileno(),
                    kept=Path(kept),
                )
                steps.wrap_all()
                try:
                    doing = getattr(acts, act)(*arguments)
                    if inspect.iscoroutine(doing):
                        asyncio.run(doing)
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
