"""F19: out of descriptors, capture's door fails loudly and opens again by itself."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from recorder.embedded.office import takes_calls
from recorder.embedded.postgres import free_port

FILES = 64
CHILD = f"""
import asyncio, logging, resource, sys
from recorder.adapters.probe import serve_probe
logging.basicConfig(stream=sys.stderr)
resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES}, {FILES}))
async def main():
    async with serve_probe("127.0.0.1", int(sys.argv[1]), is_ready=lambda: True):
        print("serves", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
asyncio.run(main())
"""


@pytest.fixture
def door() -> Iterator[tuple[subprocess.Popen[str], int]]:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "serves\n"
        yield child, port
        child.kill()


def test_a_crowd_of_silent_connections_is_told_and_leaves_no_harm(
    door: tuple[subprocess.Popen[str], int],
) -> None:
    child, port = door
    crowd = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(2 * FILES)]
    told = threading.Event()

    def read() -> None:
        # To the end: a full pipe would hold the child up.
        for line in child.stderr or ():
            if "out of system resource" in line:
                told.set()

    threading.Thread(target=read, daemon=True).start()
    assert told.wait(20)
    assert child.poll() is None
    for each in crowd:
        each.close()
    # Those who wait in the backlog are taken in turn; each of these asks waits a second at most.
    assert any(takes_calls(port) for _ in range(10))
