"""A tracker is registered, set up by its code, heard, and its refused positions are explained."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e import look
from tests.e2e.people import DESK, PHONE, People
from tests.e2e.served import CITY, Sigap
from tests.e2e.words import LANGUAGES, Language, say

pytestmark = pytest.mark.needs("chromium")

SPOT = (24.9412, 60.1706)


def test_a_tracker_from_registration_to_its_refusals(
    people: People, sigap: Sigap, screenshots: Callable[[str], Path]
) -> None:
    page = people.signed_in(people.context(language="id"), "operator").new_page()
    page.goto(f"{sigap.home}/devices")
    expect(page.get_by_text(say("devices_none"))).to_be_visible()
    page.get_by_role("button", name=say("device_register")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(say("device_label")).fill("HP Regu 1")
    crews = dialog.get_by_label(say("device_speaks_for"))
    expect(crews.get_by_role("option").nth(1)).to_be_attached()
    crews.select_option(index=1)
    dialog.get_by_role("button", name=say("device_register")).click()
    expect(page.get_by_role("img", name=say("device_qr"))).to_be_visible()
    # this test's server is on this machine alone, and says so
    expect(page.get_by_text(say("device_unreachable", host="127.0.0.1"))).to_be_visible()
    page.screenshot(path=screenshots("devices-setup"))
    said = [text.strip() for text in page.get_by_role("dialog").locator("dd").all_inner_texts()]
    device_id, _, address = said[:3]
    page.get_by_role("dialog").get_by_role("button", name=say("close_dialog")).click()

    card = page.get_by_role("article", name="HP Regu 1")
    expect(card.get_by_text(say("device_never"))).to_be_visible()
    now = datetime.now(UTC)
    fine: dict[str, str | float] = {
        "id": device_id,
        "lat": SPOT[1],
        "lon": SPOT[0],
        "batt": 9,
        "mock": "true",
    }
    late = (now - timedelta(hours=1)).timestamp()
    for given in (fine, {**fine, "lat": 0, "lon": 0}, {**fine, "timestamp": late}):
        assert httpx.get(address, params=given).status_code == 200
    expect(card.get_by_text(say("device_live"))).to_be_visible()
    expect(card.get_by_text(say("device_mock"))).to_be_visible()
    expect(card.get_by_text(say("device_low_battery"))).to_be_visible()
    expect(card.get_by_text(say("fix_zero")).first).to_be_visible()
    expect(card.get_by_text("60.17060, 24.94120")).to_be_visible()
    card.get_by_text(say("device_last_refusals")).click()

    wrong: list[str] = []
    for language in reversed(LANGUAGES):
        _speak(page, language)
        for size, width in ((DESK, "desk"), (PHONE, "phone")):
            page.set_viewport_size(size)
            wide = page.evaluate("document.documentElement.scrollWidth") - size["width"]
            wrong += [f"{width}: {wide} px too wide"] if wide > 0 else []
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                wrong += [f"{width} {scheme}: {each}" for each in look.violations(page)]
                page.screenshot(path=screenshots(f"devices-{width}-{language}-{scheme}"))
        wrong += [f"{language}: says “{text}”" for text in look.wrong_words(page, language)]
    assert wrong == []

    page.set_viewport_size(DESK)
    card.get_by_role("button", name=say("device_retire")).click()
    page.get_by_role("dialog").get_by_role("button", name=say("device_retire")).click()
    expect(card.get_by_text(say("device_retired"))).to_be_visible()
    assert httpx.get(address, params=fine).status_code == 401


def _speak(page: Page, language: Language) -> None:
    if page.locator("html").get_attribute("lang") != language:
        page.locator("button[lang]").first.dispatch_event("click")
        expect(page.locator("html")).to_have_attribute("lang", language)


def test_who_may_not_look_at_devices_is_told(people: People, sigap: Sigap) -> None:
    page = people.signed_in(people.context(), "dinas").new_page()
    page.goto(f"{sigap.home}/devices")
    expect(page.get_by_role("heading", name=say("eval_not_allowed_title"))).to_be_visible()
    assert httpx.get(f"{sigap.base}/api/{CITY}/devices").status_code == 401
