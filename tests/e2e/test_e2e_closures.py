"""A closed road on every screen: drawn, or shut by a tree, seen by crews, opened again."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import DESK, PHONE, SLOW_MS, Dispatcher, People, at, soon
from tests.e2e.served import Sigap
from tests.e2e.test_e2e_screens import LEFT, Critic, critic
from tests.e2e.words import like, say

__all__ = ["critic"]
pytestmark = pytest.mark.needs("chromium")

DEPOT = (24.9353, 60.1655)
SCENE = (24.9412, 60.1705)
STREET = "Kaivokatu"
WHY = "Galian pipa air PDAM"
HEAP = "Sampah menumpuk sampai ke badan jalan, bau sekali."
TREE = "Pohon besar tumbang menutup jalan, mobil tidak bisa lewat."


def draw_here(desk: Dispatcher) -> None:
    """A closure of the road in the middle of the map, by keyboard alone, named and confirmed."""
    page = desk.page
    page.keyboard.press("x")
    tool = page.get_by_role("region", name=say("closure_close_road"))
    expect(tool).to_contain_text(say("closure_draw_hint"))
    page.locator("canvas.maplibregl-canvas").focus()
    page.keyboard.press("Space")
    expect(tool).to_contain_text(like("closure_draw_found"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text(like("closure_ask_title"))
    expect(page.get_by_role("dialog")).to_contain_text(say("closure_reason_works"))
    page.get_by_role("dialog").get_by_role("textbox").fill(WHY)
    page.keyboard.press("Enter")
    desk.told("done_close_road", where=STREET)
    expect(tool).to_have_count(0)


def answer(page: Page, reason: str, confirm: str) -> None:
    """Give the reason by one tap and press the button."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=say(reason)).click()
    dialog.get_by_role("button", name=say(confirm), exact=True).click()
    expect(dialog).to_have_count(0)


def closed_roads(page: Page) -> int:
    """What the list above the map counts."""
    return int(page.locator(".tools summary b").first.inner_text())


def test_a_dispatcher_draws_a_closure_and_opens_the_road_again(
    people: People, sigap: Sigap, critic: Critic
) -> None:
    people.hush(LEFT)
    sent = sigap.report("waste", HEAP, *SCENE)
    desk = people.dispatcher()
    page = desk.page
    crew = people.crew(desk, "T1", at(*DEPOT))
    desk.verify_by_key(sent.ticket)
    crew.offered(sent.ticket)
    crew.press("acknowledge")
    desk.choose_by_key(sent.ticket)
    page.wait_for_timeout(800)  # the map moves to what was chosen
    draw_here(desk)
    soon(lambda: closed_roads(page) == 1, page)
    expect(crew.page.get_by_text(say("crew_closed_n", n=1))).to_be_visible(timeout=SLOW_MS)
    critic.look(crew.page, "crew-closure", PHONE, server=True)

    page.locator("summary", has_text=say("closed_roads")).click()
    page.locator(".tools li button").first.click()
    expect(desk.detail).to_contain_text(WHY)
    expect(desk.detail).to_contain_text(say("actor_you"))
    critic.look(page, "console-closure", DESK)
    page.set_viewport_size(DESK)
    desk.detail.get_by_role("button", name=say("closure_lift")).click()
    answer(page, "closure_reason_clear", "closure_lift")
    desk.told("done_lift_closure", where=STREET)
    soon(lambda: closed_roads(page) == 0, page)
    expect(crew.page.get_by_text(say("crew_closed_n", n=1))).to_have_count(0, timeout=SLOW_MS)


def test_a_closure_is_drawn_by_clicks_and_left_with_escape(
    people: People, sigap: Sigap, critic: Critic
) -> None:
    people.hush(LEFT)
    sent = sigap.report("pothole", "Lubang dalam di tikungan", *SCENE)
    desk = people.dispatcher()
    page = desk.page
    desk.choose_by_key(sent.ticket)
    page.wait_for_timeout(800)
    page.locator("summary", has_text=say("closed_roads")).click()
    page.get_by_role("button", name=say("closure_close_road")).click()
    page.locator("summary", has_text=say("closed_roads")).click()
    tool = page.get_by_role("region", name=say("closure_close_road"))
    canvas = page.locator("canvas.maplibregl-canvas")
    box = canvas.bounding_box()
    assert box is not None
    x, y = box["width"] / 2, box["height"] / 2
    canvas.click(position={"x": x, "y": y})
    canvas.click(position={"x": x + 60, "y": y - 20})
    tool.get_by_label(say("closure_width")).select_option("100")
    expect(tool).to_contain_text(like("closure_draw_found"))
    critic.look(page, "console-drawing", DESK)
    page.locator("body").press("Backspace")
    page.locator("body").press("Escape")
    expect(tool).to_have_count(0)
    assert closed_roads(page) == 0


def test_a_verified_tree_closes_its_road_by_itself_and_says_why(
    people: People, sigap: Sigap, screenshots: Callable[[str], Path]
) -> None:
    desk = people.dispatcher()
    with sigap.api("operator") as api:
        sent = sigap.report("fallen_tree", TREE, *SCENE)
        desk.verify_by_key(sent.ticket)
        expect(desk.row(sent.ticket)).to_contain_text("P1")
        desk.choose_by_key(sent.ticket)
        shut = desk.detail.get_by_role("button", name=like("story_closure_made"))
        expect(shut).to_be_visible(timeout=SLOW_MS)
        [closure] = api.get("/closures")["closures"]
        assert closure["service_code"] == "fallen_tree"
        expect(desk.detail).to_contain_text(say("because_closes", distance="25 m"))
        desk.page.wait_for_timeout(800)
        desk.page.screenshot(path=screenshots("console-tree-desk-id-light"))
        api.post(f"/incidents/{closure['incident_id']}/cancel", {"reason": "Salah lapor."})
        expect(shut).to_have_count(0, timeout=SLOW_MS)
        assert api.get("/closures")["closures"] == []


def test_a_tree_beside_no_road_leaves_the_closure_to_the_dispatcher(
    people: People, sigap: Sigap
) -> None:
    sent = sigap.report("fallen_tree", TREE, 24.9408153, 60.169261)
    desk = people.dispatcher()
    desk.verify_by_key(sent.ticket)
    expect(desk.row(sent.ticket)).to_contain_text("P1")
    desk.choose_by_key(sent.ticket)
    expect(desk.detail).to_contain_text(say("closure_missing"), timeout=SLOW_MS)
    desk.detail.get_by_role("button", name=say("closure_close_road")).click()
    tool = desk.page.get_by_role("region", name=say("closure_close_road"))
    expect(tool).to_be_visible()
    desk.page.locator("body").press("Escape")
    expect(tool).to_have_count(0)
    with sigap.api("operator") as api:
        assert api.get("/closures")["closures"] == []
