"""A lamp pole is picked by its number: tapped on the map, chosen from a list, or typed."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import look
from tests.e2e.people import DESK, LIVE_MS, PHONE, REFUSED, SLOW_MS, People, at
from tests.e2e.served import CHECKOUT, CITY, COMMAND, Sigap
from tests.e2e.words import LANGUAGES, Language, say

pytestmark = pytest.mark.needs("chromium")

HERE = (24.9412, 60.1706)
EAST_DEG = 1 / (111_195 * math.cos(math.radians(HERE[1])))
ZOOM = 17
PX_M = 2**ZOOM * 512 / (40_075_017 * math.cos(math.radians(HERE[1])))
"""Pixels of a metre on a map of tiles of 512 pixels."""


@pytest.fixture(scope="module")
def poles(sigap: Sigap, tmp_path_factory: pytest.TempPathFactory) -> Sigap:
    """Poles in a row, 20 m apart; imported while the server runs."""
    listed = tmp_path_factory.mktemp("assets") / "tiang.csv"
    rows = [
        f"PJU-{n:04};{HERE[1]};{HERE[0] + n * 20 * EAST_DEG};Jl. Aleksanteri" for n in range(49)
    ]
    listed.write_text("Nomor Tiang;Lintang;Bujur;Nama Jalan\n" + "\n".join(rows), "utf-8")
    own = {name: value for name, value in os.environ.items() if not name.startswith("SIGAP_")}
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "assets", "import", str(listed), CITY, "--sort", "PJU"],
        cwd=CHECKOUT,
        env=own | {"SIGAP_DATA_DIR": str(sigap.data)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    until = time.monotonic() + 60
    while not _known(sigap):
        assert time.monotonic() < until, "the running server did not hear of the new list"
        time.sleep(0.5)
    return sigap


def _known(sigap: Sigap) -> bool:
    facts = httpx.get(f"{sigap.base}/api/{CITY}", timeout=30).json()
    return any(each["assets"] for each in facts["services"])


def tap(canvas: Locator, *, east_m: float) -> None:
    """Tap so many metres east of the middle of the map."""
    box = canvas.bounding_box()
    assert box is not None
    canvas.click(position={"x": box["width"] / 2 + east_m * PX_M, "y": box["height"] / 2})


def settled(page: Page, canvas: str) -> None:
    """Until the map has drawn and stands still."""
    page.wait_for_function("(s) => document.querySelector(s)?.width > 0", arg=canvas)
    page.wait_for_timeout(600)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_citizen_taps_a_pole_on_the_map(
    poles: Sigap, people: People, screenshots: Callable[[str], Path], language: Language
) -> None:
    dark = language == "en"
    context = people.context(
        size=PHONE,
        language=language,
        scheme="dark" if dark else "light",
        at=at(HERE[0] + 6 * EAST_DEG, HERE[1]),
    )
    page = context.new_page()
    page.goto(f"{poles.home}/")
    number = page.locator("#asset_code")
    expect(number).to_be_hidden()
    page.locator("label.tile:has(input[value=pothole])").click()
    expect(number).to_be_hidden()
    page.locator("label.tile:has(input[value=street_light])").click()
    expect(number).to_be_visible()
    page.locator("#description").fill("Lampu padam sejak kemarin")
    page.locator("[data-place-here]").click()
    near = page.locator("[data-asset-near] button")
    expect(near.first).to_contain_text("PJU-0000", timeout=SLOW_MS)
    expect(near.first).to_contain_text("6 m")
    page.locator("[data-place-map]").click()
    canvas = page.locator("pin-map canvas")
    expect(canvas).to_be_visible(timeout=SLOW_MS)
    tip = page.locator("pin-map .map-tip")
    expect(tip).to_have_text(say("form.asset_tap", language), timeout=SLOW_MS)
    settled(page, "pin-map canvas")
    page.screenshot(path=screenshots(f"assets-map-{language}"))
    tap(canvas, east_m=14)  # the next pole stands 20 m from the first, we 6 m
    name = "Lamp pole PJU-0001" if dark else "Tiang PJU-0001"
    expect(number).to_have_value("PJU-0001", timeout=LIVE_MS)
    expect(page.locator("[data-pinned-label]")).to_contain_text(f"{name}, Jl. Aleksanteri")
    expect(page.locator("[data-asset-state]")).to_contain_text(name)
    expect(page.locator("[data-asset-near] [aria-pressed=true]")).to_contain_text("PJU-0001")
    assert look.violations(page) == []
    assert look.wrong_words(page, language) == []
    settled(page, "pin-map canvas")
    page.locator("#place").scroll_into_view_if_needed()
    page.screenshot(path=screenshots(f"assets-picked-{language}"), full_page=True)
    # “Use this point” on the picked pole keeps it.
    page.locator("pin-map .map-use button").click()
    expect(canvas).to_be_hidden()
    expect(number).to_have_value("PJU-0001")
    page.locator("[data-send]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        say("sent.title", language), timeout=SLOW_MS
    )
    expect(page.locator("main")).to_contain_text(name)
    ticket = page.locator("p.ticket").inner_text().strip()
    desk = people.dispatcher(language=language)
    desk.row(ticket).click()
    expect(desk.detail).to_contain_text(f"{name}, Jl. Aleksanteri")


def test_by_keyboard_a_pole_is_typed_or_chosen_from_the_list(poles: Sigap, people: People) -> None:
    people.hush(REFUSED)  # an unknown number is a refusal that the form shows
    page = people.context(size=DESK, at=at(*HERE)).new_page()
    page.goto(f"{poles.home}/")
    page.locator("input[value=street_light]").focus()
    page.keyboard.press("Space")
    number = page.locator("#asset_code")
    number.focus()
    page.keyboard.type("PJU-7777")
    said = page.locator("[data-asset-state]")
    # The server's own sentence, and not only what the page says where it got none.
    expect(said).to_contain_text("Tidak ada tiang, pohon, atau sejenisnya", timeout=LIVE_MS)
    expect(page.locator("[data-pinned]")).to_be_hidden()
    number.fill("")
    page.keyboard.type("42")
    expect(number).to_have_value("PJU-0042", timeout=LIVE_MS)
    expect(page.locator("[data-pinned-label]")).to_contain_text("Tiang PJU-0042")
    # The neighbours are listed; the next one is chosen without a mouse.
    listed = page.locator("[data-asset-near] button")
    expect(listed).to_have_count(6)
    page.locator("[data-asset-near] [data-code=PJU-0043]").focus()
    page.keyboard.press("Enter")
    expect(number).to_have_value("PJU-0043")
    expect(listed.first).to_contain_text("PJU-0043")
    expect(page.locator(":focus")).to_have_attribute("data-code", "PJU-0043")
    assert look.violations(page) == []
    # Another pin lets the pole go; so does another kind of problem.
    page.locator("[data-place-here]").click()
    expect(number).to_have_value("")
    expect(page.locator("[data-pinned-label]")).not_to_contain_text("PJU")


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_operator_picks_the_pole_a_caller_stands_at(
    poles: Sigap,
    people: People,
    screenshots: Callable[[str], Path],
    language: Language,
    size: dict[str, int],
) -> None:
    desk = people.dispatcher(language=language)
    page = desk.page
    page.set_viewport_size(size)  # type: ignore[arg-type]
    if language == "en":
        page.emulate_media(color_scheme="dark")
    page.get_by_role("button", name=desk.say("new_report"), exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(desk.say("new_report_service")).select_option("pothole")
    number = dialog.get_by_label(desk.say("asset_number"))
    expect(number).to_be_hidden()
    dialog.get_by_label(desk.say("new_report_service")).select_option("street_light")
    dialog.get_by_label(desk.say("new_report_what")).fill("Penelepon: tiang miring")
    number.fill("pju 5")
    name = "Lamp pole PJU-0005" if language == "en" else "Tiang PJU-0005"
    expect(number).to_have_value("PJU-0005", timeout=LIVE_MS)
    expect(
        dialog.get_by_text(desk.say("asset_picked", label=f"{name}, Jl. Aleksanteri"))
    ).to_be_visible()
    dialog.get_by_role("button", name=desk.say("asset_map_open")).click()
    canvas = dialog.locator(".map canvas")
    expect(canvas).to_be_visible(timeout=SLOW_MS)
    settled(page, "dialog .map canvas")
    expect(dialog.get_by_role("group").get_by_role("button")).to_have_count(6, timeout=SLOW_MS)
    tap(canvas, east_m=-20)
    expect(number).to_have_value("PJU-0004", timeout=LIVE_MS)
    expect(dialog.get_by_role("button", pressed=True)).to_contain_text("PJU-0004")
    assert look.violations(page) == []
    assert look.wrong_words(page, language) == []
    settled(page, "dialog .map canvas")
    page.screenshot(path=screenshots(f"assets-dialog-{language}-{size['width']}"))
    dialog.get_by_role("button", name=desk.say("new_report_send")).click()
    expect(dialog).to_be_hidden(timeout=LIVE_MS)
    with poles.api("operator") as api:
        labels = {each["place_label"] for each in api.get("/public/reports")["reports"]}
    assert "Tiang PJU-0004, Jl. Aleksanteri" in labels
