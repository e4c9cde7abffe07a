"""What a city knows beyond its map: names that pins have confirmed, and numbered assets."""

import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from heapq import nsmallest
from typing import Literal

import numpy as np

from geo.gazetteer_chatter import CHATTER
from geo.gazetteer_match import Fit, fits, rarity
from geo.gazetteer_phrase import translated
from geo.gazetteer_query import understand
from geo.gazetteer_sure import Evidence, confidence
from geo.gazetteer_text import ROAD_WORDS, key, words
from geo.gazetteer_trigrams import Trigrams
from geo.geocoding import Candidate, Geocoder, Language, Phrase
from geo.point import Box, Point, distance_m

REFRESH_S = 10.0
"""Another process may have learned a place; look at most so often."""

SAME_M = 50.0
_LOOKED_AT = 20
_WORTH_SHOWING = 0.6
_AS_WRITTEN = 0.97
_MOST_CODE_WORDS = 4
_ASSET_WORDS = frozenset(
    {"tiang", "lampu", "pju", "pole", "lamp", "pohon", "tree", "aset", "asset", "no", "nomor"}
    | {"kode", "code", "panel", "box", "hydrant", "hidran", "number"}
)


@dataclass(frozen=True, slots=True)
class KnownPlace:
    """A place with a name people use, or an asset with a number painted on it.

    `text` is the name as it was typed or the number as it is painted; `label` what is shown, in
    Indonesian.
    """

    sort: Literal["alias", "asset"]
    text: str
    label: str
    point: Point
    radius_m: float
    ward: str | None = None
    district: str | None = None
    kind: str | None = None
    """What an asset is: a word of `geo.asset_words`, or the city's own."""


@dataclass(frozen=True, slots=True)
class Stock:
    """All places a city knows; `version` changes when any of them does."""

    version: str
    aliases: tuple[KnownPlace, ...]
    assets: tuple[KnownPlace, ...]


