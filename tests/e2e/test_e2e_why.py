"""A dispatcher asks why, and looks where the city can be reached."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e import look
from tests.e2e.people import LIVE_MS, People
from tests.e2e.served import Sigap
from tests.e2e.words import say

pytestmark = pytest.mark.needs("chromium")

SCENE = (24.9408153, 60.169261)


def test_the_reach_of_the_city_and_the_reason_of_a_decision(sigap: Sigap, people: People) -> None:
    sent = sigap.report("fallen_tree", "Pohon besar tumbang menutup jalan", *SCENE)
    desk = people.dispatcher()
    desk.verify_by_key(sent.ticket)
    desk.page.locator("[data-queue^=incident]").first.click()
    why = re.compile(f"{re.escape(say('why_none'))}|{re.escape(say('why_crew'))}")
    desk.detail.get_by_role("button", name=why).first.click()
    dialog = desk.page.get_by_role("dialog")
    expect(dialog.locator("table")).to_be_visible(timeout=LIVE_MS)
    dialog.locator("summary").click()
    expect(dialog.locator("code").first).not_to_be_empty()
    expect(dialog.locator("code").nth(1)).to_contain_text("eta-")
    assert look.violations(desk.page) == []
    desk.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()

    desk.page.keyboard.press("c")
    panel = desk.page.locator("section[aria-labelledby=coverage-title]")
    expect(panel.locator(".reached")).to_contain_text("%", timeout=LIVE_MS)
    expect(panel.locator(".legend li")).to_have_count(4)
    assert look.violations(desk.page) == []
    desk.page.keyboard.press("c")
    expect(panel).to_be_hidden()
