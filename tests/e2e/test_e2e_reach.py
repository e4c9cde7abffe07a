"""How far a crew comes in five, ten and twenty minutes, shown when it is chosen on the console."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.e2e import look
from tests.e2e.people import DESK, LIVE_MS, PHONE, SLOW_MS, People, at
from tests.e2e.words import say

DEPOT = (24.9353, 60.1655)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

pytestmark = pytest.mark.needs("chromium")


def test_a_chosen_crew_shows_where_it_comes_in_time(
    people: People, screenshots: Callable[[str], Path]
) -> None:
    desk = people.dispatcher()
    page = desk.page
    people.crew(desk, "P1", at(*DEPOT))
    switch = page.get_by_role("button", name=say("reach"), exact=True)
    expect(switch).to_have_count(0)
    desk.tab("crews")
    desk.row("P1 ·").click()
    expect(desk.detail.get_by_text(say("fix_none"))).to_have_count(0, timeout=SLOW_MS)
    expect(switch).to_be_visible(timeout=LIVE_MS)
    asked = []
    page.on("response", lambda r: asked.append(r.json()) if "/reach?" in r.url else None)
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "true")
    legend = page.locator("section").filter(has=page.locator("#reach-title"))
    for minutes in (5, 10, 20):
        words = say("reach_minutes", minutes=minutes)
        expect(legend.get_by_text(words, exact=True)).to_be_visible(timeout=SLOW_MS)
    assert [area["minutes"] for area in asked[0]["areas"]] == [5, 10, 20]
    assert all(area["polygons"] for area in asked[0]["areas"])
    for name, size in (("desk", DESK), ("phone", PHONE)):
        page.set_viewport_size(size)
        if size == PHONE:
            page.get_by_role("button", name=say("tab_map")).click()
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(500)
            assert look.violations(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
            page.screenshot(path=screenshots(f"reach-{name}-{scheme}"))
    page.set_viewport_size(DESK)
    switch.click()
    expect(legend).to_have_count(0)
