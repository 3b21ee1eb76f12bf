"""Hearing a recording: for a purpose, one range at a time, while the right lasts (A3, A8)."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from recorder.access.playback import OVER_AFTER
from recorder.accounts.model import Role
from recorder.model import CallRecord
from recorder.web.app import create_app
from recorder.web.streaming import Pace
from tests.signed_in import PURPOSE
from tests.web.office import STRANGER, WebOffice

pytestmark = pytest.mark.postgres
WHY = {"purpose": PURPOSE}


async def opened(browser: httpx.AsyncClient, call: CallRecord, why: Any = WHY) -> str:
    answer = await browser.post(f"/api/v1/recordings/{call.recording_id}/playbacks", json=why)
    assert answer.status_code == 201, answer.text
    path: str = answer.json()["audio"]
    return path


async def whole(office: WebOffice, call: CallRecord) -> bytes:
    assert call.recording_id is not None
    assert call.ended_at is not None
    folder = f"{call.ended_at:%Y/%m/%d}"
    return await office.vault.read(call.recording_id, folder=folder, start=0, length=1 << 30)


async def test_audio_is_heard_for_a_purpose_whole_and_in_one_range(office: WebOffice) -> None:
    """A8."""
    call = await office.call(seconds=5)
    browser = await office.at_work(Role.LISTENER)
    sound = await whole(office, call)
    path = await opened(browser, call)
    full = await browser.get(path)
    assert (full.status_code, full.content) == (200, sound)
    assert full.headers["content-type"] == "audio/wav"
    for header, span in (
        ("bytes=0-0", slice(0, 1)),
        ("bytes=100-65535", slice(100, 65536)),
        ("bytes=65530-131080", slice(65530, 131081)),
        ("bytes=-1000", slice(len(sound) - 1000, None)),
        ("bytes=100000-", slice(100_000, None)),
        ("bytes=0-99999999", slice(0, None)),
    ):
        part = await browser.get(path, headers={"Range": header})
        assert (part.status_code, part.content) == (206, sound[span])
        first, last, size = span.indices(len(sound))[0], span.indices(len(sound))[1] - 1, len(sound)
        assert part.headers["content-range"] == f"bytes {first}-{last}/{size}"
        assert part.headers["content-length"] == str(last - first + 1)
        assert part.headers["accept-ranges"] == "bytes"
        assert part.headers["cache-control"] == "no-store"
    etag = full.headers["etag"]
    same = await browser.get(path, headers={"Range": "bytes=1-2", "If-Range": etag})
    other = await browser.get(path, headers={"Range": "bytes=1-2", "If-Range": '"other"'})
    assert (same.status_code, other.status_code) == (206, 200)


@pytest.mark.parametrize(
    "header",
    [
        "bytes=5-2",
        "bytes=99999999-",
        "bytes=a-b",
        "bytes=0-1,3-4",
        "bytes=" + "9" * 4000 + "-",
        "bytes=" + ",".join(f"{each}-" for each in range(1000)),
        "items=0-1",
    ],
)
async def test_any_other_range_is_refused(office: WebOffice, header: str) -> None:
    """A8."""
    call = await office.call(seconds=1)
    browser = await office.at_work(Role.LISTENER)
    path = await opened(browser, call)
    answer = await browser.get(path, headers={"Range": header})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(await whole(office, call))}"


async def test_nothing_is_heard_without_a_purpose_of_the_list(office: WebOffice) -> None:
    """R3.1a."""
    call = await office.call(seconds=1)
    browser = await office.at_work(Role.LISTENER)
    path = f"/api/v1/recordings/{call.recording_id}/playbacks"
    for why in ({}, {"purpose": "ciekawość"}, {"purpose": PURPOSE.upper()}, {"request": "x"}):
        assert (await browser.post(path, json=why)).status_code == 422
    assert "playback:opened" not in await office.actions()
    await opened(browser, call, {"request": "W/31/2026"})
    entry = (await office.trail())[-1]
    assert (entry.action, entry.reason) == ("playback:opened", "W/31/2026")
    assert entry.subject == f"recording:{call.recording_id}"


async def test_a_playback_is_noted_once_with_the_seconds_that_were_heard(
    office: WebOffice,
) -> None:
    """R8.1e, A8."""
    call = await office.call(seconds=20)
    browser = await office.at_work(Role.LISTENER)
    path = await opened(browser, call)
    for header in ("bytes=0-319999", "bytes=160000-319999", "bytes=320000-351999"):
        await browser.get(path, headers={"Range": header})
    assert (await browser.post(path.replace("/audio", "/end"))).status_code == 204
    about = [each for each in await office.trail() if each.action.startswith("playback:")]
    assert [each.action for each in about] == ["playback:opened", "playback:ended"]
    assert json.loads(about[1].details)["seconds"] == 11.0
    assert about[1].reason == "closed"
    after = await browser.get(path)
    assert (after.status_code, after.json()["reason"]) == (409, "playback_over")


async def test_what_nobody_listens_to_any_more_is_ended_for_them(office: WebOffice) -> None:
    call = await office.call(seconds=2)
    browser = await office.at_work(Role.LISTENER)
    path = await opened(browser, call)
    await browser.get(path, headers={"Range": "bytes=0-31999"})
    assert await office.services.listening.end_idle() == 0
    await office.do(
        "UPDATE playback SET served_at = served_at - make_interval(secs => :s)",
        s=OVER_AFTER.total_seconds(),
    )
    assert (await browser.get(path)).status_code == 409
    assert await office.services.listening.end_idle() == 1
    entry = (await office.trail())[-1]
    assert (entry.action, entry.reason) == ("playback:ended", "idle")
    assert json.loads(entry.details)["seconds"] == 1.0


async def test_a_playback_belongs_to_its_session_and_its_recording(office: WebOffice) -> None:
    """A2: an address of a playback opens nothing to anybody else."""
    call, other = await office.call(seconds=1), await office.call(seconds=1)
    account = await office.person(Role.LISTENER, login="olga")
    await office.authorise(account, [Role.LISTENER])
    mine, mine_too = await office.sign_in("olga"), await office.sign_in("olga")
    path = await opened(mine, call)
    assert (await mine.get(path)).status_code == 200
    theirs = await office.at_work(Role.LISTENER)
    for browser, wanted in (
        (mine_too, path),
        (theirs, path),
        (mine, path.replace(str(call.recording_id), str(other.recording_id))),
    ):
        assert (await browser.get(wanted)).status_code == 404
    assert (await office.browser().get(path)).status_code == 401


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("UPDATE authorisation SET revoked_at = now() - interval '1 second'", 403),
        ("UPDATE authorisation SET valid_until = now() - interval '1 second'", 403),
        ("UPDATE account SET disabled_at = now()", 401),
        ("UPDATE account SET roles = '[\"registry_clerk\"]'", 403),
        ("UPDATE session SET ended_at = now()", 401),
        ("UPDATE session SET seen_at = now() - interval '16 minutes'", 401),
        ("UPDATE workstation SET removed_at = now()", 403),
    ],
)
async def test_when_the_right_ends_the_next_range_is_refused(
    office: WebOffice, change: str, status: int
) -> None:
    """A3."""
    call = await office.call(seconds=2)
    browser = await office.at_work(Role.LISTENER)
    path = await opened(browser, call)
    assert (await browser.get(path, headers={"Range": "bytes=0-9"})).status_code == 206
    await office.do(change)
    assert (await browser.get(path, headers={"Range": "bytes=10-19"})).status_code == status


async def test_from_another_place_the_next_range_is_refused(office: WebOffice) -> None:
    """A3."""
    call = await office.call(seconds=1)
    browser = await office.at_work(Role.LISTENER)
    path = await opened(browser, call)
    elsewhere = office.browser(STRANGER)
    elsewhere.cookies = browser.cookies
    assert (await elsewhere.get(path)).status_code == 403
    forged = await elsewhere.get(path, headers={"X-Forwarded-For": "10.1.2.3"})
    assert forged.status_code == 403


async def streamed(
    office: WebOffice,
    browser: httpx.AsyncClient,
    path: str,
    *,
    pace: Pace,
    after_first: Callable[[], Awaitable[None]],
) -> tuple[int, bool]:
    """Stream at a pace, do something after the first bytes; return bytes and whether it ended."""
    app = create_app(replace(office.services, pace=pace))
    received, first = 0, asyncio.Event()
    done = False

    async def receive() -> dict[str, Any]:
        if not first.is_set():
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        nonlocal received, done
        received += len(message.get("body", b""))
        done = done or (message["type"] == "http.response.body" and not message["more_body"])
        if received and not first.is_set():
            first.set()
            await after_first()

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "client": ("10.1.2.3", 1),
        "headers": [
            (b"host", b"rejestrator.example"),
            (b"cookie", f"__Host-session={browser.cookies['__Host-session']}".encode()),
        ],
    }

    async def receive_with_first() -> dict[str, Any]:
        return await receive()

    try:
        await app(scope, receive_with_first, send)  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 - the connection is cut
        done = False
    return received, done


async def test_revoking_stops_a_playback_that_is_streaming_within_five_seconds(
    office: WebOffice, caplog: pytest.LogCaptureFixture
) -> None:
    """R8.1b: what must hold 3. It is no fault of the service that an alarm should tell."""
    call = await office.call(seconds=120)
    browser = await office.at_work(Role.LISTENER)
    path = await opened(browser, call)
    loop = asyncio.get_running_loop()
    revoked_at = 0.0

    async def revoke() -> None:
        nonlocal revoked_at
        await office.do("UPDATE authorisation SET revoked_at = now()")
        revoked_at = loop.time()

    received, ended = await streamed(office, browser, path, pace=Pace(), after_first=revoke)
    assert not ended
    assert loop.time() - revoked_at < 5
    assert received < 32_000 * 120
    entry = (await office.trail())[-1]
    assert (entry.action, entry.reason) == ("playback:ended", "refused")
    heard = json.loads(entry.details)["seconds"]
    assert heard == pytest.approx(received / 32_000, abs=0.1)
    assert "answer_cut" in caplog.text
    assert "request_failed" not in caplog.text


@pytest.mark.parametrize(
    "fault",
    [
        "ALTER TABLE audit_event RENAME TO audit_event_away",
        "ALTER TABLE audit_head DISABLE TRIGGER ALL; DELETE FROM audit_head",
    ],
)
async def test_a_playback_stops_when_its_end_could_not_be_noted(
    office: WebOffice, fault: str
) -> None:
    """RG.15."""
    call = await office.call(seconds=120)
    browser = await office.at_work(Role.LISTENER)
    path = await opened(browser, call)

    async def break_the_trail() -> None:
        for each in fault.split("; "):
            await office.do(each)

    received, ended = await streamed(
        office, browser, path, pace=Pace(asked_every_s=0.2), after_first=break_the_trail
    )
    assert not ended
    assert received < 32_000 * 120


async def test_a_listener_who_takes_nothing_is_let_go(office: WebOffice) -> None:
    call = await office.call(seconds=60)
    browser = await office.at_work(Role.LISTENER)
    path = await opened(browser, call)

    async def wait() -> None:
        await asyncio.Event().wait()

    pace = Pace(stalled_after_s=0.3)
    received, ended = await streamed(office, browser, path, pace=pace, after_first=wait)
    assert not ended
    assert received < 32_000 * 60


async def test_one_listener_takes_a_few_streams_and_no_more(office: WebOffice) -> None:
    """A8: else one person's player leaves nobody else a place."""
    call = await office.call(seconds=5)
    browser = await office.at_work(Role.LISTENER)
    path = await opened(browser, call)
    streams = office.services.streams
    (listener,) = [
        each.id for each in await office.parts.store.accounts() if each.login == "listener"
    ]
    while streams.begin(listener):
        pass
    held = streams.of(listener)
    assert held < 20
    refused = await browser.get(path)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
    streams.end(listener)
    for _ in range(3):
        assert (await browser.get(path, headers={"Range": "bytes=0-9"})).status_code == 206
    assert streams.of(listener) == held - 1


