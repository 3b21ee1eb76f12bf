"""What script/compose-test asks of Prometheus: whom it sees, its alarms, the panels' figures."""

import json
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
PORT = 19090
SEEN = {"rejestrator", "rejestrator-capture"}
ALARMED = {
    "capture": "RecorderCaptureDown",
    "web": "RecorderWebDown",
    "postgres": "RecorderDatabaseDown",
    "asterisk": "RecorderAriDown",
}
"""Which alarm must be on its way while a container is stopped."""
LONG_ENOUGH_S = 45
"""Two questions, two evaluations, and what it takes to notice."""
MAYBE_NOTHING = {
    # Nobody has verified the trail at a page, and nothing need have gone wrong.
    "recorder_incidents_today",
    "time() - recorder_audit_verified_timestamp_seconds",
}


def ask(path: str, **query: str) -> Any:  # noqa: ANN401 - what JSON has
    """Return what Prometheus's API answers, None while it does not."""
    url = f"http://127.0.0.1:{PORT}/api/v1/{path}?{urllib.parse.urlencode(query)}"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            told = json.loads(answer.read())
    except OSError:
        return None
    return told["data"] if told["status"] == "success" else None


def sees_everything() -> bool:
    """Return whether each of its targets answers."""
    told = ask("targets")
    return (
        told is not None
        and {each["labels"]["job"] for each in told["activeTargets"] if each["health"] == "up"}
        == SEEN
    )


def alarms() -> set[str]:
    """Return the alarms that are raised, or will be when it goes on."""
    told = ask("alerts")
    return {each["labels"]["alertname"] for each in told["alerts"]} if told else set()


def watched(until: Callable[..., float], say: Callable[[str], None]) -> None:
    """Rules are loaded and evaluated, targets seen, and every panel has something to show."""
    until("Prometheus sees web and capture", sees_everything, within_s=90)
    file = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text("utf-8"))
    wanted = {each["alert"] for group in file["groups"] for each in group["rules"]}

    def evaluated() -> bool:
        told = ask("rules")
        rules = [each for group in told["groups"] for each in group["rules"]] if told else []
        return wanted == {each["name"] for each in rules if each["health"] == "ok"}

    until("Prometheus evaluates every rule", evaluated, within_s=60)
    board = json.loads((ROOT / "deploy/grafana/rejestrator.json").read_text("utf-8"))
    shown = {target["expr"] for panel in board["panels"] for target in panel["targets"]}
    for expression in sorted(shown):
        until(
            f"the panel of {expression} has something to show",
            lambda expression=expression: shows(expression),
            within_s=60,
        )
    say(f"Prometheus sees web and capture; {len(wanted)} rules, {len(shown)} figures of the panels")


def shows(expression: str) -> bool:
    """Return whether a panel's question is understood and has an answer."""
    told = ask("query", query=expression)
    return told is not None and (bool(told["result"]) or expression in MAYBE_NOTHING)
