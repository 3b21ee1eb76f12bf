"""Do something in a process that kills itself before its Nth file operation (F16)."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PRELUDE = """
import os, sys
steps, die_at = 0, int(sys.argv.pop(1))

def dying(act):
    def step(*args, **kwargs):
        global steps
        steps += 1
        if steps == die_at:
            os.kill(os.getpid(), 9)
        return act(*args, **kwargs)
    return step

def from_now_on(*more):
    for name in ("open", "write", "fsync", "rename", "unlink", "link", "mkdir"):
        setattr(os, name, dying(getattr(os, name)))
"""


def crashes(
    script: str, die_at: int, *arguments: object, environment: dict[str, str] | None = None
) -> bool:
    """Run ``script``, which calls ``from_now_on()``; False = it lived to its end."""
    run = subprocess.run(
        [sys.executable, "-c", PRELUDE + script, str(die_at), *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        check=False,
    )
    assert run.returncode in {0, -9}, run.stderr.decode()
    return run.returncode == -9