class KnownPlaces:
    """The stock as an index, looked up anew when it is older than REFRESH_S.

    `version` says cheaply whether anything changed, `load` reads it all; both may be slow and may
    raise, then what was known stays known.
    """

    def __init__(
        self,
        version: Callable[[], str],
        load: Callable[[], Stock],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._version, self._load, self._now = version, load, now
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._index = _Index(Stock("", (), ()))

    def forget_time(self) -> None:
        """Look again at the next question: something was just written here."""
        self._looked = float("-inf")

    def assets_in(self, box: Box, *, kinds: Collection[str] = (), limit: int) -> list[KnownPlace]:
        """The assets in a box (of these kinds, or all), those nearest to its middle first."""
        return self.index().assets_in(box, kinds, limit)

    def kinds(self) -> frozenset[str]:
        """The kinds of assets that there are at all."""
        return self.index().kinds

    def numbered(self, code: str, *, kinds: Collection[str] = ()) -> list[KnownPlace]:
        """The assets with this number however it is spelled, of these kinds where any is."""
        return self.index().numbered(code, kinds)

    def standing_at(self, text: str, place: Point) -> KnownPlace | None:
        """The asset whose number the text says, if it says one and the asset stands there."""
        found = self.index().told(text)
        return found[0] if len(found) == 1 and found[0].point == place else None

    def index(self) -> "_Index":
        if self._now() - self._looked > REFRESH_S and self._lock.acquire(blocking=False):
            try:
                if self._version() != self._index.version:
                    self._index = _Index(self._load())
                self._looked = self._now()
            finally:
                self._lock.release()
        return self._index


class WithKnown:
    """A geocoder that also finds what the city knows beyond its map."""

    def __init__(self, base: Geocoder, known: KnownPlaces) -> None:
        self._base = base
        self._known = known

    def search(
        self,
        text: str,
        *,
        near: Point | None = None,
        limit: int = 5,
        language: Language = "id",
    ) -> Sequence[Candidate]:
        """Assets by their number, confirmed names, and the map's own, the surest first."""
        ours = self._known.index().search(text, language=language)
        found = list(self._base.search(text, near=near, limit=limit, language=language))
        if not ours or any(c.kind in ("coordinates", "link") for c in found):
            return found
        new = [c for c in found if all(distance_m(c.point, o.point) > SAME_M for o in ours)]
        return sorted([*ours, *new], key=lambda c: -c.confidence)[:limit]

    def reverse(self, p: Point, *, language: Language = "id") -> Phrase | None:
        return self._base.reverse(p, language=language)


class _Index:
    def __init__(self, stock: Stock) -> None:
        self.version = stock.version
        self._aliases = stock.aliases
        self._spelled = [telling(alias.text) for alias in stock.aliases]
        self._trigrams = Trigrams([key(spelled) for spelled in self._spelled])
        counts: dict[str, int] = {}
        for spelled in self._spelled:
            for word in set(spelled):
                counts[word] = counts.get(word, 0) + 1
        self._weight = rarity(max(50, len(counts)), lambda word: counts.get(word, 0))
        self._assets: dict[str, list[KnownPlace]] = {}
        for asset in stock.assets:
            self._assets.setdefault(asset_key(asset.text), []).append(asset)
        self._by_digits: dict[str, list[KnownPlace]] = {}
        for key_of_it, things in self._assets.items():
            if digits := re.fullmatch(r"[a-z]+(\d+)", key_of_it):
                self._by_digits.setdefault(digits[1], []).extend(things)
        self._standing = _Standing(stock.assets)
        self.kinds = frozenset(asset.kind for asset in stock.assets if asset.kind)

    def assets_in(self, box: Box, kinds: Collection[str], limit: int) -> list[KnownPlace]:
        return self._standing.within(box, kinds, limit)

    def numbered(self, code: str, kinds: Collection[str] = ()) -> list[KnownPlace]:
        found = self._assets.get(asset_key(code), [])
        if not found and code.strip().isdigit():
            # Who stands before it reads the digits and leaves the department's letters out.
            found = self._by_digits.get(asset_key(code), [])
        return [asset for asset in found if asset.kind in kinds] or found

    def search(self, text: str, *, language: Language) -> list[Candidate]:
        return [*self._by_number(text, language), *self._by_name(text, language)][:5]

    def _by_number(self, text: str, language: Language) -> list[Candidate]:
        if not self._assets:
            return []
        column = 0 if language == "id" else 1
        found = self.told(text)
        sure = 0.97 if len(found) == 1 else 0.5
        return [
            replace(
                _candidate(asset, sure, _NUMBER[column]), label=translated(asset.label, language)
            )
            for asset in found
        ]

    def told(self, text: str) -> list[KnownPlace]:
        """The assets whose numbers stand in the text, by number."""
        found = {asset.text: asset for code in codes(text) for asset in self._assets.get(code, ())}
        return [asset for _, asset in sorted(found.items())]

    def _by_name(self, text: str, language: Language) -> list[Candidate]:
        if not self._aliases:
            return []
        column = 0 if language == "id" else 1
        best: dict[int, Fit] = {}
        asked = telling(text)
        for spelled in dict.fromkeys([tuple(asked), *_readings(text)]):
            ids = self._trigrams.alike([key(list(spelled))], limit=_LOOKED_AT)
            for i, fit in zip(
                ids, fits(spelled, [self._spelled[i] for i in ids], self._weight), strict=True
            ):
                if fit.score >= _WORTH_SHOWING and (i not in best or fit.score > best[i].score):
                    best[i] = fit
        ranked = sorted(best.items(), key=lambda pair: (-pair[1].score, pair[0]))[:3]
        return [_candidate(self._aliases[i], _sure(fit), _NAME[column]) for i, fit in ranked]


class _Standing:
    """Where the assets stand, as arrays: a hundred thousand are looked through in a millisecond."""

    def __init__(self, assets: Sequence[KnownPlace]) -> None:
        self._assets = assets
        self._lon = np.array([asset.point.lon for asset in assets])
        self._lat = np.array([asset.point.lat for asset in assets])
        self._kind = np.array([asset.kind or "" for asset in assets])

    def within(self, box: Box, kinds: Collection[str], limit: int) -> list[KnownPlace]:
        lon, lat = self._lon, self._lat
        inside = (box.west <= lon) & (lon <= box.east) & (box.south <= lat) & (lat <= box.north)
        if kinds:
            inside &= np.isin(self._kind, sorted(kinds))
        there = [self._assets[i] for i in np.flatnonzero(inside).tolist()]
        return nsmallest(limit, there, key=lambda a: (distance_m(box.center, a.point), a.text))


def telling(text: str) -> list[str]:
    """The words of a text that may name a place: without chatter and "in front of"."""
    spelled = [w for w in words(text) if w not in CHATTER and w not in _RELATIONS]
    return spelled or words(text)


def may_be_named(text: str) -> bool:
    """Is the text a name worth remembering? "Depan rumah saya" is none, nor is a whole letter."""
    spelled = [w for w in words(text) if w not in CHATTER and w not in _RELATIONS]
    own = [w for w in spelled if w not in ROAD_WORDS and len(w) > 2 and not w.isdigit()]
    if re.search(r"\d[\d\s-]{6,}\d|@", text):
        # A phone number or an address of a person is nobody else's name for a place.
        return False
    return bool(own) and len(spelled) <= 10 and len(text) <= 120


def asset_key(code: str) -> str:
    """One spelling of a painted number: PJU-0012, pju 12 and PJU.12 are the same."""
    key = ""
    for part in re.findall(r"[a-z]+|[0-9]+", code.casefold()):
        # Two numbers side by side stay two: 12-3 is not 123.
        apart = "-" if part[0].isdigit() and key[-1:].isdigit() else ""
        key += apart + ((part.lstrip("0") or "0") if part[0].isdigit() else part)
    return key


def codes(text: str) -> list[str]:
    """Every stretch of the text that may be an asset's number, the longest first.

    Bare digits count only where the text speaks of a pole, a lamp, a tree or a number.
    """
    parts = re.findall(r"[a-z0-9]+", text.casefold())
    speaks = bool(_ASSET_WORDS.intersection(parts))
    found = []
    for length in range(_MOST_CODE_WORDS, 0, -1):
        for i in range(len(parts) - length + 1):
            joined = "".join(parts[i : i + length])
            has_digit = any(c.isdigit() for c in joined)
            has_letter = any(c.isalpha() for c in joined)
            if has_digit and (has_letter or speaks) and len(joined) <= 40:
                found.append(asset_key("-".join(parts[i : i + length])))
    return list(dict.fromkeys(found))


def _readings(text: str) -> Iterable[tuple[str, ...]]:
    for reading in understand(text, {}).readings[:4]:
        spelled = tuple(w for w in reading.words if w not in CHATTER)
        if spelled:
            yield spelled


def _sure(fit: Fit) -> float:
    if fit.score >= _AS_WRITTEN and fit.numbers == 0:
        return 0.95
    return min(0.94, confidence(Evidence(fit, "poi", 0.0, 0.1, 0, False, words=fit.matched)))


def _candidate(known: KnownPlace, sure: float, reason: str) -> Candidate:
    return Candidate(
        point=known.point,
        label=known.label,
        kind=known.sort,
        radius_m=known.radius_m,
        confidence=round(sure, 3),
        reason=reason,
        ward=known.ward,
        district=known.district,
    )


_NUMBER = ("Nomor aset yang terdaftar.", "A registered asset number.")
_NAME = (
    "Nama yang pernah dipastikan dengan pin.",
    "A name that a pin has confirmed before.",
)
_RELATIONS = frozenset(
    {"depan", "dpn", "sebelah", "sblh", "samping", "dekat", "dkt", "deket", "sekitar", "belakang"}
    | {"blkg", "seberang", "sebrang", "arah", "sisi", "front", "opposite", "behind", "next", "near"}
    | {"across", "close", "of", "to", "the"}
)
