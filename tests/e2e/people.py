"""The three people of a case at their screens: citizen, dispatcher, crew; and who judges."""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Literal

from PIL import Image, ImageDraw
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    FilePayload,
    Geolocation,
    Locator,
    Page,
    ViewportSize,
    expect,
)

from tests.e2e.served import CITY, Sigap
from tests.e2e.words import Language, say

PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1440, "height": 900}
LIVE_MS = 10_000
SLOW_MS = 20_000
# A screen asks whether somebody is signed in; Chromium reports the honest "no" as an error.
HARMLESS = re.compile(r"status of 401")
NO_NETWORK = re.compile(r"ERR_(INTERNET|CONNECTION|FAILED|EMPTY)|WebSocket|Failed to fetch")
REFUSED = re.compile(r"status of 4(03|04|22)")
RUNNING = re.compile(r"\d+:\d\d|\d+ (dtk|mnt)")
TICKET = re.compile(r"[A-Z]{3}-[0-9A-Z]{4}-[0-9A-Z]")
OUTSPOKEN = """
const say = console.error;
console.error = (...all) =>
  say(...all.map((each) => (each instanceof Error ? `${each.name}: ${each.message}` : each)));
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy forbids ${event.blockedURI}: ${event.violatedDirective}`));"""


def photo(seed: int, *, name: str = "foto.jpg") -> FilePayload:
    """A picture of its own, as a phone's camera would hand it over."""
    chance = Random(seed)
    picture = Image.new("RGB", (1280, 960), (148, 190, 224))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 560, 1280, 960), fill=(108, 112, 116))
    draw.rectangle((560, 560, 600, 960), fill=(226, 226, 210))
    for _ in range(60):
        x, y, size = chance.randrange(1280), chance.randrange(420, 900), chance.randrange(20, 110)
        green = (chance.randrange(30, 80), chance.randrange(90, 160), chance.randrange(30, 70))
        draw.ellipse((x, y, x + size, y + size // 2), fill=green)
    draw.line((120, 800, 1150, 640), fill=(92, 64, 40), width=44)
    kept = io.BytesIO()
    picture.save(kept, "JPEG", quality=80)
    return {"name": name, "mimeType": "image/jpeg", "buffer": kept.getvalue()}


@dataclass
class People:
    """Opens a screen each, and hears what browsers complain about."""

    browser: Browser
    sigap: Sigap
    complaints: list[str] = field(default_factory=list)
    allowed: list[re.Pattern[str]] = field(default_factory=lambda: [HARMLESS])
    _open: list[BrowserContext] = field(default_factory=list)

    def context(
        self,
        *,
        size: ViewportSize = DESK,
        language: Language = "id",
        scheme: Literal["light", "dark"] = "light",
        scripts: bool = True,
        at: Geolocation | None = None,
    ) -> BrowserContext:
        """A browser of its own, as on a device of its own."""
        context = self.browser.new_context(
            viewport=size,
            locale={"id": "id-ID", "en": "en-GB"}[language],
            timezone_id="Asia/Jakarta",
            color_scheme=scheme,
            java_script_enabled=scripts,
            has_touch=size == PHONE,
            geolocation=at,
            permissions=["geolocation"] if at else None,
        )
        context.set_default_timeout(SLOW_MS)
        context.add_cookies([{"name": "sigap_lang", "value": language, "url": self.sigap.base}])
        if scripts:
            context.add_init_script(OUTSPOKEN)
        context.on("console", self._heard)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self._open.append(context)
        return context

    def signed_in(self, context: BrowserContext, username: str) -> BrowserContext:
        """The same context with that person's session."""
        wish = {"city": CITY, "username": username, "password": self.sigap.password(username)}
        answer = context.request.post(
            f"{self.sigap.base}/api/session", data=wish, headers={"Origin": self.sigap.base}
        )
        assert answer.ok, answer.text()
        return context

    def dispatcher(self, *, language: Language = "id") -> "Dispatcher":
        context = self.signed_in(self.context(language=language), "operator")
        page = context.new_page()
        page.goto(f"{self.sigap.home}/console")
        desk = Dispatcher(page, language)
        desk.live()
        return desk

    def citizen(self, *, scripts: bool = True, at: Geolocation | None = None) -> "Citizen":
        page = self.context(size=PHONE, scripts=scripts, at=at).new_page()
        return Citizen(page, self.sigap)

    def crew(self, dispatcher: "Dispatcher", call_sign: str, at: Geolocation) -> "Crew":
        """A phone that is given to a crew: the dispatcher makes a code, the crew types it."""
        context = self.context(size=PHONE, at=at)
        crew = Crew(context, context.new_page(), self.sigap)
        crew.sign_in(dispatcher.pairing_code(call_sign))
        return crew

    def hush(self, pattern: re.Pattern[str]) -> None:
        """From now on such complaints are expected."""
        self.allowed.append(pattern)

    def photograph(self, folder: Path) -> None:
        """What everybody has on the screen."""
        folder.mkdir(parents=True, exist_ok=True)
        for number, page in enumerate(page for context in self._open for page in context.pages):
            page.screenshot(path=folder / f"screen-{number}.png")

    def leave(self) -> None:
        """Close every screen; fail when a browser complained about one."""
        # Closing breaks off what a map was asking for, so complaints count until here.
        loud = [c for c in self.complaints if not any(p.search(c) for p in self.allowed)]
        for context in self._open:
            context.close()
        assert not loud, "browsers complained:\n" + "\n".join(sorted(set(loud)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")


@dataclass(slots=True)
class Citizen:
    """Somebody with a phone and no account."""

    page: Page
    sigap: Sigap
    ticket: str = ""
    link: str = ""

    def open_form(self) -> None:
        self.page.goto(f"{self.sigap.home}/")

    def fill(
        self, service: str, description: str, *, place: str = "", photos: Sequence[FilePayload] = ()
    ) -> None:
        """Everything but the pin."""
        self.page.locator(f"label.tile:has(input[value={service}])").click()
        self.page.locator("#description").fill(description)
        if place:
            self.page.locator("#place_typed").fill(place)
        if photos:
            self.page.locator("#photo-files").set_input_files(list(photos))

    def send(self) -> str:
        """Press “Kirim laporan”; the ticket that was given."""
        self.page.locator("[data-send]").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(
            say("sent.title"), timeout=SLOW_MS
        )
        self.ticket = self.page.locator("p.ticket").inner_text().strip()
        assert TICKET.fullmatch(self.ticket), self.ticket
        self.link = self.page.locator("#private-link").input_value()
        return self.ticket

    def follow(self) -> None:
        """Open the private link."""
        self.page.goto(self.link)

    def sees(self, text: str) -> None:
        """The headline says so, by itself."""
        expect(self.page.locator("#live h1")).to_have_text(text, timeout=SLOW_MS)

    def answer(self, choice: Literal["satisfied", "reopen"], text: str = "") -> None:
        if text:
            self.page.locator("#answer-text").fill(text)
        self.page.locator(f"button[name=answer][value={choice}]").click()


CHOSEN = """() => [...document.querySelectorAll("[data-queue]")]
    .findIndex((row) => row.getAttribute("aria-current") === "true")"""


@dataclass(slots=True)
class Dispatcher:
    """The console."""

    page: Page
    language: Language = "id"

    def say(self, name: str, **values: object) -> str:
        return say(name, self.language, **values)

    def live(self) -> None:
        expect(self.page.locator("[data-link]")).to_have_attribute(
            "data-link", "live", timeout=SLOW_MS
        )

    def row(self, text: str) -> Locator:
        """What the queue shows about a ticket, call sign or the like."""
        return self.page.locator("[data-queue]").filter(has_text=text)

    def tab(self, name: Literal["queue", "rounds", "crews", "finished"]) -> None:
        tabs = self.page.get_by_role("group", name=self.say("queue"))
        tabs.get_by_role("button", name=self.say(f"tab_{name}")).click()

    def queue_text(self) -> str:
        """All the queue says, but for its running seconds: each screen's tick in their own time."""
        return RUNNING.sub("…", self.page.locator("#queue").inner_text())

    @property
    def detail(self) -> Locator:
        return self.page.locator(".detail-pane")

    def choose_by_key(self, ticket: str) -> None:
        """Press J, and past the end K, until that ticket is chosen."""
        row = self.row(ticket).first
        expect(row).to_be_visible(timeout=LIVE_MS)
        # keys belong to an open dialog as long as it stands
        expect(self.page.get_by_role("dialog")).to_have_count(0, timeout=LIVE_MS)
        for key in ("j", "k"):
            for _ in range(30):
                if row.get_attribute("aria-current") == "true":
                    return
                before = self.page.evaluate(CHOSEN)
                self.page.keyboard.press(key)
                if not self._moved_on(before):
                    break
        raise AssertionError(f"neither J nor K reached {ticket}")

    def _moved_on(self, before: int) -> bool:
        """Whether another row is chosen soon: a slow screen must not be stepped over."""
        for _ in range(20):
            if self.page.evaluate(CHOSEN) != before:
                return True
            self.page.wait_for_timeout(100)
        return False

    def verify_by_key(self, ticket: str) -> None:
        self.choose_by_key(ticket)
        self.page.keyboard.press("v")
        expect(self.page.get_by_role("dialog")).to_be_visible()
        self.page.keyboard.press("Enter")
        self.told("done_verify", ticket=ticket)

    def decide_by_key(self, ticket: str, key: str, reason: str) -> None:
        """Choose the ticket, press the decision's key, write the reason, press Enter."""
        self.choose_by_key(ticket)
        self.page.keyboard.press(key)
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("textbox").fill(reason)
        self.page.keyboard.press("Enter")
        expect(dialog).to_have_count(0)

    def told(self, name: str, **values: object) -> None:
        """The bar below says what was done."""
        expect(self.page.locator("[data-outcome]")).to_contain_text(
            self.say(name, **values), timeout=LIVE_MS
        )

    def pairing_code(self, call_sign: str) -> str:
        """A fresh one-time code for that crew's phone."""
        self.tab("crews")
        self.row(f"{call_sign} ·").click()
        self.detail.get_by_role("button", name=self.say("act_pair")).click()
        dialog = self.page.get_by_role("dialog")
        code = dialog.locator("b.numbers").inner_text()
        self.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        self.page.keyboard.press("Escape")
        self.tab("queue")
        return code

    def mark(self) -> None:
        """Leave a mark that only a reload would wipe off."""
        self.page.evaluate("window.never_reloaded = true")

    def assert_not_reloaded(self) -> None:
        assert self.page.evaluate("window.never_reloaded === true")


@dataclass(slots=True)
class Crew:
    """A crew's phone."""

    context: BrowserContext
    page: Page
    sigap: Sigap

    def sign_in(self, code: str) -> None:
        self.page.goto(f"{self.sigap.home}/crew")
        self.page.locator("#code").fill(code)
        self.page.get_by_role("button", name=say("crew_signin_go")).click()
        self.page.locator("label").filter(has_text=say("crew_status_available")).click()
        self.page.get_by_role("button", name=say("duty_go")).click()
        expect(self.page.get_by_role("heading", name=say("crew_idle_title"))).to_be_visible()
        self.sent_everything()

    def open_again(self) -> None:
        """Close the page and open it anew, as after a restart of the phone."""
        self.page.close()
        self.page = self.context.new_page()
        self.page.goto(f"{self.sigap.home}/crew")

    def sent_everything(self) -> None:
        expect(self.page.locator("header button.waiting")).to_have_count(0, timeout=SLOW_MS)

    def move(self, at: Geolocation) -> None:
        self.context.set_geolocation(at)

    def step(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=say(f"crew_step_{name}"), exact=True)

    def press(self, name: str) -> None:
        """The one big button, once it shows that step."""
        self.step(name).click(timeout=SLOW_MS)

    def offered(self, ticket: str) -> None:
        expect(self.page.get_by_role("heading", name=say("crew_offer_title"))).to_be_visible(
            timeout=SLOW_MS
        )
        expect(self.page.get_by_text(say("crew_ticket", ticket=ticket))).to_be_visible()

    def add_photo(self, kind: Literal["before", "after"], payload: FilePayload) -> None:
        label = self.page.locator("label").filter(has_text=say(f"crew_photo_{kind}"))
        label.first.locator("input[type=file]").set_input_files(payload)

    def write_note(self, text: str) -> None:
        self.page.get_by_role("button", name=say("crew_note_add")).click()
        self.page.get_by_label(say("crew_note_label")).fill(text)
        self.page.get_by_role("button", name=say("crew_note_go")).click()
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    def clear(self, disposition: str, note: str = "") -> None:
        """Finish the job with that outcome."""
        self.press("clear")
        sheet = self.page.get_by_role("dialog")
        sheet.locator("label").filter(has_text=disposition).click()
        if note:
            sheet.get_by_label(say("crew_clear_note")).fill(note)
        sheet.get_by_role("button", name=say("crew_clear_go")).click()
        expect(sheet).to_have_count(0)


def at(lon: float, lat: float, accuracy: float = 8.0) -> Geolocation:
    """Where a phone is, metres of doubt."""
    return {"longitude": lon, "latitude": lat, "accuracy": accuracy}


def between(start: tuple[float, float], end: tuple[float, float], share: float) -> Geolocation:
    """A phone that has made that share of the way."""
    return at(*(a + (b - a) * share for a, b in zip(start, end, strict=True)))


def soon(what: Callable[[], Any], page: Page, *, within_ms: float = LIVE_MS) -> None:
    """Wait until `what()` is true, asking ten times a second."""
    for _ in range(int(within_ms // 100)):
        if what():
            return
        page.wait_for_timeout(100)
    assert what()
