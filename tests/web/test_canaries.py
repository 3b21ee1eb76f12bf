"""Known numbers and names, hostile ones too: found where they may be, and nowhere else.

RG.16, I8, B3, A14. What is searched: every log line, the metrics, every address, every answer that
is not meant to show them, every exception.
"""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from recorder import logs
from recorder.accounts.model import Role
from tests.signed_in import PURPOSE
from tests.web.office import STRANGER, WebOffice

pytestmark = pytest.mark.postgres

NUMBER, NAME, PERSON, TEXT = (
    "600987654",
    "Canary Kanarkowska",
    "Zenobia Kwiatkowska",
    "tajna sprawa",
)
SECRETS = (NUMBER, "987 654", NAME, PERSON, TEXT, "kanark")
HOSTILE = (
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "'); DROP TABLE call; --",
    "\x1b[2J\x1b[31mred",
    "\u202egnp.exe",
    "../../etc/passwd",
    "%00%0a%0d",
    "{{ 7*7 }} ${7*7} #{7*7}",
    "😀" * 20,
    "\ufffd\ufeff",
    "a" * 500,
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "O'Brien & Sons <b>",
    "null",
)


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "web.log"
    logs.configure(level="debug", file=file)
    yield file
    logging.shutdown()


def check(log_file: Path, *texts: str) -> None:
    written = log_file.read_text(encoding="utf-8")
    assert '"event": "request"' in written, "nothing was logged: the test proves nothing"
    for secret in SECRETS:
        for text in (written, *texts):
            assert secret.lower() not in text.lower(), secret


async def test_canaries_are_in_no_log_metric_or_address(log_file: Path, office: WebOffice) -> None:
    call = await office.call(seconds=2, caller_number=NUMBER, caller_name=NAME)
    account = await office.person(Role.LISTENER, login="olga")
    await office.authorise(account, [Role.LISTENER])
    browser = await office.sign_in("olga")
    addresses: list[str] = []

    async def seen(request: httpx.Request) -> None:
        addresses.append(str(request.url))

    browser.event_hooks["request"].append(seen)
    found = await browser.post("/api/v1/recordings/search", json={"caller": NUMBER})
    assert found.json()["recordings"], "the canary must be found, or nothing is proved"
    revealed = await browser.post(f"/api/v1/calls/{call.id}/reveal", json={"purpose": PURPOSE})
    assert NUMBER in revealed.text
    masked = [
        await browser.get(f"/api/v1/calls/{call.id}"),
        found,
        await browser.get(f"/api/v1/recordings/{call.recording_id}"),
    ]
    opened = await browser.post(
        f"/api/v1/recordings/{call.recording_id}/playbacks", json={"purpose": PURPOSE}
    )
    await browser.get(opened.json()["audio"], headers={"Range": "bytes=0-999"})
    led = await browser.post("/search", data={"caller": NUMBER, "called": ""})
    assert str(call.id) in (await browser.get(led.headers["location"])).text
    page = (await browser.get(f"/calls/{call.id}")).text
    # Wrong, refused, not there, broken.
    mistakes = [
        await browser.post("/api/v1/calls/search", json={"caller": NUMBER, NAME: TEXT}),
        await browser.post("/api/v1/calls/search", json={"day": NUMBER, "caller": [NAME]}),
        await browser.post("/api/v1/calls/search", content=f"{NUMBER} {NAME}".encode()),
        await browser.post(f"/api/v1/calls/{call.id}/reveal", json={"purpose": TEXT}),
        await browser.post("/sign-in", data={"login": NAME, "password": NUMBER}),
        await browser.get("/nowhere"),
        await office.browser(STRANGER).post("/sign-in", data={"login": NAME}),
    ]
    await office.do("ALTER TABLE call RENAME TO call_away")
    broken = await browser.post("/api/v1/calls/search", json={"caller": NUMBER})
    assert broken.status_code == 503
    await office.do("ALTER TABLE call_away RENAME TO call")
    metrics = await office.browser("127.0.0.1").get("/metrics")
    assert "recorder_http_requests_total" in metrics.text
    texts = [each.text.replace(NAME, "") if "/sign-in" in str(each.url) else each.text
             for each in mistakes]  # fmt: skip
    check(
        log_file,
        metrics.text,
        " ".join(addresses),
        broken.text,
        # To whom it is shown stands on every page.
        page.replace(PERSON, ""),
        *(each.text for each in masked),
        *texts,
    )


async def test_a_crash_tells_a_number_and_nothing_else(log_file: Path, office: WebOffice) -> None:
    """A14."""
    browser = await office.at_work(Role.LISTENER)

    async def fails(*_: object, **__: object) -> None:
        raise RuntimeError(f"{NUMBER} {NAME} at /srv/secret.py: SELECT everything")

    office.services.finder.calls = fails  # type: ignore[method-assign,assignment]
    for path, body in (("/api/v1/calls/search", {"caller": NUMBER}),):
        answer = await browser.post(path, json=body)
        assert answer.status_code == 500
        problem = answer.json()
        number = problem["instance"].removeprefix("urn:uuid:")
        assert set(problem) == {"type", "title", "status", "detail", "instance"}
        assert number in log_file.read_text(encoding="utf-8")
        for leak in ("SELECT", "/srv", "RuntimeError", "Traceback"):
            assert leak not in answer.text
        check(log_file, answer.text)


async def test_what_callers_send_is_data_everywhere(office: WebOffice) -> None:
    """B3: whole and unchanged in JSON, never a command to anybody."""
    calls = [await office.call(caller_number=each[:80], caller_name=each) for each in HOSTILE]
    browser = await office.at_work(Role.LISTENER)
    for call, hostile in zip(calls, HOSTILE, strict=True):
        revealed = await browser.post(
            f"/api/v1/calls/{call.id}/reveal", json={"request": "W/1/2026"}
        )
        assert revealed.headers["content-type"] == "application/json"
        assert revealed.json()["caller_name"] == hostile
        if len(hostile) <= 64:
            found = await browser.post("/api/v1/calls/search", json={"caller": hostile})
            assert str(call.id) in {each["id"] for each in found.json()["calls"]}, hostile
    everything = await browser.post("/api/v1/calls/search", json={"limit": 200})
    assert len(everything.json()["calls"]) == len(HOSTILE)
    assert json.loads(everything.text)


async def test_a_hostile_name_of_a_person_is_text_on_a_page(office: WebOffice) -> None:
    """B3."""
    for number, hostile in enumerate(HOSTILE):
        name = hostile.strip()
        account = await office.person(Role.LISTENER, login=f"person{number}")
        await office.do(
            "UPDATE account SET name = :name, post = :name WHERE id = :id",
            id=account.id,
            name=name,
        )
        browser = await office.sign_in(account.login)
        for path in ("/", "/account"):
            page = await browser.get(path)
            assert page.status_code == 200
            for raw in ("<script>alert", "<img src=x", "Sons <b>", "\x1b", "\u202e", "49 49"):
                assert raw not in page.text, (path, hostile)