async def test_a_stream_that_could_not_be_noted_is_counted_no_more(office: WebOffice) -> None:
    call = await office.call(seconds=120)
    browser = await office.at_work(Role.LISTENER)
    path = await opened(browser, call)

    async def lose_the_playbacks() -> None:
        await office.do("ALTER TABLE playback RENAME TO playback_away")

    _, ended = await streamed(
        office, browser, path, pace=Pace(asked_every_s=0.2), after_first=lose_the_playbacks
    )
    assert not ended
    (listener,) = [
        each.id for each in await office.parts.store.accounts() if each.login == "listener"
    ]
    assert office.services.streams.of(listener) == 0


async def test_a_damaged_recording_is_told_not_played(office: WebOffice) -> None:
    """RG.3, F13."""
    call = await office.call(seconds=5)
    browser = await office.at_work(Role.LISTENER)
    path = await opened(browser, call)
    file = next(office.settings.vault_dir.rglob("*.rec"))
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(content)
    answer = await browser.get(path, headers={"Range": "bytes=-10"})
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:rejestrator:problem:damaged"


async def test_a_file_swapped_for_another_or_for_a_link_is_not_played(office: WebOffice) -> None:
    """A15."""
    call, other = await office.call(seconds=1), await office.call(seconds=1)
    browser = await office.at_work(Role.LISTENER)
    path = await opened(browser, call)
    files = {each.stem: each for each in office.settings.vault_dir.rglob("*.rec")}
    mine, theirs = files[str(call.recording_id)], files[str(other.recording_id)]
    mine.write_bytes(theirs.read_bytes())
    assert (await browser.get(path)).status_code == 409
    mine.unlink()
    mine.symlink_to(theirs)
    assert (await browser.get(path)).status_code == 503
    mine.unlink()
    mine.symlink_to(Path(os.devnull))
    assert (await browser.get(path)).status_code == 503


