"""The report says in two languages what the runs say, in one file that needs nothing else."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import numpy as np
import pytest

from dispatch.simulator.calibration import calibrate, foretold, intervals_of, likeness
from dispatch.simulator.figures import Figures, figures
from dispatch.simulator.picture_map import CityMap
from dispatch.simulator.pictures import Axis, nice_step
from dispatch.simulator.report import Asked, render
from dispatch.simulator.report_words import Words, wording
from dispatch.simulator.statistics import Interval
from tests.unit.made_up_runs import made_up

ASKED = Asked(
    city_name="Madiun <kota>",
    baseline="A0",
    subject="F",
    facts={"crews": "6", "days": "1", "asked": "sigap simulate --city madiun"},
    made_at=datetime(2026, 11, 22, 8, tzinfo=UTC),
    version="0.1.0",
)
CITY = CityMap(
    box=(111.48, -7.67, 111.56, -7.59),
    roads=[[(111.48, -7.67), (111.52, -7.63), (111.56, -7.59)]],
    outlines=[[(111.49, -7.66), (111.55, -7.66), (111.55, -7.6), (111.49, -7.66)]],
)


@pytest.fixture(scope="module")
def runs() -> list[Figures]:
    return [
        figures(made_up(policy=policy, seed=seed, load=load, speed=speed, scenario=scenario))
        for load, scenario in ((0.25, "plain"), (0.45, "storm"))
        for policy, speed in (("A0", 1.0), ("B", 1.05), ("F", 1.4))
        for seed in (1, 2, 3)
    ]


class Outline(HTMLParser):
    """Ids, references to ids, and addresses of a page; complains of elements left open."""

    VOID = frozenset({"meta", "input", "br", "path", "circle", "rect", "polygon", "use"})

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.asked: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(dict(attrs))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def _note(self, found: dict[str, str | None]) -> None:
        if found.get("id"):
            self.ids.append(found["id"] or "")
        self.asked += (found.get("aria-labelledby") or "").split()
        if (found.get("href") or "").startswith("#"):
            self.asked.append((found["href"] or "")[1:])


def test_one_file_says_it_all(runs: list[Figures]) -> None:
    page = render(runs, ASKED, city_map=CITY)
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert set(outline.asked) <= set(outline.ids)
    # nothing is fetched, and what the city is called is text
    assert not re.search(r"https?://|@import|url\(|src=", page)
    assert "Madiun &lt;kota&gt;" in page
    assert "Madiun <kota>" not in page
    assert "OpenStreetMap" in page
    assert "nan" not in re.sub(r"<[^>]+>", "", page).split()


@pytest.mark.parametrize("language", ["id", "en"])
def test_both_languages_are_there_and_one_is_first(runs: list[Figures], language: str) -> None:
    page = render(runs, ASKED, language=language)
    assert f'<html lang="{language}">' in page
    assert f'id="language-{language}" value="{language}" checked' in page
    assert "fewer late arrivals than A0" in page
    assert "keterlambatan berkurang dibanding A0" in page
    assert page.count("OpenStreetMap") == 0, "no map, no credit"


def test_figures_are_those_of_the_runs(runs: list[Figures]) -> None:
    plain = [one for one in runs if one.scenario == "plain"]
    late = {p: sum(one.late for one in plain if one.policy == p) for p in ("A0", "F")}
    page = render(plain, ASKED, language="en")
    [card] = re.findall(r'class="big">([^<]+)<', page.partition('lang="en">')[2])[-1:]
    assert card == f"{100 * (1 - late['F'] / late['A0']):.0f} %"
    on_time = np.mean([one.on_time for one in plain if one.policy == "F"])
    assert f"{100 * on_time:.1f} %" in page
    assert f"{100 * on_time:.1f} %".replace(".", ",") in page


def test_a_law_that_fails_is_shouted(runs: list[Figures]) -> None:
    broken = figures(replace(made_up(policy="F"), waiting_mean=1e9))
    assert "do not use these figures" in render([*runs, broken], ASKED)
    assert "do not use these figures" not in render(runs, ASKED)


def test_a_broken_off_run_says_so(runs: list[Figures]) -> None:
    page = render(runs, replace(ASKED, partial=(18, 60)))
    assert "18 of 60 runs are done" in page


def test_the_baseline_alone_is_told_without_a_comparison(runs: list[Figures]) -> None:
    alone = [one for one in runs if one.policy == "A0"]
    page = render(alone, replace(ASKED, subject="A0"))
    assert "fewer late arrivals" not in page
    assert page.count("<table>") > 4


def test_no_run_is_no_report() -> None:
    with pytest.raises(ValueError, match="no run"):
        render([], ASKED)


def test_every_sentence_has_both_languages_and_the_same_fields() -> None:
    for table in wording().values():
        for key, said in table.items():
            assert set(said) == {"id", "en"}, key
            fields = {lang: set(re.findall(r"{(\w+)}", text)) for lang, text in said.items()}
            assert fields["id"] == fields["en"], key


def test_numbers_are_written_as_the_language_writes_them() -> None:
    assert Words("id").number(-12345.67) == "−12.345,7"
    assert Words("en").number(-12345.67) == "−12,345.7"
    assert Words("en").minutes(float("inf")) == "∞"
    assert Words("en").cut(Interval(0.41, 0.38, 0.44, 20)) == "41 % [38 … 44]"
    assert Words("en").cut(Interval(float("nan"), None, None, 0)) == "–"


@pytest.mark.parametrize(("span", "step"), [(1, 0.2), (60, 10), (23, 5), (0.13, 0.05), (0, 1)])
def test_axes_have_round_numbers(span: float, step: float) -> None:
    assert nice_step(span) == pytest.approx(step)
    ticks = Axis(0, span, "", str).ticks()
    assert len(ticks) <= 11


def test_a_sample_is_like_itself_and_unlike_another() -> None:
    chance = np.random.default_rng(3)
    ours, same = chance.lognormal(6, 0.5, 4_000), chance.lognormal(6, 0.5, 4_000)
    close = likeness("travel", simulated=ours, logged=same)
    assert close.ks < close.ks_noise * 1.3
    far = likeness("travel", simulated=ours, logged=same + 60)
    assert far.ks > far.ks_noise
    assert far.apart_s == pytest.approx(60, abs=8)
    assert likeness("travel", simulated=ours, logged=ours).ks == 0
    with pytest.raises(ValueError, match="nothing to compare"):
        likeness("travel", simulated=ours, logged=ours[:0])


def test_foretold_arrivals_are_judged_by_what_came() -> None:
    chance = np.random.default_rng(4)
    predicted = chance.uniform(200, 900, 5_000)
    actual = predicted * 1.2 * chance.lognormal(0, 0.3, 5_000)
    found = foretold(predicted, actual, p90_s=predicted * 1.2 * np.exp(0.3 * 1.2816))
    assert found.ratio == pytest.approx(1.2, rel=0.02)
    assert found.sigma == pytest.approx(0.3, rel=0.05)
    assert found.covered == pytest.approx(0.9, abs=0.02)
    assert found.bias_s > 0
    with pytest.raises(ValueError, match="foretold"):
        foretold(np.array([0.0]), np.array([5.0]))


def test_a_calibration_is_told(runs: list[Figures]) -> None:
    simulated = intervals_of(made_up())
    logged = {"travel": simulated["travel"] * 1.1, "turnout": np.array([])}
    found = calibrate(logged, simulated, source="a replay")
    assert [one.interval for one in found.intervals] == ["travel"]
    page = render(runs, ASKED, calibration=found)
    assert "Times of the simulation beside times that were logged: a replay." in page
