"""One page to look at: what was played, which policy came late how often, and how sure we are."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dispatch.simulator import picture_map, pictures, statistics
from dispatch.simulator.calibration import QUANTILES, Calibration, Spread
from dispatch.simulator.figures import TARGET_S, Figures, Share
from dispatch.simulator.picture_map import CityMap
from dispatch.simulator.report_pictures import Drawn, draw
from dispatch.simulator.report_words import LANGUAGES, Words
from dispatch.simulator.statistics import Comparison, Interval, Setting, Summary

FOLDER = Path(__file__).parent
STYLES = 8
GROUND = "ground"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the head of the report says of a run.

    `baseline` and `subject` are names of policies; `facts` are named by keys of the wording or by
    themselves; `partial` is (done, all) when the runs were broken off.
    """

    city_name: str
    baseline: str
    subject: str
    facts: Mapping[str, str]
    made_at: datetime
    version: str
    target_s: float = TARGET_S
    partial: tuple[int, int] | None = None


def render(
    runs: Sequence[Figures],
    asked: Asked,
    *,
    city_map: CityMap | None = None,
    calibration: Calibration | None = None,
    language: str = "id",
) -> str:
    """The report as one self-contained HTML page in both languages.

    `language` is the one shown first. Raises ValueError without a run.
    """
    if not runs:
        raise ValueError("There is no run to report.")
    by_setting = statistics.grouped(runs)
    named = list(dict.fromkeys(one.policy for one in runs))
    styles = _styles(named, baseline=asked.baseline, subject=asked.subject)
    page = _environment().get_template("report.html.jinja")
    return page.render(
        first=language,
        title=f"{Words(language)('title')} · {asked.city_name}",
        style=Markup((FOLDER / "report.css").read_text("utf-8")),  # noqa: S704 - our own file
        ground=Markup(picture_map.ground(city_map, name=GROUND)) if city_map else "",  # noqa: S704
        city_name=asked.city_name,
        baseline=asked.baseline,
        target_min=f"{asked.target_s / 60:g}",
        partial=asked.partial,
        made_at=f"{asked.made_at:%Y-%m-%d %H:%M} UTC",
        version=asked.version,
        editions=[
            _edition(
                Words(lang), by_setting, asked, styles, city_map=city_map, calibration=calibration
            )
            for lang in LANGUAGES
        ],
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _styles(named: Sequence[str], *, baseline: str, subject: str) -> dict[str, int]:
    """The baseline is style 0, the subject 1, the others follow."""
    first = [name for name in (baseline, subject) if name in named]
    others = [name for name in named if name not in first]
    start = {baseline: 0, subject: 1} if baseline != subject else {subject: 1}
    return {name: start[name] for name in first} | {
        name: 2 + k % (STYLES - 2) for k, name in enumerate(others)
    }


def _edition(
    w: Words,
    by_setting: Mapping[Setting, Mapping[str, list[Figures]]],
    asked: Asked,
    styles: Mapping[str, int],
    *,
    city_map: CityMap | None,
    calibration: Calibration | None,
) -> dict[str, Any]:
    settings = [
        _setting(w, k, setting, policies, asked, styles, city_map=city_map)
        for k, (setting, policies) in enumerate(by_setting.items())
    ]
    unlike = sum(one["unlike"] for one in settings)
    everything = [
        statistics.summary(runs) for policies in by_setting.values() for runs in policies.values()
    ]
    worst = max(one.law_gap for one in everything)
    holds = all(one.law_holds for one in everything)
    warnings = [] if holds else [w("little_bad", gap=w.percent(worst, 3))]
    if unlike:
        warnings.append(w("unlike", n=unlike))
    return {
        "words": w,
        "warnings": warnings,
        "cards": [one["card"] for one in settings if one["card"]],
        "facts": [(_named(w, name), value) for name, value in asked.facts.items()],
        "settings": settings,
        "trust": _trust(w, everything, worst=worst, holds=holds),
        "calibration": _calibration(w, calibration) if calibration else None,
    }


def _named(w: Words, name: str) -> str:
    return w(name) if w.has(name) else name


def _setting(
    w: Words,
    k: int,
    setting: Setting,
    policies: Mapping[str, list[Figures]],
    asked: Asked,
    styles: Mapping[str, int],
    *,
    city_map: CityMap | None,
) -> dict[str, Any]:
    base = policies.get(asked.baseline)
    compared = {
        name: statistics.compare(runs, base)
        for name, runs in policies.items()
        if base and name != asked.baseline
    }
    sums = {name: statistics.summary(runs) for name, runs in policies.items()}
    identity = f"setting-{k}-{w.lang}"
    drawn: Drawn = draw(
        w,
        identity,
        policies,
        compared,
        asked.baseline,
        asked.subject,
        styles,
        target_s=asked.target_s,
        city_map=city_map,
        ground=GROUND,
    )
    title = title_of(w, setting)
    storm = any(one.storm.n for one in sums.values())
    return {
        "id": identity,
        "title": title,
        "seeds": max(one.seeds for one in sums.values()),
        "unlike": sum(one.unlike for one in compared.values()),
        "card": _card(w, title, asked, sums, compared),
        "rows": [
            {
                "policy": name,
                "does": w.policy(name),
                "baseline": name == asked.baseline,
                "subject": name == asked.subject,
                "sample": Markup(pictures.sample(styles[name])),  # noqa: S704 - drawn here
                "cells": _cells(w, found, compared.get(name)),
            }
            for name, found in sums.items()
        ],
        "priority": _groups(w, w("by_priority"), policies, lambda one: one.by_priority),
        "district": _groups(w, w("by_district"), policies, lambda one: one.by_district),
        "service": _groups(w, w("by_service"), policies, lambda one: one.by_service),
        "storm": _groups(w, w("storm_title"), policies, lambda one: {w("storm"): one.storm})
        if storm
        else None,
        "cut": drawn.cut,
        "cdf": drawn.cdf,
        "hours": drawn.hours,
        "queue": drawn.queue,
        "crews": drawn.crews,
        "maps": drawn.maps,
    }


def title_of(w: Words, setting: Setting) -> str:
    """A setting in words: load .35, storm, frictions on."""
    _, load, scenario, frictions = setting
    scene = w(scenario) if w.has(scenario) else scenario
    return (
        f"{w('load')} {w.number(load, 2)} · {scene} · {w('frictions' if frictions else 'smooth')}"
    )


def _card(
    w: Words,
    title: str,
    asked: Asked,
    sums: Mapping[str, Summary],
    compared: Mapping[str, Comparison],
) -> dict[str, Any] | None:
    found = compared.get(asked.subject)
    if found is None or math.isnan(found.late_cut.estimate):
        return None
    cut = found.late_cut
    worse = cut.estimate < 0
    interval = w("one_seed")
    if cut.low is not None and cut.high is not None:
        ends = (-cut.high, -cut.low) if worse else (cut.low, cut.high)
        interval = w("interval95", a=w.percent(ends[0], 0), b=w.percent(ends[1], 0))
    return {
        "where": f"{asked.subject} · {title}",
        "worse": worse,
        "cut": w.percent(abs(cut.estimate), 0),
        "says": w("more" if worse else "fewer", base=asked.baseline),
        "interval": interval,
        "on_time": w(
            "on_time_to",
            a=w.percent(sums[asked.baseline].on_time.estimate),
            b=w.percent(sums[asked.subject].on_time.estimate),
        ),
    }


def _cells(w: Words, found: Summary, against: Comparison | None) -> list[dict[str, Any]]:
    """The columns after the policy's name, in the order of the page's head."""

    def cell(value: str, small: str = "", *, better: bool = False) -> dict[str, Any]:
        return {"value": value, "small": small, "better": better}

    cut = against.late_cut if against else None
    return [
        cell(
            w.percent(found.on_time.estimate),
            _difference(w, against.on_time, 100, 1) if against else "",
            better=against is not None and against.on_time.above_zero,
        ),
        cell(
            w.percent(cut.estimate, 0) if cut else "–",
            _ends(w, cut, 100, 0) if cut else "",
            better=cut is not None and cut.above_zero,
        ),
        cell(
            w.minutes(found.mean_s.estimate),
            _difference(w, against.mean_s, 1 / 60, 1) if against else "",
            better=against is not None and _below_zero(against.mean_s),
        ),
        cell(w.minutes(found.p50_s)),
        cell(w.minutes(found.p90_s)),
        cell(
            w.minutes(found.p95_s),
            _difference(w, against.p95_s, 1 / 60, 1) if against else "",
            better=against is not None and _below_zero(against.p95_s),
        ),
        cell(w.minutes(found.max_s, 0)),
        cell(
            w.percent(found.high_on_time.estimate),
            _difference(w, against.high_on_time, 100, 1) if against else "",
            better=against is not None and against.high_on_time.above_zero,
        ),
        cell(w.number(found.diversions_per_job, 2)),
        cell(w.number(found.km_per_job)),
        cell(w.number(found.moves_per_crew_h, 2)),
        cell(f"{w.percent(found.workload, 0)}", f"± {w.number(100 * found.workload_spread, 0)}"),
        cell(w.number(found.decision_p99_ms)),
    ]


def _difference(w: Words, found: Interval, factor: float, digits: int) -> str:
    """+3.2 [2.8 … 3.6], signed."""
    if math.isnan(found.estimate):
        return ""
    sign = "+" if found.estimate > 0 else ""
    ends = _ends(w, found, factor, digits)
    return f"{sign}{w.number(factor * found.estimate, digits)} {ends}".strip()


def _ends(w: Words, found: Interval, factor: float, digits: int) -> str:
    if found.low is None or found.high is None:
        return ""
    return f"[{w.number(factor * found.low, digits)} … {w.number(factor * found.high, digits)}]"


def _below_zero(found: Interval) -> bool:
    return found.high is not None and found.high < 0


def _groups(
    w: Words,
    title: str,
    policies: Mapping[str, list[Figures]],
    groups: Callable[[Figures], Mapping[str, Share]],
) -> dict[str, Any]:
    """A table of groups against policies, largest group first (priorities by number)."""
    found = {name: statistics.by_group(runs, groups) for name, runs in policies.items()}
    seeds = max(len(runs) for runs in policies.values())
    sizes: dict[str, int] = {}
    for shares in found.values():
        for key, share in shares.items():
            sizes[key] = max(sizes.get(key, 0), share.n)
    keys = sorted(sizes, key=lambda key: (0 if key.isdigit() else -sizes[key], key))
    nothing = Share(0, 0, 0.0)
    lines = []
    for key in keys:
        cells = [found[name].get(key, nothing) for name in policies]
        lines.append(
            {
                "name": key or w("no_district"),
                "n": w.number(sizes[key] / seeds, 0 if sizes[key] >= 10 * seeds else 1),
                "cells": [
                    {
                        "on_time": w.percent(share.on_time if share.n else None),
                        "mean": w.minutes(share.mean_s if share.n else None),
                    }
                    for share in cells
                ],
            }
        )
    return {"title": f"{title}: {w('share_on_time')}", "lines": lines}


def _trust(w: Words, sums: Sequence[Summary], *, worst: float, holds: bool) -> list[str]:
    said = [w("little" if holds else "little_bad", gap=w.percent(worst, 3))]
    lost = sum(one.unreached for one in sums)
    if lost:
        said.append(w("unreached", n=w.number(lost, 0)))
    for one in sums:
        if one.days_per_cpu_minute is not None:
            split = ", ".join(
                f"{_named(w, part)} {w.percent(share, 0)}" for part, share in one.cpu_share.items()
            )
            days = w.number(one.days_per_cpu_minute)
            said.append(f"{one.policy}: {w('cpu', days=days, split=split)}")
    return list(dict.fromkeys(said))


def _calibration(w: Words, found: Calibration) -> dict[str, Any]:
    told = found.foretold

    def side(name: str, spread: Spread) -> dict[str, Any]:
        return {
            "name": w(name),
            "n": w.number(spread.n, 0),
            "mean": w.minutes(spread.mean_s),
            "quantiles": [w.minutes(value) for value in spread.quantiles],
        }

    return {
        "lead": w("calibration_lead", source=found.source),
        "foretold": w(
            "foretold",
            n=w.number(told.n, 0),
            mae=w.minutes(told.mae_s, 2),
            bias=w.minutes(told.bias_s, 2),
            ratio=w.number(told.ratio, 2),
            sigma=w.number(told.sigma, 2),
            covered=w.percent(told.covered, 0),
        )
        if told
        else "",
        "quantiles": [f"P{100 * q:.0f}" for q in QUANTILES],
        "intervals": [
            {
                "name": _named(w, one.interval),
                "ks": f"{w.number(one.ks, 3)} ({w.number(one.ks_noise, 3)})",
                "apart": w.minutes(one.apart_s, 2),
                "sides": [side("simulated", one.simulated), side("logged", one.logged)],
            }
            for one in found.intervals
        ],
    }