async def test_audio_that_was_erased_meanwhile_is_gone(office: WebOffice) -> None:
    """P9."""
    call = await office.call(seconds=1)
    browser = await office.at_work(Role.LISTENER)
    path = await opened(browser, call)
    await office.do("DELETE FROM recording")
    answer = await browser.get(path)
    assert (answer.status_code, answer.json()["title"]) == (410, "Nagranie zostało usunięte")


async def test_without_the_trail_nothing_is_played_or_found(office: WebOffice) -> None:
    """RG.15: nor is more sent of what was begun before."""
    call = await office.call(seconds=1)
    browser = await office.at_work(Role.LISTENER)
    begun = await opened(browser, call)
    await office.do("ALTER TABLE audit_event RENAME TO audit_event_away")
    path = f"/api/v1/recordings/{call.recording_id}/playbacks"
    for asked in (
        browser.post(path, json=WHY),
        browser.get(begun, headers={"Range": "bytes=0-9"}),
        browser.get(begun.replace("/audio", "/lanes")),
        browser.post("/api/v1/recordings/search", json={}),
        browser.post(f"/api/v1/calls/{call.id}/reveal", json=WHY),
    ):
        answer = await asked
        assert answer.status_code == 503
        assert "audit" not in answer.text
    await office.do("ALTER TABLE audit_event_away RENAME TO audit_event")
    assert (await browser.post(path, json=WHY)).status_code == 201
