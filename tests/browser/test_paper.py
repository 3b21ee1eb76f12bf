"""What is printed: registers on A4 landscape, all else upright, each saying by whom and when."""

import re

import pytest

from recorder.accounts.model import Role
from tests.browser.every_page import opened, paths_of, routes_of_pages, seated
from tests.browser.seeded import Seeded

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.asyncio(loop_scope="session"),
]
SHEET = re.compile(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]")
A4 = (594, 842)
"""In points, as a PDF says it."""
PRINTED = """() => document.querySelector('.printed')?.checkVisibility()"""


@pytest.mark.parametrize("role", [Role.DPO, Role.ADMINISTRATOR, Role.SYSADMIN])
async def test_registers_lie_and_the_rest_stands(tidy: Seeded, role: Role) -> None:
    seat = await seated(tidy, role)
    registers: set[str] = set()
    for route in routes_of_pages(tidy.desk.office, role):
        for path in (await paths_of(seat, route))[:1]:
            if not (await opened(seat, route, path)).is_page:
                continue
            await seat.page.emulate_media(media="print")
            assert await seat.page.evaluate(PRINTED), f"{path} does not say who printed it"
            paper = await seat.page.pdf(prefer_css_page_size=True)
            sheets = [(float(wide), float(tall)) for wide, tall in SHEET.findall(paper)]
            assert sheets, path
            assert all(sorted(map(int, each)) == pytest.approx(A4, abs=2) for each in sheets), path
            lying = sheets[0][0] > sheets[0][1]
            assert {wide > tall for wide, tall in sheets} == {lying}, f"{path} turns on its way"
            assert lying is (await seat.page.locator(".register").count() > 0), (path, sheets)
            if lying:
                registers.add(route)
    await seat.page.context.close()
    if role is Role.DPO:
        assert registers >= {"/audit"}
