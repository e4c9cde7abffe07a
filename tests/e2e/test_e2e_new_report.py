"""An operator writes down a call with places suggested meanwhile; a pin teaches a name."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e import look
from tests.e2e.people import LIVE_MS, PHONE, TICKET, People
from tests.e2e.served import Sigap
from tests.e2e.words import LANGUAGES, like, say

pytestmark = pytest.mark.needs("chromium")


def test_a_call_becomes_a_report_at_a_suggested_place(sigap: Sigap, people: People) -> None:
    desk = people.dispatcher()
    desk.live()
    desk.page.keyboard.press("n")
    dialog = desk.page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name=say("new_report"))).to_be_visible()
    dialog.get_by_label(say("new_report_service")).select_option("fallen_tree")
    dialog.get_by_label(say("new_report_what")).fill("Penelepon: pohon tumbang menutup jalan")
    place = dialog.get_by_role("combobox", name=say("new_report_where"))
    place.fill("Mannerheiminti")
    options = dialog.get_by_role("listbox").get_by_role("option")
    expect(options.first).to_contain_text("Mannerheimintie", timeout=LIVE_MS)
    assert look.violations(desk.page) == []
    place.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    place.press("Enter")
    expect(dialog.get_by_role("status")).to_contain_text("Mannerheimintie")
    expect(place).to_have_value("Mannerheiminti")  # what was said stays as it was said
    dialog.get_by_role("button", name=say("new_report_send")).click()
    expect(dialog).to_be_hidden()
    toast = desk.page.get_by_text(re.compile(say("done_new_report", ticket=TICKET.pattern)))
    expect(toast).to_be_visible(timeout=LIVE_MS)
    found = TICKET.search(toast.inner_text())
    assert found is not None
    desk.row(found[0]).click()
    expect(desk.detail).to_contain_text("Mannerheiminti")

    desk.detail.get_by_role("button", name=say("place_remember")).click()
    undo = desk.detail.get_by_role("button", name=say("place_forget"))
    expect(undo).to_be_visible(timeout=LIVE_MS)
    with sigap.api("operator") as api:
        kinds = [c["kind"] for c in api.get("/geocode", q="Mannerheiminti")["candidates"]]
    assert "alias" in kinds
    assert look.violations(desk.page) == []
    undo.click()
    expect(undo).to_be_hidden(timeout=LIVE_MS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_dialog_on_a_phone_speaks_both_languages(people: People, language: str) -> None:
    desk = people.dispatcher(language=language)  # type: ignore[arg-type]
    desk.live()
    desk.page.set_viewport_size(PHONE)
    desk.page.get_by_role("button", name=desk.say("new_report"), exact=True).click()
    dialog = desk.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    assert look.violations(desk.page) == []
    assert look.wrong_words(desk.page, language) == []  # type: ignore[arg-type]
    sent = dialog.get_by_role("button", name=desk.say("new_report_send"))
    sent.click()  # nothing is filled in: the browser names the first field
    expect(dialog).to_be_visible()
    desk.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_the_screens_say_how_sure_a_place_is(people: People) -> None:
    desk = people.dispatcher()
    desk.page.keyboard.press("n")
    dialog = desk.page.get_by_role("dialog")
    place = dialog.get_by_role("combobox", name=say("new_report_where"))
    said, listed = dialog.get_by_role("status"), dialog.get_by_role("listbox")
    citizen = people.citizen()
    citizen.open_form()
    typed = citizen.page.locator("#place_typed")
    told = citizen.page.locator("[data-place-choices]")
    for words, at_desk, on_form in (
        ("0, 0", "new_report_nowhere", "form.place_bad_numbers"),
        ("24.9412, 60.1706", "new_report_unchosen", "form.place_meant"),
        ("https://maps.app.goo.gl/abc123", "new_report_short_link", "error.place_short_link"),
        ("zzqx vvkw", "new_report_unknown", "form.place_unsure"),
        ("Mannerheimintie", "new_report_unchosen", "form.place_sure"),
    ):
        place.fill(words)
        expect(said).to_contain_text(say(at_desk), timeout=LIVE_MS)
        typed.fill(words)
        expect(told).to_have_text(like(on_form), timeout=LIVE_MS)
        if at_desk == "new_report_nowhere":
            expect(listed).to_be_hidden()
            expect(told.get_by_role("button")).to_have_count(0)
    assert look.violations(desk.page) == []
    assert look.violations(citizen.page) == []
