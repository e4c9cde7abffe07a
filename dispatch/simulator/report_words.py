"""What the report says, in Indonesian and in English."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dispatch.simulator.statistics import Interval

LANGUAGES = ("id", "en")

PATH = Path(__file__).with_suffix(".toml")


@cache
def wording() -> dict[str, dict[str, dict[str, str]]]:
    """Every sentence, by table and key, in each language."""
    return tomllib.loads(PATH.read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class Words:
    """One language of the report: its sentences and how it writes numbers."""

    lang: str

    def __call__(self, key: str, **values: object) -> str:
        said = wording()["says"][key][self.lang]
        return said.format(**values) if values else said

    def has(self, key: str) -> bool:
        """Whether there are words for it."""
        return key in wording()["says"]

    def policy(self, name: str) -> str:
        """What a policy does, in a few words; nothing for one of somebody's own."""
        return wording()["policies"].get(name, {}).get(self.lang, "")

    def number(self, value: float | None, digits: int = 1) -> str:
        """The number with so many decimals; a dash for none, ∞ for never."""
        if value is None or math.isnan(value):
            return "–"
        if math.isinf(value):
            return "∞"
        written = f"{value:,.{digits}f}".replace("-", "−")
        if self.lang == "id":
            written = written.translate(str.maketrans(",.", ".,"))
        return written

    def percent(self, share: float | None, digits: int = 1) -> str:
        """A share of 1 as a percentage."""
        return self.number(None if share is None else 100 * share, digits) + " %"

    def minutes(self, seconds: float | None, digits: int = 1) -> str:
        """Seconds as minutes, without the unit."""
        return self.number(None if seconds is None else seconds / 60, digits)

    def cut(self, found: Interval) -> str:
        """An interval of shares: 41 % [38 … 44]."""
        if math.isnan(found.estimate):
            return "–"
        if found.low is None or found.high is None:
            return self.percent(found.estimate, 0)
        low, high = self.number(100 * found.low, 0), self.number(100 * found.high, 0)
        return f"{self.percent(found.estimate, 0)} [{low} … {high}]"
