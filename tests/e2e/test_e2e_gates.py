"""A crew says its shift, breaks down and comes back; an incident grows and asks for more crews."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e import look
from tests.e2e.people import DESK, PHONE, People, at
from tests.e2e.served import Sigap
from tests.e2e.test_e2e_screens import Critic
from tests.e2e.words import like, say

pytestmark = pytest.mark.needs("chromium")

DEPOT = (24.9353, 60.1655)
SCENE = (24.9408153, 60.169261)
TREE = "Pohon besar tumbang menutup jalan, mobil tidak bisa lewat."


@pytest.fixture
def critic(screenshots: Callable[[str], Path], sigap: Sigap) -> Iterator[Critic]:
    made = Critic(screenshots, sigap.base)
    yield made
    made.judge()


def test_a_crew_says_its_shift_and_the_desk_changes_it(
    people: People, sigap: Sigap, critic: Critic
) -> None:
    desk = people.dispatcher()
    code = desk.pairing_code("T1")
    phone = people.context(size=PHONE, at=at(*DEPOT)).new_page()
    phone.goto(f"{sigap.home}/crew")
    phone.locator("#code").fill(code)
    phone.get_by_role("button", name=say("crew_signin_go")).click()
    phone.locator("label").filter(has_text=say("crew_status_available")).click()
    sheet = phone.get_by_role("dialog", name=say("duty_sheet_title"))
    expect(sheet).to_be_visible()
    critic.wrong += look.violations(phone)
    phone.screenshot(path=critic.keep("crew-duty-phone-id-light"))
    sheet.get_by_role("button", name=say("duty_fewer")).click()
    sheet.get_by_role("button", name=say("duty_go")).click()
    expect(phone.get_by_text(like("duty_shift_until"))).to_contain_text("2 orang")

    desk.tab("crews")
    desk.row("T1 ·").click()
    expect(desk.detail).to_contain_text(say("people_present", n=2, of=3))
    critic.look(desk.page, "console-crew", DESK)
    desk.detail.get_by_role("button", name=say("act_edit_crew")).click()
    dialog = desk.page.get_by_role("dialog")
    dialog.get_by_label(say("edit_least")).fill("3")
    dialog.get_by_label(say("edit_equipment")).fill("winch, boat")
    critic.look(desk.page, "console-crew-edit", DESK)
    dialog.get_by_role("button", name=say("edit_save")).click()
    expect(dialog).to_have_count(0)
    short = say("people_short", n=2, least=3)
    expect(desk.detail).to_contain_text(short)
    expect(desk.detail).to_contain_text(say("equipment_boat"))
    expect(phone.get_by_text(say("duty_short", n=2, least=3))).to_be_visible()

    desk.detail.get_by_role("button", name=say("act_out_of_service")).click()
    dialog = desk.page.get_by_role("dialog")
    dialog.get_by_role("button", name=say("reason_vehicle")).click()
    dialog.get_by_role("button", name=say("act_out_of_service")).click()
    out = say("out_of_service_because", reason=say("reason_vehicle"))
    expect(desk.detail).to_contain_text(out)
    expect(phone.get_by_text(say("duty_out", reason=say("reason_vehicle")))).to_be_visible()
    critic.look(desk.page, "console-crew-out", DESK)
    critic.look(phone, "crew-out", PHONE, server=True)
    desk.detail.get_by_role("button", name=say("act_back_in_service")).click()
    expect(desk.detail).not_to_contain_text(out)


def test_an_incident_grows(people: People, sigap: Sigap, critic: Critic) -> None:
    sent = sigap.report("fallen_tree", TREE, *SCENE)
    desk = people.dispatcher()
    desk.verify_by_key(sent.ticket)
    desk.row(sent.ticket).filter(has_text=say("incident_pending")).click()
    desk.detail.get_by_role("button", name=say("act_raise_alarm")).click()
    dialog = desk.page.get_by_role("dialog")
    critic.look(desk.page, "console-alarm", DESK)
    dialog.get_by_role("combobox").select_option("3")
    dialog.get_by_role("button", name=say("reason_traffic")).click()
    dialog.get_by_role("button", name=say("act_raise_alarm")).click()
    desk.told("done_raise_alarm", ticket=sent.ticket, n=3)
    expect(desk.detail).to_contain_text(say("alarm_level", n=3))
    slots = desk.detail.get_by_role("region", name=say("slots_title")).get_by_role("listitem")
    expect(slots).to_have_count(4)
    expect(slots.filter(has_text=say("equipment_winch"))).to_have_count(1)
    critic.look(desk.page, "console-slots", DESK)
