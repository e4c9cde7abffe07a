"""Asks a Nominatim or Photon server where the city's own address book is not sure.

What is typed then leaves this machine, so it is only for cities that choose it. A server's answer
is a proposal: it never comes with enough confidence to send a crew without a person looking.
"""

import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import geopy.geocoders
from geopy.exc import GeopyError

from geo.areas import Areas
from geo.coordinates import read_coordinates
from geo.geocoding import ACCEPT, Candidate, Geocoder, Kind, Language, Phrase
from geo.point import BadPoint, Box, Point, distance_m

log = logging.getLogger(__name__)

Engine = Literal["nominatim", "photon"]

USUAL_URLS: dict[Engine, str] = {
    "nominatim": "https://nominatim.openstreetmap.org",
    "photon": "https://photon.komoot.io",
}
USER_AGENT = "sigap (field response dispatch)"
MOST_SURE = ACCEPT - 0.05
"""A remote answer is proposed, never taken: a person presses it or sets the pin."""

_SHORTEST = 4
_SAME_M = 100.0
_LINK = re.compile(r"https?://|\bgeo:", re.IGNORECASE)


class BadServer(ValueError):
    """The server's address cannot be used; the message says what it must look like."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How the server is treated: seconds to wait for it, between two questions, to keep answers."""

    timeout_s: float = 3.0
    every_s: float = 1.0
    keep_s: float = 86_400.0
    keep_most: int = 2_000


