"""The report of a simulation is read by everybody, on a desk, on a phone, and in the dark."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from dispatch.simulator.figures import figures
from dispatch.simulator.report import render
from tests.e2e.look import violations
from tests.unit.made_up_runs import made_up
from tests.unit.test_simulator_report import ASKED, CITY

pytestmark = pytest.mark.needs("chromium")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark"), (390, "light")])
def test_everybody_can_read_the_report(
    browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    runs = [
        figures(made_up(policy=policy, seed=seed, speed=speed))
        for policy, speed in (("A0", 1.0), ("F", 1.3))
        for seed in (1, 2)
    ]
    path = tmp_path / "report.html"
    path.write_text(render(runs, replace(ASKED, partial=(4, 8)), city_map=CITY), "utf-8")
    page = browser.new_page(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page.goto(path.as_uri())
    for language, heading in (("en", "In short"), ("id", "Ringkasan")):
        page.check(f"#language-{language}")
        assert page.evaluate("document.documentElement.lang") == language
        assert page.get_by_role("heading", name=heading).is_visible()
        assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
