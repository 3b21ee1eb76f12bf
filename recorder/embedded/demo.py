"""``script/run``: the whole service on one machine, and one real call through it."""

import argparse
import signal
import sys
from pathlib import Path

from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.clock import SystemClock
from recorder.adapters.starters import load_starters
from recorder.announcements.service import AnnouncementKeeper
from recorder.embedded.demo_call import STATE, RunningOffice, forget, place_demo_call
from recorder.embedded.office import CHECKOUT, Office, trial_regulation
from recorder.errors import RecorderError
from recorder.regulation import parse_regulation

CACHE = Path.home() / ".cache" / "rejestrator"


def main() -> None:
    """Run until Ctrl-C; with ``--demo --once`` until the call's recording is proved right."""
    arguments = _parse()
    office = Office(STATE, cache=CACHE, regulation=trial_regulation(), report=_report)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        office.open()
        _report("installing the starter announcements")
        _install_starters(office)
        office.start_capture()
        office.start_retention()
        _say_where(office)
        running = RunningOffice.of(office)
        running.keep(STATE)
        right = place_demo_call(running, STATE, _report) if arguments.demo else True
        if arguments.once:
            sys.exit(0 if right else 1)
        _report("Ctrl-C stops everything")
        signal.pause()
    except KeyboardInterrupt:
        _report("stopping")
    except RecorderError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    finally:
        forget(STATE)
        office.close()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/run",
        description="Start PostgreSQL, Asterisk, capture and retention on loopback; "
        "state lives under .local/.",
    )
    parser.add_argument("--demo", action="store_true", help="also place one real SIP call")
    parser.add_argument(
        "--once", action="store_true", help="stop afterwards; exit 0 only if all is right"
    )
    return parser.parse_args()


def _install_starters(office: Office) -> None:
    keeper = AnnouncementKeeper(
        catalogue=AnnouncementCatalogue(office.announcements),
        regulation=parse_regulation(trial_regulation(), source="regulation.toml"),
        clock=SystemClock(),
    )
    keeper.install(load_starters(), activate=True)


def _say_where(office: Office) -> None:
    settings = office.directory / "settings.env"
    settings.touch(mode=0o600)
    lines = (f"{name}={value}\n" for name, value in sorted(office.environment.items()))
    settings.write_text("".join(lines), encoding="utf-8")
    _report(f"SIP trunk: 127.0.0.1:{office.asterisk.sip_port} (from 127.0.0.2)")
    answers = office.employ()
    _report("signed in at the prompt as demo; after 15 idle minutes again:")
    _report(f"  .local/venv/bin/recorder sign-in demo < {answers.relative_to(CHECKOUT)}")
    _report(f"settings for the command line: set -a; . {settings.relative_to(CHECKOUT)}; set +a")


def _report(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
