"""No old dot passes for a live one; a button pressed far away is flagged; tracks are replayed."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e import look
from tests.e2e.people import DESK, PHONE, SLOW_MS, People, at
from tests.e2e.served import CITY, Api, Sigap
from tests.e2e.test_e2e_screens import Critic, drawn, speak
from tests.e2e.words import Language, like, say

pytestmark = pytest.mark.needs("chromium")

DEPOT = (24.9353, 60.1655)
SCENE = (24.9408153, 60.169261)
TREE = "Pohon besar tumbang menutup jalan, mobil tidak bisa lewat."
MINUTE = 60


@dataclass(slots=True)
class Glance(Critic):
    """A critic in a hurry: each language once, one of them in the dark."""

    def look(self, page: Page, name: str, size: ViewportSize, *, server: bool = False) -> None:
        page.set_viewport_size(size)
        width = "phone" if size == PHONE else "desk"
        dresses: tuple[tuple[Language, Literal["light", "dark"]], ...] = (
            ("en", "dark"),
            ("id", "light"),
        )
        for language, scheme in dresses:
            speak(page, language, self.base, server=server)
            page.emulate_media(color_scheme=scheme)
            dress = f"{name} {width} {language} {scheme}"
            self.wrong += [f"{dress}: {words}" for words in look.violations(page)]
            if page.evaluate("document.documentElement.scrollWidth") > size["width"]:
                self.wrong.append(f"{dress}: too wide")
            drawn(page)
            page.screenshot(path=self.keep(dress.replace(" ", "-")))
            self.wrong += [f"{dress}: says “{text}”" for text in look.wrong_words(page, language)]


@pytest.fixture
def critic(screenshots: Callable[[str], Path], sigap: Sigap) -> Iterator[Glance]:
    made = Glance(screenshots, sigap.base)
    yield made
    made.judge()


def tracker(api: Api, crew_id: str, label: str) -> tuple[str, str]:
    """A device that speaks for the crew: its id and its secret."""
    made = api.post("/devices", {"label": label, "crew_id": crew_id})
    return made["device"]["id"], made["secret"]


def send(sigap: Sigap, device: tuple[str, str], place: tuple[float, float], **more: Any) -> None:
    """A position as Traccar Client sends it; `ago` seconds old."""
    ago = more.pop("ago", 0)
    wish = {"id": device[0], "lon": place[0], "lat": place[1], "timestamp": int(time.time() - ago)}
    params: dict[str, Any] = wish | more
    answer = httpx.get(f"{sigap.base}/osmand/{CITY}/{device[1]}", params=params, timeout=30)
    assert answer.status_code == 200, answer.text


def crews_of(page: Page) -> dict[str, str]:
    """The crews of the desk's list: call sign → id."""
    rows = page.locator("[data-queue^='crew/']")
    expect(rows.first).to_be_visible()
    return {
        rows.nth(i).inner_text().split("·")[0].strip(): str(
            rows.nth(i).get_attribute("data-queue")
        ).removeprefix("crew/")
        for i in range(rows.count())
    }


