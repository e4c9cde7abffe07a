"""Draws what runs came to as plain SVG: lines, intervals, dots and a map."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 460, 300
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 12, 40
ROW = 26
MARKERS = 6
"""How many markers a line carries, so that lines are told apart without colour."""

Tell = Callable[[float], str]
Scale = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high` in the data's unit; `tell` writes a number on it."""

    low: float
    high: float
    label: str
    tell: Tell
    step: float | None = None

    def ticks(self) -> list[float]:
        """Round numbers along the axis, about six."""
        step = self.step or nice_step(self.high - self.low)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [step * k for k in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Series:
    """A line with a name; `style` 0…7 is its colour, dash and marker together."""

    name: str
    style: int
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Whisker:
    """A row of an interval plot; the ends are None when there is no interval."""

    name: str
    style: int
    estimate: float
    low: float | None
    high: float | None
    told: str


def nice_step(span: float) -> float:
    """1, 2 or 5 times a power of ten, so that about six steps cover the span."""
    if not span > 0 or not math.isfinite(span):
        return 1.0
    rough = span / 6
    power = 10.0 ** math.floor(math.log10(rough))
    return next(k * power for k in (1.0, 2.0, 5.0, 10.0) if k * power >= rough * 0.999)


def marker(style: int, x: float, y: float) -> str:
    """A small shape that belongs to the style."""
    r = 3.6
    shapes = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}"/>',
        f'<rect x="{x - r:.1f}" y="{y - r:.1f}" width="{2 * r}" height="{2 * r}"/>',
        _polygon(x, y, ((0, -4.6), (4.4, 3.4), (-4.4, 3.4))),
        _polygon(x, y, ((0, -5), (5, 0), (0, 5), (-5, 0))),
        _polygon(x, y, ((0, 4.6), (4.4, -3.4), (-4.4, -3.4))),
        _polygon(x, y, ((-4, -4), (4, -4), (0, 0), (4, 4), (-4, 4), (0, 0))),
        f'<circle class="hollow" cx="{x:.1f}" cy="{y:.1f}" r="{r}"/>',
        f'<rect class="hollow" x="{x - r:.1f}" y="{y - r:.1f}" width="{2 * r}" height="{2 * r}"/>',
    )
    return f'<g class="m s{style}">{shapes[style % len(shapes)]}</g>'


def sample(style: int) -> str:
    """The style's line and marker, for a legend."""
    return (
        '<svg class="sample" viewBox="0 0 34 12" aria-hidden="true">'
        f'<path class="l s{style}" d="M1 6H33"/>{marker(style, 17, 6)}</svg>'
    )


