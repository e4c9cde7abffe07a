"""What a dispatcher may decide about a report, each with its reason, each taken back in time."""

import pytest
from playwright.sync_api import expect

from tests.e2e.people import LIVE_MS, REFUSED, SLOW_MS, People, at, photo
from tests.e2e.served import Sigap
from tests.e2e.words import say

pytestmark = pytest.mark.needs("chromium")

SPOT = (24.9412, 60.1706)


@pytest.mark.parametrize(
    ("key", "done", "status", "headline"),
    [
        ("t", "done_postpone", "report_postponed", "track.state_postponed"),
        ("b", "done_refuse", "report_not_our_authority", "track.state_not_our_authority"),
        ("a", "done_archive", "report_archived", "track.state_archived"),
    ],
)
def test_a_decision_has_a_reason_and_can_be_taken_back(
    people: People, sigap: Sigap, key: str, done: str, status: str, headline: str
) -> None:
    reason = "Ini jalan provinsi; sudah diteruskan lewat surat."
    sent = sigap.report("pothole", f"Lubang dalam di tikungan ({key})", *SPOT)
    desk = people.dispatcher()
    reporter = people.citizen()
    reporter.link = sent.link
    reporter.follow()

    desk.decide_by_key(sent.ticket, key, reason)
    desk.told(done, ticket=sent.ticket)
    reporter.sees(say(headline))
    expect(reporter.page.locator("#live .reason")).to_contain_text(reason)
    desk.page.keyboard.press("z")
    desk.told("done_undo", ticket=sent.ticket)
    reporter.sees(say("track.state_under_verification"))
    expect(desk.row(sent.ticket)).to_be_visible()
    expect(desk.detail).to_contain_text(say("report_under_verification"))

    desk.decide_by_key(sent.ticket, key, reason)
    expect(desk.detail).to_contain_text(say(status))
    expect(desk.detail).to_contain_text(reason)


def test_a_duplicate_joins_an_incident_and_leaves_it_again(people: People, sigap: Sigap) -> None:
    first = sigap.report("waste", "Sampah menumpuk di depan pasar", *SPOT)
    second = sigap.report("waste", "Tumpukan sampah bau di pasar", SPOT[0] + 0.0002, SPOT[1])
    desk = people.dispatcher()
    desk.verify_by_key(first.ticket)
    expect(desk.detail.get_by_role("button", name=first.ticket)).to_be_visible()

    desk.choose_by_key(second.ticket)
    expect(
        desk.detail.get_by_role("button", name=say("join_this", ticket=first.ticket))
    ).to_be_visible()
    desk.page.keyboard.press("g")
    dialog = desk.page.get_by_role("dialog")
    dialog.locator("label").filter(has_text=first.ticket).click()
    dialog.get_by_role("button", name=say("act_join")).click()
    desk.told("done_join", ticket=second.ticket)
    incident = desk.row(first.ticket)
    expect(incident).to_contain_text(say("reports_n", n=2), timeout=LIVE_MS)
    desk.page.keyboard.press("z")
    desk.told("done_undo", ticket=second.ticket)
    expect(incident).not_to_contain_text(say("reports_n", n=2), timeout=LIVE_MS)
    expect(desk.row(second.ticket)).to_be_visible()


def test_a_decision_without_a_reason_is_not_taken(people: People, sigap: Sigap) -> None:
    sent = sigap.report("drain", "Saluran tersumbat", *SPOT)
    desk = people.dispatcher()
    desk.choose_by_key(sent.ticket)
    desk.page.keyboard.press("a")
    dialog = desk.page.get_by_role("dialog")
    dialog.get_by_role("textbox").press("Enter")
    expect(dialog).to_contain_text(say("reason_needed"))
    desk.page.keyboard.press("Escape")
    expect(desk.row(sent.ticket)).to_be_visible()


def test_a_citizen_pins_the_place_and_others_say_me_too(people: People) -> None:
    citizen = people.citizen(at=at(*SPOT))
    citizen.open_form()
    citizen.fill("billboard", "Reklame hampir roboh ke trotoar", photos=[photo(7)])
    page = citizen.page
    expect(page.locator("ul.photos img")).to_have_count(1, timeout=LIVE_MS)
    page.get_by_role("button", name=say("form.place_here")).click()
    expect(page.locator("[data-pinned]")).to_be_visible(timeout=LIVE_MS)
    page.get_by_role("button", name=say("form.place_map")).click()
    page.get_by_role("button", name=say("form.place_map_use")).click(timeout=SLOW_MS)
    expect(page.locator("input[name=lon]")).not_to_have_value("")
    citizen.send()

    neighbour = people.citizen(at=at(SPOT[0] + 0.0001, SPOT[1]))
    neighbour.open_form()
    neighbour.fill("billboard", "")
    neighbour.page.get_by_role("button", name=say("form.place_here")).click()
    too = neighbour.page.get_by_role("button", name=say("form.me_too"))
    expect(too.first).to_be_visible(timeout=LIVE_MS)
    too.first.click()
    expect(neighbour.page.locator("#description")).to_have_value(
        say("form.me_too_text", ticket=citizen.ticket)
    )


def test_nothing_typed_is_lost_on_an_error(people: People) -> None:
    people.hush(REFUSED)
    for scripts in (False, True):
        citizen = people.citizen(scripts=scripts)
        citizen.open_form()
        citizen.fill("flood", "Air setinggi lutut di terowongan")
        citizen.page.locator("#name").fill("Bu Sri")
        citizen.page.locator("#phone").fill("bukan nomor")
        citizen.page.locator("[data-send]").click()
        expect(citizen.page.locator("#summary")).to_contain_text(say("error.phone"))
        expect(citizen.page.locator("#summary")).to_contain_text(say("error.place_empty"))
        expect(citizen.page.locator("#description")).to_have_value(
            "Air setinggi lutut di terowongan"
        )
        expect(citizen.page.locator("#name")).to_have_value("Bu Sri")
        expect(citizen.page.locator("input[value=flood]")).to_be_checked()