class RemotePlaces:
    """A geocoder that asks the embedded one first and a server where that is not sure.

    The server is asked for nothing else: not for coordinates and links, not for a text shorter
    than four letters, not more than once in `every_s`, and not again within `keep_s`. Where it is
    slow, refuses or is down, the embedded answer stands. `now` gives monotonic seconds.
    """

    def __init__(
        self,
        own: Geocoder,
        areas: Areas,
        *,
        engine: Engine,
        url: str | None = None,
        limits: Limits | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own = own
        self._areas = areas
        self._engine: Engine = engine
        self._limits = limits or Limits()
        self._server = _server(engine, url or USUAL_URLS[engine], self._limits.timeout_s)
        self._box = Box(*areas.service_area.bounds)
        self._now = now
        self._kept: OrderedDict[tuple[str, ...], tuple[float, Any]] = OrderedDict()
        self._lock = threading.Lock()
        self._next = float("-inf")

    def search(
        self,
        text: str,
        *,
        near: Point | None = None,
        limit: int = 5,
        language: Language = "id",
    ) -> Sequence[Candidate]:
        """The embedded answers, and behind them the server's where none of those is sure."""
        own = list(self._own.search(text, near=near, limit=limit, language=language))
        is_sure = bool(own) and own[0].confidence >= ACCEPT
        if is_sure or not self._may_leave(text):
            return own
        asked = " ".join(text.split())[:200]
        found = self._ask(
            ("search", asked.casefold(), language), lambda: self._look(asked, language)
        )
        proposals = [c for r in found or () if (c := self._candidate(r, language)) is not None]
        new = [c for c in proposals if all(distance_m(c.point, o.point) > _SAME_M for o in own)]
        both = sorted([*own, *new], key=lambda c: -c.confidence)
        return both[:limit]

    def reverse(self, p: Point, *, language: Language = "id") -> Phrase | None:
        """The embedded phrase; positions are never sent anywhere."""
        return self._own.reverse(p, language=language)

    def _may_leave(self, text: str) -> bool:
        if len(text.strip()) < _SHORTEST or _LINK.search(text):
            return False
        return read_coordinates(text, box=self._box) is None

    def _look(self, text: str, language: Language) -> list[Any]:
        west, south, east, north = self._box.bounds
        corners = [(south, west), (north, east)]
        if self._engine == "nominatim":
            found = self._server.geocode(
                text,
                exactly_one=False,
                limit=5,
                language=language,
                viewbox=corners,
                bounded=True,
                addressdetails=True,
            )
        else:
            # Photon knows no Indonesian; its default is each place's own language.
            spoken = {"language": "en"} if language == "en" else {}
            found = self._server.geocode(text, exactly_one=False, limit=5, bbox=corners, **spoken)
        return list(found or ())

    def _ask(self, key: tuple[str, ...], ask: Callable[[], list[Any]]) -> list[Any] | None:
        """The server's answer, from memory where it is fresh; None where it may not be asked."""
        with self._lock:
            kept = self._kept.get(key)
            if kept and self._now() - kept[0] < self._limits.keep_s:
                self._kept.move_to_end(key)
                answer: list[Any] = kept[1]
                return answer
            if self._now() < self._next:
                return None
            self._next = self._now() + self._limits.every_s
        try:
            answer = ask()
        except (GeopyError, ValueError, LookupError, TypeError, AttributeError) as error:
            # A server that sends another shape than its own is as good as one that is down.
            log.warning("%s did not answer: %s", self._engine, error)
            return None
        with self._lock:
            self._kept[key] = (self._now(), answer)
            while len(self._kept) > self._limits.keep_most:
                self._kept.popitem(last=False)
        return answer

    def _candidate(self, found: Any, language: Language) -> Candidate | None:
        raw = found.raw if isinstance(found.raw, dict) else {}
        try:
            point = Point(float(found.longitude), float(found.latitude))
            kind, radius, share = _read(self._engine, raw)
        except (BadPoint, TypeError, ValueError):
            return None
        if not self._areas.covers(point):
            return None
        area = self._areas.attribute(point)
        column = 0 if language == "id" else 1
        server = self._engine.title()
        return Candidate(
            point=point,
            label=str(found.address),
            kind=kind,
            radius_m=round(radius, 1),
            confidence=round(MOST_SURE * share, 3),
            reason=_REASON[column].format(server=server),
            ward=area.ward if area else None,
            district=area.district if area else None,
        )


_REASON = (
    "Usulan server {server}; pastikan dulu sebelum dipakai.",
    "Proposed by the {server} server; make sure of it before use.",
)


def _server(engine: Engine, url: str, timeout_s: float) -> Any:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise BadServer(f"{url!r} is no server's address; it looks like {USUAL_URLS[engine]}.")
    kind = geopy.geocoders.Nominatim if engine == "nominatim" else geopy.geocoders.Photon
    return kind(
        domain=parts.netloc + parts.path.rstrip("/"),
        scheme=parts.scheme,
        timeout=timeout_s,
        user_agent=USER_AGENT,
    )


def _read(engine: Engine, raw: dict[str, Any]) -> tuple[Kind, float, float]:
    """What kind of thing it is, how large (m), and how important the server holds it (0 to 1)."""
    if engine == "nominatim":
        category, importance = str(raw.get("class", "")), raw.get("importance", 0.5)
        box = raw.get("boundingbox")
        edges = None
        if isinstance(box, list) and len(box) == 4:
            # Nominatim: south, north, west, east.
            edges = [box[2], box[0], box[3], box[1]]
        is_house = "house_number" in (raw.get("address") or {})
    else:
        about = raw.get("properties") or {}
        category, importance = str(about.get("osm_key", "")), 0.5
        extent = about.get("extent")
        # Photon: west, north, east, south.
        edges = None
        if isinstance(extent, list) and len(extent) == 4:
            edges = [extent[0], extent[3], extent[2], extent[1]]
        is_house = "housenumber" in about
    kind: Kind = "poi"
    if is_house:
        kind = "address"
    elif category == "highway":
        kind = "street"
    elif category in ("boundary", "place"):
        kind = "ward"
    radius = 50.0
    if edges:
        west, south, east, north = (float(edge) for edge in edges)
        radius = max(15.0, distance_m(Point(west, south), Point(east, north)) / 2)
    share = importance if isinstance(importance, int | float) else 0.5
    return kind, radius, min(1.0, max(0.1, 0.5 + float(share) / 2))


def with_remote(own: Geocoder, areas: Areas, *, provider: str) -> Geocoder:
    """The geocoder a setting chooses: `embedded`, or `nominatim` or `photon`, with `:address`.

    Raises BadServer.
    """
    name, _, url = provider.partition(":")
    if name == "nominatim":
        return RemotePlaces(own, areas, engine="nominatim", url=url or None)
    if name == "photon":
        return RemotePlaces(own, areas, engine="photon", url=url or None)
    if provider != "embedded":
        raise BadServer(f"{provider!r} is no geocoder; choose embedded, nominatim or photon.")
    return own
