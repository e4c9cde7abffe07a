"""Lost networks and a killed server: nobody reloads, nothing acknowledged is lost."""

from collections import Counter

import pytest
from playwright.sync_api import expect

from tests.e2e.people import (
    LIVE_MS,
    NO_NETWORK,
    SLOW_MS,
    Dispatcher,
    People,
    at,
    photo,
    soon,
)
from tests.e2e.served import Sigap
from tests.e2e.words import say

pytestmark = pytest.mark.needs("chromium")

DEPOT = (24.9430, 60.1702)
SCENE = (24.9447, 60.1709)
STEPS = ("Acknowledged", "EnRoute", "OnScene", "Noted", "Photographed", "Cleared")


def test_a_console_that_lost_the_network_shows_what_a_fresh_one_shows(
    people: People, sigap: Sigap
) -> None:
    people.hush(NO_NETWORK)
    early = sigap.report("street_light", "Lampu jalan padam satu ruas", *SCENE)
    desk = people.dispatcher()
    desk.mark()
    expect(desk.row(early.ticket)).to_be_visible()
    desk.page.context.set_offline(True)
    expect(desk.page.locator("[data-link]")).to_have_attribute("data-link", "offline")

    with sigap.api("operator") as operator:
        late = [sigap.report("pothole", f"Lubang nomor {n}", *SCENE) for n in range(3)]
        fresh = people.dispatcher()
        expect(fresh.row(late[2].ticket)).to_be_visible()
        for ticket, verb in ((early.ticket, "verify"), (late[0].ticket, "archive")):
            wish = {} if verb == "verify" else {"reason": "Percobaan"}
            operator.post(f"/reports/{queue_id(fresh, ticket)}/{verb}", wish)
    expect(fresh.row(late[0].ticket)).to_have_count(0, timeout=LIVE_MS)
    assert late[1].ticket not in desk.queue_text()

    desk.page.context.set_offline(False)
    desk.live()
    soon(lambda: desk.queue_text() == fresh.queue_text(), desk.page)
    for screen in (desk, fresh):
        screen.tab("finished")
    soon(lambda: desk.queue_text() == fresh.queue_text(), desk.page)
    assert late[0].ticket in desk.queue_text()
    desk.assert_not_reloaded()


def test_a_crew_without_network_loses_nothing_and_says_nothing_twice(
    people: People, sigap: Sigap
) -> None:
    people.hush(NO_NETWORK)
    desk = people.dispatcher()
    crew = people.crew(desk, "S1", at(*DEPOT))
    sent = sigap.report("public_order", "Keributan di depan kios", *SCENE)
    desk.verify_by_key(sent.ticket)
    crew.offered(sent.ticket)
    crew.press("acknowledge")
    expect(crew.step("en_route")).to_be_visible()
    crew.sent_everything()
    soon(lambda: crew.page.evaluate("navigator.serviceWorker.controller !== null"), crew.page)

    crew.context.set_offline(True)
    crew.press("en_route")
    crew.move(at(*SCENE))
    crew.press("on_scene")
    crew.add_photo("after", photo(11))
    crew.write_note("Sudah ditenangkan, dua orang diminta pulang.")
    expect(crew.page.locator("header button.waiting")).to_contain_text("4")
    crew.open_again()
    expect(crew.page.locator("header button.waiting")).to_contain_text("4")
    expect(crew.step("clear")).to_be_visible()
    expect(desk.row(sent.ticket)).to_contain_text(say("incident_dispatched"))
    incident = queue_id(desk, sent.ticket)

    crew.context.set_offline(False)
    crew.sent_everything()
    expect(desk.row(sent.ticket)).to_contain_text(say("incident_on_scene"), timeout=LIVE_MS)
    crew.clear("Selesai ditangani")
    crew.sent_everything()
    with sigap.api("operator") as operator:
        told = operator.get(f"/incidents/{incident}")
    happened = Counter(line["t"] for line in told["log"])
    assert {step: happened[f"Assignment{step}"] for step in STEPS} == dict.fromkeys(STEPS, 1)
    [assignment] = told["assignments"]
    assert len(assignment["photo_ids"]) == 1
    assert assignment["enroute_at"] <= assignment["arrived_at"] <= assignment["cleared_at"]


def test_a_killed_server_forgets_nothing_and_every_screen_recovers(
    people: People, sigap: Sigap
) -> None:
    people.hush(NO_NETWORK)
    desk = people.dispatcher()
    desk.mark()
    crew = people.crew(desk, "J1", at(*DEPOT))
    sent = sigap.report("drain", "Saluran meluap ke jalan", *SCENE)
    citizen = people.citizen()
    citizen.link = sent.link
    citizen.follow()
    desk.verify_by_key(sent.ticket)
    crew.offered(sent.ticket)
    crew.press("acknowledge")
    citizen.sees(say("track.state_acknowledged"))
    crew.sent_everything()

    last = sigap.report("water_leak", "Pipa bocor, air menyembur", *SCENE)
    sigap.kill()
    expect(desk.page.locator("[data-link]")).not_to_have_attribute(
        "data-link", "live", timeout=SLOW_MS
    )
    crew.press("en_route")
    expect(crew.page.locator("header button.waiting")).to_be_visible()
    sigap.start()

    desk.page.bring_to_front()
    expect(desk.page.locator("[data-link]")).to_have_attribute(
        "data-link", "live", timeout=3 * SLOW_MS
    )
    expect(desk.row(last.ticket)).to_be_visible(timeout=LIVE_MS)
    expect(desk.row(sent.ticket)).to_contain_text(say("incident_dispatched"))
    crew.page.bring_to_front()
    expect(crew.page.locator("header button.waiting")).to_have_count(0, timeout=3 * SLOW_MS)
    citizen.page.bring_to_front()
    expect(citizen.page.locator("#live h1")).to_have_text(
        say("track.state_en_route"), timeout=3 * SLOW_MS
    )
    desk.assert_not_reloaded()


def queue_id(desk: Dispatcher, ticket: str) -> str:
    """The id behind a row of the queue."""
    named = desk.row(ticket).get_attribute("data-queue")
    assert named is not None
    return named.partition("/")[2]
