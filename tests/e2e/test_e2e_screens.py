"""Every screen on phone and desk, light and dark, in both languages: accessible and well said."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e import look
from tests.e2e.people import DESK, PHONE, People, at, photo
from tests.e2e.served import Sigap
from tests.e2e.words import LANGUAGES, Language, say

pytestmark = pytest.mark.needs("chromium")

DEPOT = (24.9353, 60.1655)
SCENE = (24.9408153, 60.169261)
TREE = "Pohon besar tumbang menutup jalan, mobil tidak bisa lewat."
DARK = "Lampu jalan padam sejak kemarin, gelap sekali di depan halte."
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# A page that is left breaks off what its map was asking for.
LEFT = re.compile(r"^(Type)?Error: Failed to fetch")
NOT_FOUND = re.compile("status of 404")


@dataclass(slots=True)
class Critic:
    """Looks at a screen in every dress and keeps pictures of it."""

    keep: Callable[[str], Path]
    base: str
    wrong: list[str] = field(default_factory=list)

    def look(self, page: Page, name: str, size: ViewportSize, *, server: bool = False) -> None:
        """In English, then in Indonesian; `server` pages are asked for anew to change language."""
        page.set_viewport_size(size)
        width = "phone" if size == PHONE else "desk"
        for language in reversed(LANGUAGES):
            speak(page, language, self.base, server=server)
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                dress = f"{name} {width} {language} {scheme}"
                self.wrong += [f"{dress}: {words}" for words in look.violations(page)]
                if wide := page.evaluate("document.documentElement.scrollWidth") - size["width"]:
                    self.wrong += [f"{dress}: {wide} px too wide"] if wide > 0 else []
                drawn(page)
                page.screenshot(path=self.keep(dress.replace(" ", "-")))
            self.wrong += [
                f"{name} {language}: says “{text}”" for text in look.wrong_words(page, language)
            ]
        page.emulate_media(color_scheme="light")

    def judge(self) -> None:
        assert not self.wrong, "\n".join(self.wrong)


@pytest.fixture
def critic(screenshots: Callable[[str], Path], sigap: Sigap) -> Iterator[Critic]:
    """Says all that is wrong at once, when everything was looked at."""
    made = Critic(screenshots, sigap.base)
    yield made
    made.judge()


def drawn(page: Page) -> None:
    """Give a map the time to be drawn, for whoever looks at the picture."""
    if page.locator("canvas.maplibregl-canvas").count():
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(400)


def speak(page: Page, language: Language, base: str, *, server: bool) -> None:
    """Switch the screen's language as its reader would."""
    shown = page.locator("html")
    if shown.get_attribute("lang") == language:
        return
    page.context.add_cookies([{"name": "sigap_lang", "value": language, "url": base}])
    if server:
        page.reload()
    else:
        page.locator("button[lang]").first.dispatch_event("click")
    expect(shown).to_have_attribute("lang", language)


def test_the_pages_of_a_citizen(people: People, sigap: Sigap, critic: Critic) -> None:
    people.hush(LEFT)
    citizen = people.citizen()
    page = citizen.page
    citizen.open_form()
    for size in (DESK, PHONE):
        critic.look(page, "home", size, server=True)
    citizen.fill("fallen_tree", TREE, place="Mannerheimintie 3", photos=[photo(1)])
    suggestion = page.locator(".suggestions button").first
    expect(suggestion).to_be_visible()
    suggestion.click()
    expect(page.locator("ul.photos img")).to_have_count(1)
    page.screenshot(path=critic.keep("home-phone-filled"), full_page=True)
    citizen.send()
    critic.wrong += look.violations(page)
    page.screenshot(path=critic.keep("sent-phone-id-light"), full_page=True)
    citizen.follow()
    critic.look(page, "track", PHONE, server=True)
    page.goto(f"{sigap.home}/map")
    for size in (DESK, PHONE):
        critic.look(page, "map", size, server=True)
    page.goto(f"{sigap.home}/find")
    critic.look(page, "find", PHONE, server=True)
    people.hush(NOT_FOUND)
    page.goto(f"{sigap.home}/nothing-here")
    critic.look(page, "missing", PHONE, server=True)


def test_the_console(people: People, sigap: Sigap, critic: Critic) -> None:
    sent = sigap.report("street_light", DARK, *SCENE)
    near = sigap.report("street_light", "Gelap di depan halte", SCENE[0] + 0.0003, SCENE[1])
    desk = people.dispatcher()
    desk.verify_by_key(near.ticket)
    desk.choose_by_key(sent.ticket)
    offered = say("join_this", ticket=near.ticket)
    expect(desk.detail.get_by_role("button", name=offered)).to_be_visible()
    critic.look(desk.page, "console-report", DESK)
    critic.look(desk.page, "console-report", PHONE)
    desk.page.set_viewport_size(DESK)
    desk.page.keyboard.press("v")
    critic.look(desk.page, "console-verify", DESK)
    desk.page.keyboard.press("Escape")
    desk.page.keyboard.press("?")
    critic.look(desk.page, "console-help", DESK)
    desk.page.keyboard.press("Escape")
    desk.choose_by_key(near.ticket)
    critic.look(desk.page, "console-incident", DESK)


def test_the_phone_of_a_crew(people: People, sigap: Sigap, critic: Critic) -> None:
    people.hush(LEFT)
    desk = people.dispatcher()
    crew = people.crew(desk, "T1", at(*DEPOT))
    page = crew.page
    critic.look(page, "crew-idle", PHONE, server=True)
    sent = sigap.report("fallen_tree", TREE, *SCENE)
    desk.verify_by_key(sent.ticket)
    crew.offered(sent.ticket)
    critic.look(page, "crew-offer", PHONE, server=True)
    crew.press("acknowledge")
    crew.press("en_route")
    expect(crew.step("on_scene")).to_be_visible()
    critic.look(page, "crew-drive", PHONE, server=True)
    crew.move(at(*SCENE))
    crew.press("on_scene")
    crew.add_photo("before", photo(2))
    expect(crew.step("clear")).to_be_visible()
    critic.look(page, "crew-scene", PHONE, server=True)
    crew.press("clear")
    critic.wrong += look.violations(page)
    page.screenshot(path=critic.keep("crew-clear-phone-id-light"))
    page.keyboard.press("Escape")
    crew.clear("Selesai ditangani", "Sudah bersih.")
    crew.sent_everything()


def test_the_office(people: People, sigap: Sigap, critic: Critic) -> None:
    sigap.report("flood", "Air masuk ke kios", *SCENE)
    page = people.context().new_page()
    page.goto(f"{sigap.home}/signin")
    for size in (DESK, PHONE):
        critic.look(page, "signin", size)
    page.goto(f"{sigap.home}/crew")
    critic.look(page, "crew-signin", PHONE)
    page = people.signed_in(people.context(), "penilai").new_page()
    page.goto(f"{sigap.home}/evaluation")
    expect(page.get_by_role("heading", name=say("eval_total_response"), exact=True)).to_be_visible()
    for size in (DESK, PHONE):
        critic.look(page, "evaluation", size)
    page = people.signed_in(people.context(), "dinas").new_page()
    page.goto(f"{sigap.home}/agency")
    expect(page.get_by_role("heading", name=say("agency_made"))).to_be_visible()
    for size in (DESK, PHONE):
        critic.look(page, "agency", size)
