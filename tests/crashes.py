"""SQLite's loop (F16, F17): an act dies at its Nth step, N = 1, 2, 3 … until it completes.

A step is an operation on files (``os.open`` for writing, ``write``, ``fsync``, ``rename``,
``unlink`` …, a file opened or a sound written by Python or libsndfile), another program's start or
end (``pg_dump``), or a commit of PostgreSQL.
An act is a function of a module, async or not, called with strings in a process of its own, which
kills itself (``kill -9``) right before the step: no ``finally`` runs, no buffer is flushed.

    with Stage("tests.postgres.sealing") as stage:
        for run in stage.every_crash(lambda: ("seal_all", prepare())):
            ...

``power_cut`` also takes from the disk what was not put on it: contents without ``fsync``, names
without ``fsync`` of their directory. That is the least that a disk may keep; a plain death is the
most. ``fail_fsync`` makes one ``fsync`` fail instead (F11).
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

KILLED = -signal.SIGKILL
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
            [sys.executable, "-m", "tests.counted_steps", self._module],
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
        assert status in {0, KILLED}, f"{act} failed by itself, after {steps[-5:]}"
        died_at = die_at if status == KILLED else None
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
