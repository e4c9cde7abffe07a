"""Who gets in where: each screen and link opens to its own people only."""

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.people import PHONE, REFUSED, People, at
from tests.e2e.served import CITY, Sigap
from tests.e2e.words import like, say

pytestmark = pytest.mark.needs("chromium")

SPOT = (24.9412, 60.1706)
OFFICE = ("console", "evaluation", "agency")


def test_a_crew_gets_neither_the_console_nor_what_it_shows(people: People, sigap: Sigap) -> None:
    people.hush(REFUSED)
    desk = people.dispatcher()
    crew = people.crew(desk, "L1", at(*SPOT))
    page = crew.context.new_page()
    page.goto(f"{sigap.home}/console")
    expect(page.get_by_role("heading", name=say("not_allowed_title"))).to_be_visible()
    expect(page.locator("[data-queue]")).to_have_count(0)
    for path in ("evaluation", "incidents/00000000-0000-0000-0000-000000000000"):
        answer = crew.context.request.get(f"{sigap.base}/api/{CITY}/{path}")
        assert answer.status == 403, path


@pytest.mark.parametrize("screen", OFFICE)
def test_who_is_not_signed_in_is_asked_to(people: People, sigap: Sigap, screen: str) -> None:
    page = people.context().new_page()
    page.goto(f"{sigap.home}/{screen}")
    expect(page.get_by_role("heading", name=say("signin_title"), exact=True)).to_be_visible()
    assert f"/{CITY}/signin" in page.url


def test_an_officer_and_a_dispatcher_stay_in_their_rooms(people: People, sigap: Sigap) -> None:
    people.hush(REFUSED)
    officer = people.signed_in(people.context(), "dinas").new_page()
    officer.goto(f"{sigap.home}/console")
    expect(officer.get_by_role("heading", name=say("not_allowed_title"))).to_be_visible()
    officer.goto(f"{sigap.home}/agency")
    lead = like("agency_lead")
    expect(officer.get_by_text(lead)).to_be_visible()


def test_a_private_link_opens_its_own_report_only(people: People, sigap: Sigap) -> None:
    people.hush(REFUSED)
    own = sigap.report("pothole", "Lubang di depan sekolah", *SPOT)
    other = sigap.report("waste", "Sampah di taman, rahasia tetangga", *SPOT)
    key = httpx.URL(own.link).params["k"]
    page = people.context(size=PHONE).new_page()
    page.goto(own.link)
    expect(page.locator(".wrote")).to_have_text("Lubang di depan sekolah")
    for wrong in (f"{sigap.home}/r/{other.ticket}?k={key}", f"{sigap.home}/r/{other.ticket}"):
        page.goto(wrong)
        expect(page.get_by_role("heading", level=1)).to_have_text(say("locked.title"))
        assert "tetangga" not in page.content()
