"""A database that is slow, silent or read-only: a clear answer, soon, and no second row.

F6, F7, F8.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from recorder.accounts.model import Role
from tests.signed_in import PURPOSE
from tests.tcp_proxy import TcpProxy
from tests.web.office import WebOffice, open_office

pytestmark = pytest.mark.postgres
SEARCH = "/api/v1/calls/search"


@pytest.fixture
async def proxy(database_url: str) -> AsyncIterator[TcpProxy]:
    port = make_url(database_url).port
    assert port is not None
    async with TcpProxy(port).running() as running:
        yield running


@pytest.fixture
async def behind(proxy: TcpProxy, database_url: str, tmp_path: Path) -> AsyncIterator[WebOffice]:
    url = make_url(database_url).set(port=proxy.port)
    async with open_office(url.render_as_string(hide_password=False), tmp_path) as office:
        yield office


async def test_a_silent_database_is_told_in_the_persons_language_and_in_time(
    proxy: TcpProxy, behind: WebOffice
) -> None:
    """F7."""
    browser = await behind.at_work(Role.LISTENER)
    proxy.silent = True
    began = time.monotonic()
    answers = await asyncio.gather(
        browser.post(SEARCH, json={}),
        browser.get("/", headers={"Accept-Language": "en"}),
        browser.get("/", headers={"Accept-Language": "pl"}),
        *(browser.get("/healthz") for _ in range(3)),
    )
    assert time.monotonic() - began < 20
    assert [each.status_code for each in answers] == [503, 503, 503, 200, 200, 200]
    assert answers[0].json()["type"] == "urn:rejestrator:problem:unavailable"
    assert answers[0].headers["retry-after"] == "30"
    assert "The system cannot answer now" in answers[1].text
    assert "System nie może teraz odpowiedzieć" in answers[2].text
    proxy.silent = False
    assert (await browser.post(SEARCH, json={})).status_code == 200


@pytest.mark.load
async def test_the_loop_goes_on_while_the_database_does_not(
    proxy: TcpProxy, behind: WebOffice
) -> None:
    """F7: never blocked for longer than 100 ms."""
    browser = await behind.at_work(Role.LISTENER)
    proxy.latency_s = 0.5
    longest = 0.0
    stop = asyncio.Event()

    async def measure() -> None:
        nonlocal longest
        while not stop.is_set():
            before = time.monotonic()
            await asyncio.sleep(0.005)
            longest = max(longest, time.monotonic() - before - 0.005)

    measuring = asyncio.ensure_future(measure())
    answers = await asyncio.gather(*(browser.post(SEARCH, json={}) for _ in range(8)))
    stop.set()
    await measuring
    assert {each.status_code for each in answers} <= {200, 503}
    assert longest < 0.1


async def test_a_reset_in_the_middle_leaves_one_playback_or_none(
    proxy: TcpProxy, behind: WebOffice
) -> None:
    """F7: the commit whose answer was lost is not taken for one that failed and was undone."""
    call = await behind.call(seconds=1)
    browser = await behind.at_work(Role.LISTENER)
    path = f"/api/v1/recordings/{call.recording_id}/playbacks"
    for lets_pass in (False, True):
        proxy.reset_at, proxy.reset_lets_it_pass = b"COMMIT", lets_pass
        answer = await browser.post(path, json={"purpose": PURPOSE})
        assert answer.status_code in {201, 503}
    proxy.reset_at = None
    entries = [each for each in await behind.trail() if each.action == "playback:opened"]
    assert len(entries) <= 2
    assert len({json.loads(each.details)["playback"] for each in entries}) == len(entries)
    assert (await browser.post(path, json={"purpose": PURPOSE})).status_code == 201


async def test_a_statement_that_takes_too_long_is_cut(office: WebOffice) -> None:
    """F7: statement_timeout."""
    browser = await office.at_work(Role.LISTENER)
    async with office.engine.connect() as holder:
        await holder.exec_driver_sql("LOCK TABLE call IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        answer = await browser.post(SEARCH, json={})
        assert (answer.status_code, time.monotonic() - began < 8) == (503, True)
    assert (await browser.post(SEARCH, json={})).status_code == 200


async def test_a_read_only_database_finds_nothing_because_nothing_can_be_noted(
    office: WebOffice,
) -> None:
    """F8, RG.15: no entry, no answer."""
    browser = await office.at_work(Role.LISTENER)
    name = make_url(office.settings.database_url.get_secret_value()).database
    await office.do(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await office.engine.dispose()
    answer = await browser.post(SEARCH, json={})
    assert answer.status_code == 503
    assert "read" not in answer.text
    assert (await browser.get("/healthz")).status_code == 200


async def test_a_storm_of_requests_is_bounded_and_each_is_answered(office: WebOffice) -> None:
    """F8: five connections, however many ask."""
    browser = await office.at_work(Role.LISTENER)
    answers = await asyncio.gather(*(browser.post(SEARCH, json={}) for _ in range(50)))
    assert {each.status_code for each in answers} <= {200, 503}
    assert sum(each.status_code == 200 for each in answers) >= 20
    async with office.engine.connect() as connection:
        found = await connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'web'"
        )
        assert (found.scalar() or 0) <= 5


async def test_whoever_asks_too_often_is_told_to_wait_and_nobody_else(office: WebOffice) -> None:
    one, other = await office.at_work(Role.LISTENER), await office.at_work(Role.REGISTRY_CLERK)
    statuses = [(await one.post(SEARCH, json={})).status_code for _ in range(70)]
    assert statuses[:60] == [200] * 60 or 429 in statuses
    assert statuses[-1] == 429 or statuses.count(429) >= 5
    assert (await other.post(SEARCH, json={})).status_code == 200
    assert (await one.get("/")).status_code == 200


async def test_readiness_tells_strangers_little_and_the_machine_all(
    proxy: TcpProxy, behind: WebOffice
) -> None:
    here, stranger = behind.browser("127.0.0.1"), behind.browser("203.0.113.9")
    ready = await here.get("/readyz")
    assert ready.status_code == 200
    assert {each["name"] for each in ready.json()["parts"]} == {"database", "vault", "keys"}
    assert (await stranger.get("/readyz")).json() == {"ready": True}
    assert (await stranger.get("/metrics")).status_code == 403
    assert (await here.get("/metrics", headers={"X-Forwarded-For": "1.2.3.4"})).status_code == 403
    proxy.silent = True
    down = await here.get("/readyz")
    assert down.status_code == 503
    assert [each["name"] for each in down.json()["parts"] if not each["reachable"]] == ["database"]
    metrics = await here.get("/metrics")
    assert "recorder_database_up 0.0" in metrics.text


async def test_a_trail_that_takes_nothing_is_not_called_ready(office: WebOffice) -> None:
    here = office.browser("127.0.0.1")
    assert (await here.get("/readyz")).status_code == 200
    await office.do("ALTER TABLE audit_head DISABLE TRIGGER USER")
    await office.do("DELETE FROM audit_head")
    down = await here.get("/readyz")
    assert down.status_code == 503
    assert {"name": "database", "reachable": False, "says": "TrailUnavailable"} in (
        down.json()["parts"]
    )


async def test_metrics_have_a_token_of_their_own(database_url: str, tmp_path: Path) -> None:
    async with open_office(database_url, tmp_path, metrics_token="prometheus") as office:
        await office.call(seconds=1)
        stranger = office.browser("203.0.113.9")
        bearer = {"Authorization": "Bearer prometheus"}
        found = await stranger.get("/metrics", headers=bearer)
        assert found.status_code == 200
        assert "recorder_recordings 1.0" in found.text
        assert 'recorder_calls_today{outcome="recorded"' in found.text
        for wanted in (
            'recorder_calls_total{decision="recorded"',
            'recorder_disk_free_bytes{volume="vault"}',
            "recorder_oldest_unheld_recording_age_seconds",
            "recorder_audio_gap_total 0.0",
            "recorder_build_info",
        ):
            assert wanted in found.text
        for wrong in ({}, {"Authorization": "Bearer x"}, {"Authorization": "prometheus"}):
            for browser in (stranger, office.browser("127.0.0.1")):
                assert (await browser.get("/metrics", headers=wrong)).status_code == 403
