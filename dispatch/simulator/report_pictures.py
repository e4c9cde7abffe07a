"""The pictures of one setting of the report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from dispatch.simulator import picture_map, pictures, statistics
from dispatch.simulator.figures import Figures
from dispatch.simulator.picture_map import CityMap
from dispatch.simulator.pictures import Axis, Series, Whisker
from dispatch.simulator.report_words import Words
from dispatch.simulator.statistics import Comparison

CDF_TO_MIN = 60
CURVE_POINTS = 121


@dataclass(frozen=True, slots=True)
class Drawn:
    """SVG ready for the page; `cut` is empty when nothing is compared."""

    cut: Markup
    cdf: Markup
    hours: Markup
    queue: Markup
    crews: Markup
    maps: list[dict[str, Any]]


def draw(
    w: Words,
    identity: str,
    policies: Mapping[str, list[Figures]],
    compared: Mapping[str, Comparison],
    baseline: str,
    subject: str,
    styles: Mapping[str, int],
    *,
    target_s: float,
    city_map: CityMap | None,
    ground: str,
) -> Drawn:
    """All pictures of a setting; their captions have ids that begin with `identity`."""
    shown = [name for name in (baseline, subject) if name in policies]
    return Drawn(
        cut=_cut(w, f"{identity}-cut", compared, styles),
        cdf=_cdf(w, f"{identity}-cdf", policies, styles, target_s=target_s),
        hours=_hours(w, f"{identity}-hour", policies, styles),
        queue=_queue(w, f"{identity}-queue", policies, styles),
        crews=_crews(w, f"{identity}-crew", policies, styles),
        maps=_maps(w, identity, {n: policies[n] for n in shown}, city_map, ground)
        if city_map
        else [],
    )


def _cut(
    w: Words, caption: str, compared: Mapping[str, Comparison], styles: Mapping[str, int]
) -> Markup:
    known = {n: c.late_cut for n, c in compared.items() if math.isfinite(c.late_cut.estimate)}
    if not known:
        return Markup("")
    ends = [0.0]
    for cut in known.values():
        ends += [value for value in (cut.estimate, cut.low, cut.high) if value is not None]
    low, high = max(min(ends), -1.0), min(max(ends), 1.0)
    pad = 0.05 * (high - low or 1.0)
    rows = [
        Whisker(name, styles[name], cut.estimate, cut.low, cut.high, w.cut(cut))
        for name, cut in known.items()
    ]
    axis = Axis(low - pad, high + pad, w("cut_axis"), lambda value: w.percent(value, 0))
    return _safe(pictures.whiskers(rows, axis, caption=caption))


def _cdf(
    w: Words,
    caption: str,
    policies: Mapping[str, list[Figures]],
    styles: Mapping[str, int],
    *,
    target_s: float,
) -> Markup:
    minutes = np.linspace(0, CDF_TO_MIN, CURVE_POINTS)
    series = [
        Series(
            name,
            styles[name],
            list(
                zip(
                    minutes.tolist(),
                    statistics.distribution(runs, minutes * 60).tolist(),
                    strict=True,
                )
            ),
        )
        for name, runs in policies.items()
    ]
    x = Axis(0, CDF_TO_MIN, w("minutes_axis"), lambda value: w.number(value, 0), 10)
    y = Axis(0, 1, "", lambda value: w.percent(value, 0), 0.2)
    goal = (target_s / 60, w("goal", n=f"{target_s / 60:g}"))
    return _safe(pictures.lines(_order(series), x, y, caption=caption, goal=goal))


def _hours(
    w: Words, caption: str, policies: Mapping[str, list[Figures]], styles: Mapping[str, int]
) -> Markup:
    series = []
    for name, runs in policies.items():
        hours = statistics.by_hour(runs)
        points = [(float(h), share.on_time) for h, share in enumerate(hours) if share.n]
        series.append(Series(name, styles[name], points))
    lowest = min((y for one in series for _, y in one.points), default=0.0)
    floor = math.floor(10 * min(lowest, 0.9)) / 10
    y = Axis(floor, 1, "", lambda value: w.percent(value, 0))
    return _safe(pictures.lines(_order(series), _day(w), y, caption=caption))


def _queue(
    w: Words, caption: str, policies: Mapping[str, list[Figures]], styles: Mapping[str, int]
) -> Markup:
    series = []
    for name, runs in policies.items():
        known = [(float(h), q) for h, q in enumerate(statistics.queue(runs)) if math.isfinite(q)]
        series.append(Series(name, styles[name], known))
    most = max((y for one in series for _, y in one.points), default=1.0)
    y = Axis(0, 1.05 * most or 1.0, "", lambda value: w.number(value, 0 if most > 6 else 1))
    return _safe(pictures.lines(_order(series), _day(w), y, caption=caption))


def _crews(
    w: Words, caption: str, policies: Mapping[str, list[Figures]], styles: Mapping[str, int]
) -> Markup:
    loads = {name: statistics.workloads(runs) for name, runs in policies.items()}
    numbers = sorted({load.crew for several in loads.values() for load in several})
    bound = {(name, load.crew): load.bound for name, several in loads.items() for load in several}
    rows = [
        (
            str(number + 1),
            [(styles[name], bound[name, number]) for name in loads if (name, number) in bound],
        )
        for number in numbers
    ]
    most = max((value for _, values in rows for _, value in values), default=1.0)
    x = Axis(0, max(1.05 * most, 0.1), w("crew_axis"), lambda value: w.percent(value, 0))
    return _safe(pictures.dots(rows, x, caption=caption))


def _maps(
    w: Words,
    identity: str,
    policies: Mapping[str, list[Figures]],
    city_map: CityMap,
    ground: str,
) -> list[dict[str, Any]]:
    late = {
        name: (np.concatenate([one.late_at for one in runs]), len(runs))
        for name, runs in policies.items()
    }
    most = picture_map.most_in_a_cell(city_map, late.values())
    found = []
    for k, (name, (late_at, seeds)) in enumerate(late.items()):
        caption = f"{identity}-map-{k}"
        per_seed = w.number(len(late_at) / seeds, 0)
        drawing = picture_map.late_map(
            city_map, late_at, name=ground, caption=caption, most=most, seeds=seeds
        )
        found.append(
            {
                "id": caption,
                "says": w("map_picture", policy=name, n=per_seed),
                "drawing": _safe(drawing),
            }
        )
    return found


def _day(w: Words) -> Axis:
    return Axis(0, 23, w("hour_axis"), lambda value: f"{value:.0f}", 3)


def _order(series: Sequence[Series]) -> list[Series]:
    """The subject, style 1, is drawn last, over the others."""
    return sorted(series, key=lambda one: one.style == 1)


def _safe(svg: str) -> Markup:
    """What is drawn here escapes every text it takes."""
    return Markup(svg)  # noqa: S704
