"""Place real calls and keep what Asterisk said of each: ``python -m tests.calls.record``.

Each file holds one call's events, a JSON object a line, as they came over the websocket. Run it
again when Asterisk or the dialplan changes what is sent. Numbers are those of the tests.
"""

import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from recorder.embedded import sipp
from recorder.embedded.office import Office
from tests.asterisk.conftest import CACHE, REGULATION, add_announcement
from tests.asterisk.gate import gate_before
from tests.asterisk.observed import begin, row_of
from tests.tcp_proxy import TcpProxy

HERE = Path(__file__).parent
CALLS: Mapping[str, dict[str, Any]] = {
    "recorded": {"talk_s": 6.0},
    "declined": {"talk_s": 3.0, "key": "2"},
    "caller_left": {"talk_s": 0.7},
    "not_answered": {"talk_s": 6.0, "line": "746640813", "is_cut": True},
    "queue": {"talk_s": 6.0, "line": "746640811"},
    "ring_group": {"talk_s": 6.0, "line": "746640812"},
}


def events_in(said: bytes) -> Iterator[dict[str, Any]]:
    """Yield the events in what a websocket's server sent; its frames are neither masked nor cut."""
    said = said.partition(b"\r\n\r\n")[2]
    while said:
        kind, length, head = said[0] & 0xF, said[1], 2
        if length == 126:
            length, head = int.from_bytes(said[2:4], "big"), 4
        elif length == 127:
            length, head = int.from_bytes(said[2:10], "big"), 10
        if kind == 1:
            yield json.loads(said[head : head + length])
        said = said[head + length :]


def heard(proxy: TcpProxy) -> list[dict[str, Any]]:
    said: dict[int, bytes] = {}
    for connection, piece in list(proxy.said or []):
        said[connection] = said.get(connection, b"") + piece
    (socket,) = [each for each in said.values() if b" 101 " in each[:40]]
    return list(events_in(socket))


def main() -> None:
    settings: dict[str, str] = {}
    directory = Path(tempfile.mkdtemp(prefix="calls-"))
    office = Office(directory, cache=CACHE, regulation=REGULATION, report=print, settings=settings)
    office.open()
    try:
        with gate_before(office.asterisk.ari_port) as proxy:
            proxy.said = []
            settings["RECORDER_ARI_URL"] = f"http://127.0.0.1:{proxy.port}/ari"
            add_announcement(office)
            office.start_capture()
            with sipp.desk(directory / "desk", port=office.asterisk.desk_port):
                for name, what in CALLS.items():
                    before = len(heard(proxy))
                    number, placed = begin(office, **what)
                    placed.wait(timeout_s=60)
                    row_of(office, number)
                    time.sleep(0.5)
                    lines = [json.dumps(each) for each in heard(proxy)[before:]]
                    lines = [each.replace(str(directory), "/srv/office") for each in lines]
                    (HERE / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
                    print(name, len(lines))  # noqa: T201 - a tool for people
            office.close()
    finally:
        office.close()


if __name__ == "__main__":
    main()