def test_an_old_dot_is_never_shown_as_a_live_one(
    people: People, sigap: Sigap, critic: Glance
) -> None:
    desk = people.dispatcher()
    desk.tab("crews")
    crews = crews_of(desk.page)
    with sigap.api("operator") as api:
        for sign in ("T1", "L2"):
            api.post(f"/crews/{crews[sign]}/status", {"status": "available"})
        trackers = {sign: tracker(api, crews[sign], f"Tablet {sign}") for sign in ("T1", "L2")}
    send(sigap, trackers["T1"], DEPOT, ago=7 * MINUTE, batt=9)
    stale = desk.row("T1 ·")
    expect(stale).to_contain_text(say("fix_old", age=say("ago", duration="7 mnt")))
    expect(stale).to_contain_text(say("battery_low", share=9))
    stale.click()
    critic.look(desk.page, "positions-crew-stale", DESK)
    send(sigap, trackers["L2"], DEPOT, mock="true")
    expect(desk.row("L2 ·")).to_contain_text(say("fix_mock"))
    # A fix that comes late is history: it does not make the dot older.
    send(sigap, trackers["L2"], DEPOT, ago=20 * MINUTE)

    # A crew in doubt is sent only after a second word.
    lamp = sigap.report("street_light", "Lampu jalan padam di depan halte.", *SCENE)
    desk.page.keyboard.press("Escape")
    desk.tab("queue")
    desk.verify_by_key(lamp.ticket)
    desk.row(lamp.ticket).filter(has_text=say("incident_pending")).click()
    desk.detail.locator("details summary").filter(has_text=say("candidates")).click()
    line = desk.detail.get_by_role("row").filter(has_text="L2")
    expect(line).to_contain_text(say("fix_mock"))
    line.get_by_role("button", name=say("act_send", crew="L2")).click()
    dialog = desk.page.get_by_role("dialog", name=say("doubt_title", crew="L2"))
    expect(dialog).to_contain_text(say("doubt_mock"))
    critic.look(desk.page, "positions-doubt", DESK)
    critic.look(desk.page, "positions-doubt", PHONE)
    desk.page.set_viewport_size(DESK)
    expect(desk.row(lamp.ticket)).to_contain_text(say("incident_pending"))
    dialog.get_by_role("button", name=say("act_send", crew="L2")).click()
    desk.told("done_send", crew="L2", ticket=lamp.ticket)

    # The citizen reads the crew's age beside its name, and under its dot.
    tree = sigap.report("fallen_tree", TREE, *SCENE)
    desk.page.keyboard.press("Escape")
    desk.verify_by_key(tree.ticket)
    desk.row(tree.ticket).filter(has_text=say("incident_pending")).click()
    desk.detail.locator("details summary").filter(has_text=say("candidates")).click()
    line = desk.detail.get_by_role("row").filter(has_text="T1")
    line.get_by_role("button", name=say("send_despite")).click()
    dialog = desk.page.get_by_role("dialog", name=say("send_despite_title", crew="T1"))
    expect(dialog).to_contain_text(like("doubt_stale"))
    dialog.get_by_role("button", name=say("act_send", crew="T1")).click()
    desk.told("done_send", crew="T1", ticket=tree.ticket)
    coming = desk.detail.get_by_role("region", name=say("assigned"))
    expect(coming).to_contain_text(like("fix_old"))
    with sigap.api("operator") as api:
        jobs = api.get(f"/incidents/{incident_of(desk.page)}")["assignments"]
        code = api.post(f"/crews/{crews['T1']}/code")["code"]
    step(sigap, code, jobs[0]["id"], "acknowledge")
    citizen = people.citizen()
    citizen.link = tree.link
    citizen.follow()
    seen = citizen.page.locator("[data-crew-seen]")
    expect(seen).to_have_text(like("track.crew_old"))
    critic.look(citizen.page, "positions-track", PHONE, server=True)
    citizen.page.locator("[data-map-open]").click()
    dot = citizen.page.locator(".map-dot.map-crew")
    expect(dot).to_have_class(re.compile(r"\bold\b"), timeout=2 * SLOW_MS)
    drawn(citizen.page)
    critic.wrong += look.violations(citizen.page)
    citizen.page.screenshot(path=critic.keep("positions-track-map-phone-id-light"))
    send(sigap, trackers["T1"], DEPOT)
    expect(seen).to_have_text(say("track.crew_seen", ago=say("time.now")))
    expect(dot).not_to_have_class(re.compile(r"\bold\b"))


def step(sigap: Sigap, code: str, assignment_id: str, *verbs: str) -> None:
    """The crew's phone takes these steps of its job."""
    with httpx.Client(base_url=sigap.base, headers={"Origin": sigap.base}, timeout=30) as phone:
        phone.post("/api/crew-session", json={"city": CITY, "code": code}).raise_for_status()
        for verb in verbs:
            path = f"/api/{CITY}/assignments/{assignment_id}/{verb}"
            answer = phone.post(path, json={}, headers={"Idempotency-Key": str(uuid4())})
            assert answer.is_success, answer.text


def gap(first: int) -> int:
    """A moment, milliseconds, in the silence of the track that begins about two minutes later."""
    return first + 6 * MINUTE * 1000


def incident_of(page: Page) -> str:
    return str(page.url.rsplit("#incident/", 1)[1])


