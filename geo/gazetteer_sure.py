"""How sure a proposal is: the chance that it is the place meant, fitted to known answers."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from geo.gazetteer_match import Fit

_FITTED = "gazetteer_sure.json"
_ASIDE = 0.3
_NEVER_SURE = frozenset({"aside", "far_beyond", "second_name"})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for and against one candidate.

    `area` is 1 when the ward named is the candidate's, 0.6 for the district, 0.2 for the city,
    0 when none is named, -1 when it lies elsewhere. `margin` is how far the best candidate at
    another place scores below it (negative when above); `rivals` counts namesakes that fit as
    well. `other_kind`: a street was asked for and this is none. `unread` is the share of the
    text's telling words that this reading leaves out. `notes` are what was found on the way.
    """

    fit: Fit
    kind: str
    area: float
    margin: float
    rivals: int
    other_kind: bool
    unread: float = 0.0
    words: int = 1
    notes: tuple[str, ...] = ()


def features(e: Evidence) -> dict[str, float]:
    """The numbers the confidence is computed from, each about 0 to 1."""
    fit = e.fit
    least = min(fit.query_covered, fit.name_covered)
    return {
        "one": 1.0,
        "query_covered": fit.query_covered,
        "name_covered": fit.name_covered,
        "both_covered": fit.query_covered * fit.name_covered,
        "nearly_whole": max(0.0, least - 0.85) / 0.15,
        "rarest": fit.rarest,
        "letters": fit.letters,
        "missing": fit.missing,
        "surplus": fit.surplus,
        "number_on_one_side": 1.0 if fit.numbers == 0.5 else 0.0,
        "other_number": 1.0 if fit.numbers == 1.0 else 0.0,
        "other_side": 1.0 if fit.other_side else 0.0,
        "area": max(0.0, e.area),
        "other_area": max(0.0, -e.area),
        "area_and_whole": max(0.0, e.area) * max(0.0, least - 0.85) / 0.15,
        "margin": max(-0.2, min(0.2, e.margin)) * 5,
        "rivals": min(1.0, e.rivals / 3),
        "rivals_unsaid": 1.0 if e.rivals and e.area <= 0 else 0.0,
        "other_kind": 1.0 if e.other_kind else 0.0,
        "unread": e.unread,
        "one_word": 1.0 if e.words <= 1 else 0.0,
        "crossing": 1.0 if e.kind == "crossing" else 0.0,
        "crossing_whole": max(0.0, least - 0.85) / 0.15 if e.kind == "crossing" else 0.0,
        "poi": 1.0 if e.kind == "poi" else 0.0,
        "ward": 1.0 if e.kind == "ward" else 0.0,
        "no_crossing": 1.0 if "no_crossing" in e.notes else 0.0,
        "half_crossing": 1.0 if "half_crossing" in e.notes else 0.0,
        "together": 1.0 if "together" in e.notes else 0.0,
        "apart": 1.0 if "apart" in e.notes else 0.0,
        "aside": 1.0 if "aside" in e.notes else 0.0,
        "bare_number": 1.0 if "bare_number" in e.notes else 0.0,
    }


def confidence(e: Evidence) -> float:
    """The chance, 0 to 1, that the candidate is the place meant (logistic regression).

    What stands alone behind a comma, as towns do, is never it by itself: the name before the comma
    was asked for, and was not found. Nor is a street whose mapped part ends before the number, nor
    one that has the name beside its own only, in a city of numbered blocks without that number.
    """
    z = sum(WEIGHTS.get(name, 0.0) * value for name, value in features(e).items())
    sure = 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))
    return min(sure, _ASIDE) if _NEVER_SURE.intersection(e.notes) else sure


def _weights() -> Mapping[str, float]:
    text = resources.files("geo").joinpath(_FITTED).read_text(encoding="utf-8")
    return {name: float(value) for name, value in json.loads(text)["weights"].items()}


WEIGHTS = _weights()
"""Of `features`; the file says from what, how and when they were fitted."""
