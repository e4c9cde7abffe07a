"""The way to the job, turn by turn on the crew's phone: signs, words, streets, and the place."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e import look
from tests.e2e.people import SLOW_MS, People, at
from tests.e2e.served import Sigap
from tests.e2e.words import say

pytestmark = pytest.mark.needs("chromium")

DEPOT = (24.9353, 60.1655)
SCENE = (24.9408153, 60.169261)


def test_the_turns_to_a_job_are_listed(
    people: People, sigap: Sigap, screenshots: Callable[[str], Path]
) -> None:
    sent = sigap.report("waste", "Tumpukan sampah di tepi jalan", *SCENE)
    desk = people.dispatcher()
    crew = people.crew(desk, "T1", at(*DEPOT))
    desk.verify_by_key(sent.ticket)
    crew.offered(sent.ticket)
    crew.press("acknowledge")
    page = crew.page
    page.get_by_role("button", name=say("crew_navigate")).click()
    steps = page.get_by_role("dialog").locator("ol li")
    expect(steps.first).to_contain_text(say("crew_turn_depart"), timeout=SLOW_MS)
    expect(steps.last).to_contain_text(say("crew_turn_arrive"))
    assert steps.count() > 2
    assert look.violations(page) == []
    steps.last.scroll_into_view_if_needed()
    page.screenshot(path=screenshots("crew-turns"))
