"""One case from the report to the reporter's last word, by three people at once."""

import pytest
from playwright.sync_api import expect

from tests.e2e.people import (
    LIVE_MS,
    SLOW_MS,
    Citizen,
    Crew,
    Dispatcher,
    People,
    at,
    photo,
)
from tests.e2e.served import Sigap
from tests.e2e.words import say

pytestmark = pytest.mark.needs("chromium")

HANDLED = "Selesai ditangani"
PLACE = "Mannerheimintie 3"
START = (24.9353, 60.1655)
SCENE = (24.9408153, 60.169261)
TREE = "Pohon besar tumbang menutup jalan, mobil tidak bisa lewat."
NOTE = "Batang dipotong dan dipinggirkan."


def test_a_report_brings_a_crew_and_the_reporter_has_the_last_word(
    people: People, sigap: Sigap
) -> None:
    desk = people.dispatcher()
    desk.mark()
    crew = people.crew(desk, "T1", at(*START))
    citizen = report_without_scripts(people)

    row = desk.row(citizen.ticket)
    expect(row).to_be_visible(timeout=LIVE_MS)
    expect(row).to_contain_text("Pohon tumbang")
    expect(row).to_contain_text(TREE)
    desk.verify_by_key(citizen.ticket)
    citizen.sees(say("track.state_verified"))

    crew.offered(citizen.ticket)
    expect(crew.page.get_by_text(PLACE).first).to_be_visible()
    walk_the_job(crew, citizen, desk)
    citizen.sees(say("track.state_closed"))
    expect(citizen.page.locator(".outcome")).to_contain_text(HANDLED)
    expect(citizen.page.locator("section.result blockquote")).to_contain_text(NOTE)
    expect(citizen.page.locator("section.result img")).to_have_count(2)

    citizen.answer("reopen", "Dahannya masih melintang di trotoar.")
    citizen.sees(say("track.state_reopened"))
    crew.offered(citizen.ticket)
    expect(desk.row(citizen.ticket)).to_contain_text(say("incident_dispatched"), timeout=LIVE_MS)
    crew.press("acknowledge")
    crew.press("en_route")
    crew.press("on_scene")
    crew.clear(HANDLED, "Dahan terakhir diangkat.")
    citizen.sees(say("track.state_closed"))
    citizen.answer("satisfied")
    expect(citizen.page.get_by_text(say("track.answered_satisfied"))).to_be_visible()
    expect(desk.row(citizen.ticket)).to_have_count(0, timeout=LIVE_MS)
    desk.assert_not_reloaded()

    the_evaluation_counts_it(people, sigap)


def report_without_scripts(people: People) -> Citizen:
    """Sent from a browser without JavaScript; the private link is then opened in a usual one."""
    plain = people.citizen(scripts=False)
    plain.open_form()
    plain.fill("fallen_tree", TREE, place=PLACE, photos=[photo(1)])
    plain.page.get_by_role("button", name=say("form.place_check")).click()
    found = plain.page.locator("label.choice").filter(has_text=PLACE)
    expect(plain.page.locator("#description")).to_have_value(TREE)
    expect(plain.page.locator("ul.photos img")).to_have_count(1)
    found.first.click()
    plain.send()
    citizen = people.citizen()
    citizen.ticket, citizen.link = plain.ticket, plain.link
    citizen.follow()
    citizen.sees(say("track.state_under_verification"))
    return citizen


def walk_the_job(crew: Crew, citizen: Citizen, desk: Dispatcher) -> None:
    """Accept, drive, work, clear; citizen and dispatcher see each step by themselves."""
    ticket = citizen.ticket
    crew.press("acknowledge")
    citizen.sees(say("track.state_acknowledged"))
    expect(citizen.page.locator(".eta-clock")).to_be_visible()
    crew.press("en_route")
    citizen.sees(say("track.state_en_route"))
    expect(desk.row(ticket)).to_contain_text("T1")
    for share in (0.4, 0.8, 1.0):
        crew.move(
            at(24.9353 + (SCENE[0] - 24.9353) * share, 60.1655 + (SCENE[1] - 60.1655) * share)
        )
        crew.page.wait_for_timeout(1100)
    crew.press("on_scene")
    citizen.sees(say("track.state_on_scene"))
    expect(desk.row(ticket)).to_contain_text(say("incident_on_scene"), timeout=LIVE_MS)
    crew.add_photo("before", photo(2))
    crew.write_note(NOTE)
    crew.add_photo("after", photo(3))
    crew.sent_everything()
    crew.clear(HANDLED)
    crew.sent_everything()
    expect(crew.page.get_by_role("heading", name=say("crew_idle_title"))).to_be_visible(
        timeout=SLOW_MS
    )


def the_evaluation_counts_it(people: People, sigap: Sigap) -> None:
    """The page shows what the API says, and the API has the case."""
    with sigap.api("penilai") as judge:
        told = judge.get("/evaluation", by="service")
    total = told["overall"]["total_response"]
    assert total["n"] == 1
    assert total["within_target"] == 1.0
    page = people.signed_in(people.context(), "penilai").new_page()
    page.goto(f"{sigap.home}/evaluation")
    table = page.get_by_role("group", name=say("eval_intervals"))
    row = table.get_by_role("row").filter(has_text=say("eval_total_response"))
    cells = row.get_by_role("cell")
    shown = [cells.nth(i).inner_text().strip() for i in range(3)]
    minutes, seconds = divmod(round(total["p50_s"]), 60)
    assert shown == [str(total["n"]), str(total["missing"]), f"{minutes}:{seconds:02}"]
    expect(page.get_by_role("group").get_by_text("Pohon tumbang").first).to_be_visible()
    foretold = page.get_by_role("region", name=say("eval_foretold"))
    expect(foretold).to_be_visible()
    expect(foretold).to_contain_text(say("eval_foretold_note"))