def test_a_phone_without_permission_says_so_at_both_ends(
    people: People, sigap: Sigap, critic: Glance
) -> None:
    desk = people.dispatcher()
    code = desk.pairing_code("L1")
    context = people.context(size=PHONE)
    phone = context.new_page()
    phone.goto(f"{sigap.home}/crew")
    phone.locator("#code").fill(code)
    phone.get_by_role("button", name=say("crew_signin_go")).click()
    line = phone.locator("[data-position]")
    phone.locator("label").filter(has_text=say("crew_status_available")).click()
    phone.get_by_role("button", name=say("duty_go")).click()
    expect(line).to_have_text(say("position_lost"))
    desk.tab("crews")
    row = desk.row("L1 ·")
    expect(row).to_contain_text(say("trouble_denied"))
    critic.look(phone, "positions-crew-denied", PHONE, server=True)

    context.grant_permissions(["geolocation"])
    context.set_geolocation(at(*DEPOT))
    phone.get_by_role("button", name=say("crew_position_retry")).click()
    expect(line).to_have_text(like("position_live_s"))
    expect(row).not_to_contain_text(say("trouble_denied"))
    critic.look(phone, "positions-crew-good", PHONE, server=True)
    critic.wrong += look.violations(desk.page)


def test_an_arrival_from_afar_is_flagged_and_played_again(
    people: People, sigap: Sigap, critic: Glance
) -> None:
    desk = people.dispatcher()
    desk.tab("crews")
    crews = crews_of(desk.page)
    with sigap.api("operator") as api:
        api.post(f"/crews/{crews['J2']}/status", {"status": "available"})
        device = tracker(api, crews["J2"], "Tablet J2")
        code = api.post(f"/crews/{crews['J2']}/code")["code"]
    # Ten minutes ago it drove a while, then nobody heard of it for five minutes.
    for n, ago in enumerate((600, 590, 580, 570, 250, 240, 230, 5)):
        place = (DEPOT[0] + n * 0.0004, DEPOT[1] + n * 0.0002)
        send(sigap, device, place, ago=ago, speed=12, bearing=60)
    hole = sigap.report("pothole", "Lubang besar di tengah jalan.", SCENE[0] + 0.004, SCENE[1])
    desk.tab("queue")
    desk.verify_by_key(hole.ticket)
    desk.row(hole.ticket).filter(has_text="J2").click()
    incident = incident_of(desk.page)
    with sigap.api("operator") as api:
        job = api.get(f"/incidents/{incident}")["assignments"][0]["id"]
    step(sigap, code, job, "acknowledge", "en-route", "on-scene")
    expect(desk.detail.get_by_text(say("flag_far")).first).to_be_visible()
    timeline = desk.detail.get_by_role("region", name=say("timeline"))
    expect(timeline).to_contain_text(say("flag_far"))
    critic.look(desk.page, "positions-arrival-far", DESK)

    timeline.get_by_role("link", name=say("replay_open")).click()
    page = desk.page
    moments = page.get_by_role("region", name=say("replay_moments"))
    expect(moments).to_contain_text(say("moment_on_scene", crew="J2"), timeout=SLOW_MS)
    expect(moments).to_contain_text(say("flag_far"))

    page.goto(f"{sigap.home}/replay?crew={crews['J2']}")
    expect(page.get_by_role("heading", level=1)).to_have_text(say("replay_of_crew", crew="J2"))
    slider = page.get_by_role("slider")
    whole_day = slider.get_attribute("min") or ""
    until = page.get_by_label(say("replay_to")).input_value()
    start = datetime.fromisoformat(until) - timedelta(minutes=12)
    page.get_by_label(say("replay_from")).fill(start.strftime("%Y-%m-%dT%H:%M"))
    page.get_by_role("button", name=say("replay_show")).click()
    state = page.get_by_role("list", name=say("replay_crews"))
    expect(state).to_contain_text(say("replay_unseen"))
    expect(slider).not_to_have_attribute("min", whole_day)
    slider.focus()
    first = int(slider.get_attribute("min") or 0)
    slider.evaluate("(s, at) => { s.value = at; s.dispatchEvent(new Event('input')) }", gap(first))
    expect(state).to_contain_text(like("replay_gap"))
    critic.look(page, "positions-replay", DESK)
    critic.look(page, "positions-replay", PHONE)
    page.set_viewport_size(DESK)
    before = page.locator("output").inner_text()
    slider.press("ArrowRight")
    expect(page.locator("output")).not_to_have_text(before)
    page.get_by_role("button", name=say("replay_next")).click()
    expect(moments.locator("[aria-current=true]")).to_contain_text("J2")
    page.get_by_role("button", name=say("replay_play")).click()
    expect(page.get_by_role("button", name=say("replay_pause"))).to_be_visible()
    for ending in ("GPX", "GeoJSON"):
        address = page.get_by_role("link", name=ending, exact=True).get_attribute("href")
        file = page.request.get(f"{sigap.base}{address}")
        assert file.ok, file.text()
        assert len(file.body()) > 500
