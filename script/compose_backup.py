"""Back up on day 0, restore on day 20 and on day 40, in the containers (RG.17, F20)."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import yaml

ROOT = Path(__file__).resolve().parents[1]
SERVICE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))[
    "services"
]["backup"]
LATER = "rejestrator/backup-later:trial"
LATER_FILE = f"""\
FROM {SERVICE["image"]}
USER 0:0
RUN /usr/local/sbin/apt-install faketime && ln -s /usr/lib/*/faketime/libfaketime.so.1 /opt/later.so
USER 10001:10001
"""
SETS, KEYS = "/var/backups/rejestrator", "/var/backups/rejestrator-keys"
OWNER = "RECORDER_DATABASE_URL_FILE=/run/secrets/owner_database_url"
STOPPED = ("capture", "retention", "web")
OLD = "'10 days'"
LEAST = 3
"""So many recordings it takes."""


class Engine(Protocol):
    """What runs the containers."""

    name: str

    def execute(self, service: str, *command: str) -> str:
        """Return what a command in a container printed."""

    def act(self, what: str, service: str) -> None:
        """Stop or start a container."""

    def attempt(self, *command: str) -> tuple[int, str]:
        """Return a program's status and all that it printed."""


class Backups:
    """The service ``backup`` on a day of choice: the engine's compose knows no other clock."""

    def __init__(self, engine: Engine, work: Path, project: str) -> None:
        self._engine, self._work, self._project = engine, work, project

    def recorder(self, *command: str, day: int = 0, env: tuple[str, ...] = ()) -> tuple[int, str]:
        """Run ``recorder`` as that service would, so many days later."""
        given = [self._engine.name, "run", "--rm", "--read-only", "--tmpfs", "/tmp"]  # noqa: S108
        given += ["--network", f"{self._project}_database", "--user", SERVICE["user"]]
        given += ["--group-add", "10002", "--cap-drop", "ALL"]
        for name, value in SERVICE["environment"].items():
            plain = re.sub(r"[$][{]\w+:-([^}]*)[}]", r"\1", str(value))
            given += ["--env", f"{name}={plain}"]
        for volume in SERVICE["volumes"]:
            source, _, rest = volume.rpartition(":/")
            if source.startswith("$"):
                continue
            given += ["--volume", f"{self._project}_{source}:/{rest}"]
        regulation = self._work / "regulation.toml"
        given += ["--volume", f"{regulation}:/etc/rejestrator/regulation.toml:ro"]
        for secret in SERVICE["secrets"]:
            given += ["--volume", f"{self._work}/secrets/{secret}:/run/secrets/{secret}:ro"]
        for each in env:
            given += ["--env", each]
        if day:
            for each in ("LD_PRELOAD=/opt/later.so", f"FAKETIME=+{day}d"):
                given += ["--env", each]
            given += ["--env", "FAKETIME_DONT_FAKE_MONOTONIC=1"]
        return self._engine.attempt(*given, LATER, "recorder", *command)

    def must(self, *command: str, day: int = 0, env: tuple[str, ...] = ()) -> str:
        """Run it; a failure ends the trial."""
        status, said = self.recorder(*command, day=day, env=env)
        if status != 0:
            raise SystemExit(f"recorder {' '.join(command)} ended with {status}: {said[-1500:]}")
        return said

    def restore(self, day: int) -> str:
        """Restore the newest backup on that day; a person vouches for the clock when asked."""
        command = ("restore", SETS, "--keys-from", KEYS, "--without-ledger", "--replace")
        status, said = self.recorder(*command, day=day, env=(OWNER,))
        if status != 0 and "--confirm" in said:
            token = said.split("--confirm ")[1].split()[0].strip("`.")
            said = self.must("restore", "--finish", "--confirm", token, day=day, env=(OWNER,))
        elif status != 0:
            raise SystemExit(f"the restore on day {day} ended with {status}: {said[-1500:]}")
        return said


def sql(engine: Engine, query: str) -> list[str]:
    """Ask the database as its administrator."""
    command = ("psql", "-U", "postgres", "-At", "-d", "recorder", "-c", query)
    return engine.execute("postgres", *command).split()


def there_and_back(backups: Backups, engine: Engine, say: Callable[[str], None]) -> None:
    """Three recordings: fresh, ten days old, and held. Day 20 and day 40 must tell them apart."""
    ids = sql(engine, "SELECT id FROM recording ORDER BY ended_at LIMIT 3")
    held, old, fresh = ids
    columns = ("ended_at", "first_sample_at", "erase_by")
    moved = ", ".join(f"{each} = {each} - interval {OLD}" for each in columns)
    sql(engine, f"UPDATE recording SET {moved} WHERE id = '{old}' RETURNING id")  # noqa: S608
    held_by = ("--ground", "request_of_authority", "--reference", "RSD 1/2026", "--reason", "x")
    engine.execute("web", "recorder", "hold", "place", held, "--provisional", *held_by)
    sql(engine, "UPDATE hold SET lapses_at = NULL RETURNING id")
    everything = set(sql(engine, "SELECT id FROM recording"))
    backups.must("backup", SETS, "--keys-to", KEYS)
    backups.must("backup", "verify", SETS, "--keys-from", KEYS)
    for each in STOPPED:
        engine.act("stop", each)
    for day, left in ((20, everything - {old}), (40, {held})):
        backups.restore(day)
        kept = set(sql(engine, "SELECT id FROM recording WHERE stage = 'kept'"))
        if kept != left:
            raise SystemExit(f"day {day}: {len(kept)} recordings are there, not {len(left)}")
        said = backups.must("recordings", "verify", "--all", day=day)
        if f"Read {len(left)} recordings; 0 missing" not in said:
            raise SystemExit(f"day {day}: {said[-300:]}")
        say(f"restored on day {day}: {len(left)} of {len(everything)} can be played, the held too")
    assert fresh in everything  # noqa: S101
    for each in STOPPED:
        engine.act("start", each)