def lines(
    series: Sequence[Series],
    x: Axis,
    y: Axis,
    *,
    caption: str,
    goal: tuple[float, str] | None = None,
) -> str:
    """A line for each series; `caption` is the id of the element that names the picture.

    `goal` is a vertical line at x with its label.
    """
    fx = _scale(x, LEFT, WIDTH - RIGHT)
    fy = _scale(y, HEIGHT - BOTTOM, TOP)
    parts = [_frame(x, y, fx, fy)]
    if goal is not None:
        at = fx(goal[0])
        parts.append(
            f'<path class="goal" d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}"/>'
            f'<text class="goal-text" x="{at + 5:.1f}" y="{HEIGHT - BOTTOM - 8}">'
            f"{escape(goal[1])}</text>"
        )
    for one in series:
        inside = [(fx(px), fy(py)) for px, py in one.points if x.low <= px <= x.high]
        if not inside:
            continue
        path = "L".join(f"{px:.1f} {py:.1f}" for px, py in inside)
        parts.append(f'<path class="l s{one.style}" d="M{path}"/>')
        every = max(1, len(inside) // MARKERS)
        first = (one.style * every // 8) % every
        parts += [marker(one.style, px, py) for px, py in inside[first::every]]
    return _svg(WIDTH, HEIGHT, caption, "".join(parts))


def whiskers(rows: Sequence[Whisker], x: Axis, *, caption: str) -> str:
    """Estimates with their intervals, one row each, and a line at nothing."""
    height = 14 + ROW * len(rows) + BOTTOM
    left = 62
    fx = _scale(x, left, WIDTH - 118)
    floor = height - BOTTOM
    parts = []
    for tick in x.ticks():
        at = fx(tick)
        kind = "zero" if abs(tick) < 1e-12 else "grid"
        parts.append(f'<path class="{kind}" d="M{at:.1f} 8V{floor}"/>')
        parts.append(f'<text class="tick mid" x="{at:.1f}" y="{floor + 15}">{x.tell(tick)}</text>')
    middle = (left + WIDTH - 118) / 2
    parts.append(f'<text class="axis mid" x="{middle}" y="{height - 6}">{escape(x.label)}</text>')
    for k, row in enumerate(rows):
        y = 8 + ROW * (k + 0.5)
        parts.append(f'<text class="row" x="2" y="{y + 4:.1f}">{escape(row.name)}</text>')
        if row.low is not None and row.high is not None:
            low, high = fx(max(row.low, x.low)), fx(min(row.high, x.high))
            parts.append(
                f'<path class="w s{row.style}" d="M{low:.1f} {y - 5:.1f}V{y + 5:.1f}'
                f'M{low:.1f} {y:.1f}H{high:.1f}M{high:.1f} {y - 5:.1f}V{y + 5:.1f}"/>'
            )
        if math.isfinite(row.estimate):
            at = fx(min(max(row.estimate, x.low), x.high))
            parts.append(marker(row.style, at, y))
        parts.append(
            f'<text class="told" x="{WIDTH - 112}" y="{y + 4:.1f}">{escape(row.told)}</text>'
        )
    return _svg(WIDTH, height, caption, "".join(parts))


def dots(rows: Sequence[tuple[str, Sequence[tuple[int, float]]]], x: Axis, *, caption: str) -> str:
    """A row for each name with a marker for each (style, value)."""
    step = 17
    height = 14 + step * len(rows) + BOTTOM
    left = 40
    fx = _scale(x, left, WIDTH - RIGHT)
    floor = height - BOTTOM
    parts = []
    for tick in x.ticks():
        at = fx(tick)
        parts.append(f'<path class="grid" d="M{at:.1f} 8V{floor}"/>')
        parts.append(f'<text class="tick mid" x="{at:.1f}" y="{floor + 15}">{x.tell(tick)}</text>')
    middle = (left + WIDTH - RIGHT) / 2
    parts.append(f'<text class="axis mid" x="{middle}" y="{height - 6}">{escape(x.label)}</text>')
    for k, (name, values) in enumerate(rows):
        y = 10 + step * (k + 0.5)
        parts.append(f'<text class="row small" x="2" y="{y + 4:.1f}">{escape(name)}</text>')
        parts.append(f'<path class="grid" d="M{left} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts += [marker(style, fx(min(value, x.high)), y) for style, value in values]
    return _svg(WIDTH, height, caption, "".join(parts))


def _frame(x: Axis, y: Axis, fx: Scale, fy: Scale) -> str:
    floor = HEIGHT - BOTTOM
    parts = []
    for tick in y.ticks():
        at = fy(tick)
        parts.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(
            f'<text class="tick end" x="{LEFT - 6}" y="{at + 4:.1f}">{y.tell(tick)}</text>'
        )
    for tick in x.ticks():
        at = fx(tick)
        parts.append(f'<path class="grid" d="M{at:.1f} {floor}v5"/>')
        parts.append(f'<text class="tick mid" x="{at:.1f}" y="{floor + 17}">{x.tell(tick)}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<path class="zero" d="M{LEFT} {floor}H{WIDTH - RIGHT}"/>')
    parts.append(f'<text class="axis mid" x="{middle}" y="{HEIGHT - 5}">{escape(x.label)}</text>')
    return "".join(parts)


def _scale(axis: Axis, start: float, end: float) -> Scale:
    span = axis.high - axis.low or 1.0
    return lambda value: start + (end - start) * (value - axis.low) / span


def _polygon(x: float, y: float, corners: Sequence[tuple[float, float]]) -> str:
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return f'<polygon points="{points}"/>'


def _svg(width: float, height: float, caption: str, inside: str) -> str:
    return (
        f'<svg class="picture" viewBox="0 0 {width} {height}" role="img"'
        f' aria-labelledby="{caption}">{inside}</svg>'
    )
