"""Listening in a real browser: it plays, it seeks, and it says why it stops (R8.1b, RG.8)."""

import statistics
from typing import Any

import pytest
from playwright.async_api import Page, expect

from recorder.accounts.model import Role
from recorder.model import CallRecord
from tests.browser.desk import CALLER_HZ, OFFICE_HZ, OfficeDesk, until
from tests.signed_in import PURPOSE

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]

LOUDEST_TONES = """async () => {
  const audio = document.querySelector('#player audio');
  const context = new AudioContext();
  const source = context.createMediaElementSource(audio);
  const split = context.createChannelSplitter(2);
  const sides = [0, 1].map(side => {
    const analyser = new AnalyserNode(context, {fftSize: 16384});
    split.connect(analyser, side);
    return analyser;
  });
  source.connect(split);
  source.connect(context.destination);
  await context.resume();
  await audio.play();
  await new Promise(done => audio.addEventListener('timeupdate', () => {
    if (audio.currentTime > 1.2) done();
  }));
  return sides.map(analyser => {
    const found = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(found);
    return found.indexOf(Math.max(...found)) * context.sampleRate / analyser.fftSize;
  });
}"""
START = """() => new Promise((done) => {
  const audio = document.querySelector('#player audio');
  const began = performance.now();
  audio.addEventListener('playing', () => done(performance.now() - began), {once: true});
  document.querySelector('[data-do=play]').click();
})"""
SEEKS = """async () => {
  const audio = document.querySelector('#player audio');
  if (audio.readyState < 1) await new Promise(done => audio.onloadedmetadata = done);
  const took = [];
  for (const at of [1800, 3500, 60, 2700, 900]) {
    const began = performance.now();
    const there = new Promise(done => audio.addEventListener('seeked', done, {once: true}));
    audio.currentTime = at;
    await there;
    took.push(performance.now() - began);
  }
  return {took, duration: audio.duration};
}"""


async def listening(desk: OfficeDesk, call: CallRecord, **look: Any) -> tuple[Page, str]:
    """Return the player's page, opened as a person opens it, and the login."""
    login = await desk.person(Role.LISTENER)
    page, _ = await desk.sit_down(login, **look)
    await page.goto(f"/calls/{call.id}")
    await page.get_by_label(PURPOSE).check()
    await page.get_by_role("button", name="Odsłuchaj nagranie").click()
    await page.locator("#player").wait_for()
    return page, login


async def at(page: Page) -> float:
    time: float = await page.evaluate("document.querySelector('#player audio').currentTime")
    return time


async def test_a_recording_plays_and_each_side_is_on_its_own_lane(desk: OfficeDesk) -> None:
    page, _ = await listening(desk, await desk.call(seconds=5))
    assert await at(page) == 0, "nothing plays by itself"
    caller, office = await page.evaluate(LOUDEST_TONES)
    assert caller == pytest.approx(CALLER_HZ, abs=5)
    assert office == pytest.approx(OFFICE_HZ, abs=5)
    assert await at(page) > 1


async def test_lanes_are_drawn_and_kept_nowhere(desk: OfficeDesk) -> None:
    call = await desk.call(seconds=4)
    before = {each for each in desk.office.settings.vault_dir.parent.rglob("*") if each.is_file()}
    page, _ = await listening(desk, call)
    await page.locator(".lanes").wait_for()
    coloured = await page.evaluate(
        """() => [...document.querySelectorAll('canvas')].map(canvas => {
          const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          return data.filter((value, index) => index % 4 === 3 && value > 0).length;
        })"""
    )
    assert all(each > 500 for each in coloured)
    after = {each for each in desk.office.settings.vault_dir.parent.rglob("*") if each.is_file()}
    assert after == before


@pytest.mark.load
async def test_an_hour_starts_and_is_sought_within_the_time_of_a_blink(desk: OfficeDesk) -> None:
    page, _ = await listening(desk, await desk.call(seconds=3600))
    await page.locator(".lanes").wait_for()
    assert await page.evaluate(START) <= 300
    found = await page.evaluate(SEEKS)
    assert found["duration"] == pytest.approx(3600, abs=1)
    assert statistics.median(found["took"]) <= 300, found["took"]


async def test_keys_play_pause_and_skip_and_the_position_is_said(desk: OfficeDesk) -> None:
    page, _ = await listening(desk, await desk.call(seconds=60))
    await page.locator(".lanes").wait_for()
    await page.locator("#main").focus()
    # One after another, as a person presses: a browser that is still on its way may stay there.
    there = "!document.querySelector('#player audio').seeking"
    await page.keyboard.press("ArrowRight")
    await until(page, there)
    await page.keyboard.press("l")
    await until(page, there)
    assert await at(page) == pytest.approx(10, abs=0.1)
    await page.keyboard.press("J")
    said = "Pozycja: 5 s z 1 min 0 s, 55 s do końca"
    await expect(page.locator("#spoken")).to_have_text(said)
    await page.keyboard.press(" ")
    await until(page, "!document.querySelector('#player audio').paused")
    await page.keyboard.press(" ")
    await until(page, "document.querySelector('#player audio').paused")
    await page.select_option("#speed", "2")
    rate = await page.evaluate("document.querySelector('#player audio').playbackRate")
    assert rate == 2
    await page.evaluate("document.querySelector('#player audio').currentTime = 25")
    await expect(page.locator("#spoken")).to_contain_text("na wstrzymaniu")


async def test_a_revoked_authorisation_stops_the_sound_and_the_page_says_why(
    desk: OfficeDesk,
) -> None:
    page, login = await listening(desk, await desk.call(seconds=600))
    await page.evaluate("document.querySelector('#player audio').play()")
    await desk.office.do(
        "UPDATE authorisation SET revoked_at = now() WHERE account_id = "
        "(SELECT id FROM account WHERE login = :login)",
        login=login,
    )
    await page.evaluate("document.querySelector('#player audio').currentTime = 500")
    await expect(page.locator("#refused")).to_contain_text(
        "Upoważnienie zostało odwołane", timeout=15_000
    )
    assert await page.evaluate("document.querySelector('#player audio').paused")
    answer = await page.reload()
    assert answer is not None
    assert answer.status == 403
    await expect(page.locator("main")).to_contain_text("Upoważnienie zostało odwołane")


async def test_without_scripts_the_audio_control_is_all_there_is(desk: OfficeDesk) -> None:
    page, _ = await listening(desk, await desk.call(seconds=3), scripts=False)
    await expect(page.locator("#player audio[controls]")).to_be_visible()
    # R7.6-5: copies come from nowhere but the copy's own workflow.
    await expect(page.locator("#player audio[controlslist~=nodownload]")).to_have_count(1)
    await expect(page.locator(".lanes")).to_be_hidden()
    await expect(page.locator(".comforts").first).to_be_hidden()
    await expect(page.locator(".regions li")).to_have_count(1)
    await page.get_by_role("button", name="Zakończ odsłuch").click()
    await expect(page.get_by_role("status")).to_have_text("Odsłuch zakończono i odnotowano.")
    entries = [each.action for each in await desk.office.trail()]
    assert entries.index("playback:opened") < entries.index("playback:ended")
