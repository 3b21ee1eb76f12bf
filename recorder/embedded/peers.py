"""The demo's trunk and desk as processes of their own: what the containers of profile demo run."""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from recorder.adapters.regulation_file import load_regulation
from recorder.embedded import sipp
from recorder.embedded.demo_call import told_s
from recorder.settings import load_settings

TALK_S = 6.0


def main() -> int:
    """Answer until stopped, or place calls and say how many failed."""
    parser = argparse.ArgumentParser(prog="peers", description=__doc__)
    parser.add_argument("what", choices=("desk", "call"))
    parser.add_argument("--address", required=True, help="our own address")
    parser.add_argument("--host", default="", help="where Asterisk is")
    parser.add_argument("--port", type=int, default=5060)
    parser.add_argument("--number", default="600123456")
    parser.add_argument("--display", default="")
    parser.add_argument("--calls", type=int, default=1)
    parser.add_argument("--talk", type=float, default=TALK_S, help="seconds, once connected")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.what == "desk":
            return _desk(Path(folder), arguments)
        return _call(Path(folder), arguments)


def _desk(folder: Path, arguments: argparse.Namespace) -> int:
    with sipp.desk(folder, port=arguments.port, address=arguments.address) as answering:
        signal.signal(signal.SIGTERM, lambda *_: answering.stop())
        while True:
            try:
                answering.wait(timeout_s=3600)
            except subprocess.TimeoutExpired:
                continue
            return 0


def _call(folder: Path, arguments: argparse.Namespace) -> int:
    settings = load_settings()
    wait_s = load_regulation(settings.regulation_file).announcement.choice_wait_s
    told = told_s(settings.announcement_dir)
    caller = sipp.Caller(
        number=arguments.number,
        display=arguments.display,
        address=arguments.address,
        marker_s=told + wait_s - 0.2,
        talk_s=told + wait_s + arguments.talk,
    )
    with sipp.call(
        folder,
        caller,
        sip_port=arguments.port,
        host=arguments.host,
        calls=arguments.calls,
        at_once=arguments.calls,
        a_second=5,
    ) as placed:
        failed = placed.wait(timeout_s=caller.talk_s * 3 + 30)
    sys.stdout.write(json.dumps({"calls": arguments.calls, "failed": failed}) + "\n")
    return int(failed != 0)


if __name__ == "__main__":
    sys.exit(main())
