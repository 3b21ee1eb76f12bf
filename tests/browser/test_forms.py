"""Every form of every page sent empty: what is missing is said, nothing is lost, nothing breaks.

The forms are found on the pages of the route table; each is sent once, by whoever sees it first.
"""

import pytest
from playwright.async_api import Page

from recorder.accounts.model import Role
from tests.browser.desk import violations
from tests.browser.every_page import PATTERN, form_named, seated, with_forms
from tests.browser.seeded import Seeded

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.asyncio(loop_scope="session"),
]
FORMS = """() => [...document.querySelectorAll('main form')].map((form, index) => ({
  index,
  action: form.getAttribute('action') ?? '',
  post: form.method === 'post',
  asks: [...form.elements].some((each) => ['text', 'password', 'file'].includes(each.type)
    || ['TEXTAREA', 'SELECT'].includes(each.tagName)),
}))"""
SEND = """index => {
  const form = document.querySelectorAll('main form')[index];
  form.noValidate = true;
  for (const each of form.elements) {
    if (['text', 'password'].includes(each.type) || each.tagName === 'TEXTAREA') each.value = '';
  }
  form.querySelector('button:not([type=button])').click();
}"""
SUMMARY = """() => {
  const summary = document.querySelector('[role=alert]');
  if (!summary) return ['no summary of what is wrong'];
  const faults = [...summary.querySelectorAll('a')]
    .filter((each) => !document.getElementById(each.getAttribute('href').slice(1)))
    .map((each) => `leads nowhere: ${each.outerHTML}`);
  if (!summary.contains(document.activeElement)) faults.push('the summary has not the focus');
  return faults;
}"""
ANSWERED = {200, 303, 401, 403, 404, 409, 422}


async def test_every_form_sent_empty_says_what_is_missing(trial: Seeded) -> None:
    sent: dict[str, int] = {}
    passed: set[tuple[str, str]] = set()

    def is_new(path: str, name: str) -> bool:
        return name not in sent and (path, name) not in passed

    faults: list[str] = []
    for role in (*Role, None):
        seat = await seated(trial, role)
        async for route, path in with_forms(seat, is_new):
            await seat.page.goto(path)
            for each in await seat.page.evaluate(FORMS):
                name = form_named(each["action"])
                if name in sent or name == PATTERN or not each["post"] or not each["asks"]:
                    passed.add((path, name))
                    continue
                await seat.page.goto(path)
                sent[name], wrong = await _sent_empty(seat.page, each["index"])
                faults += [f"{name} at {route}: {fault}" for fault in wrong]
        await seat.page.context.close()
    assert {"/search", "/sign-in", "/account/password", "/calls/*/playbacks"} <= set(sent)
    assert len(sent) > 15, sent
    assert faults == [], "\n".join(faults)


async def _sent_empty(page: Page, index: int) -> tuple[int, list[str]]:
    async with page.expect_navigation() as navigation:
        await page.evaluate(SEND, index)
    answer = await navigation.value
    assert answer is not None
    if answer.status not in ANSWERED:
        return answer.status, [f"answers {answer.status}"]
    wrong = await violations(page)
    if answer.status in {401, 422}:
        wrong += await page.evaluate(SUMMARY)
    return answer.status, wrong
