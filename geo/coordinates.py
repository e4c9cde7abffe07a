"""Reads the place out of what people paste: numbers, map links, degrees and minutes, Plus Codes."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from openlocationcode import openlocationcode

from geo.point import BadPoint, Box, Point, suspicion

Kind = Literal["decimal", "dms", "link", "geo", "plus_code"]
Flag = Literal["swapped", "zero", "whole_degree", "out_of_area"]


@dataclass(frozen=True, slots=True)
class Reading:
    """A place somebody wrote as numbers, and what is suspicious about it.

    Flags: `swapped`, latitude and longitude were exchanged and have been put right; `zero` and
    `whole_degree`, the numbers are no position at all; `out_of_area`, outside the city's box.
    """

    point: Point
    kind: Kind
    flags: tuple[Flag, ...]


Pair = tuple[float, float]
"""Latitude and longitude as they were written, not yet known to be possible."""


def read_coordinates(text: str, *, box: Box) -> Reading | None:
    """The first place in the text that can be a place on the earth, or None.

    `box` is the city's: it decides whether latitude and longitude were exchanged, which city a
    short Plus Code belongs to, and what is out of area.
    """
    plain = _plain(text)
    for kind, read in _READERS:
        for lat, lon in read(plain, box):
            reading = _judge(lat, lon, kind=kind, box=box)
            if reading:
                return reading
    return None


_SHORT_LINK = re.compile(
    r"https?://(?:maps\.app\.goo\.gl|goo\.gl/maps|g\.co/kgs|osm\.org/go|waze\.com/ul/h|maps\.apple/p"
    r"|share\.here\.com|s\.id|bit\.ly|tinyurl\.com)\S*",
    re.IGNORECASE,
)


def is_bare_short_link(text: str) -> bool:
    """Is the text no more than a link that only the network can read? No place is in it."""
    rest, links = _SHORT_LINK.subn(" ", text[:_LONGEST])
    return links > 0 and sum(letter.isalpha() for letter in rest) < 4


def _judge(lat: float, lon: float, *, kind: Kind, box: Box) -> Reading | None:
    as_written, exchanged = _point(lat, lon), _point(lon, lat)
    # Hemisphere letters and codes say which number is which; only bare numbers can be swapped.
    if kind in ("dms", "plus_code"):
        exchanged = None
    point, swapped = as_written, False
    if exchanged and (as_written is None or not box.contains(as_written)):
        swapped = as_written is None or box.contains(exchanged)
        point = exchanged if swapped else as_written
    if point is None:
        return None
    doubt = suspicion(point)
    flags: list[Flag] = ["swapped"] if swapped else []
    if doubt:
        flags.append(doubt)
    if not box.contains(point):
        flags.append("out_of_area")
    return Reading(point, kind, tuple(flags))


def _point(lat: float, lon: float) -> Point | None:
    try:
        return Point(lon, lat)
    except BadPoint:
        return None


# Whoever pastes more than this pastes no place; and every pattern below stays fast on it.
_LONGEST = 2_000
_LETTERS = str.maketrans(
    {"−": "-", "–": "-", "′": "'", "’": "'", "‘": "'", "″": '"', "”": '"', "“": '"', "º": "°"}
)
_INDONESIAN = (
    (r"lintang\s+selatan", "LS"),
    (r"lintang\s+utara", "LU"),
    (r"bujur\s+timur", "BT"),
    (r"bujur\s+barat", "BB"),
    (r"\s*(?:derajat|deg(?:rees)?)\b\.?", "°"),
    (r"\s*(?:menit|min(?:utes)?)\b\.?", "'"),
    (r"\s*(?:detik|sec(?:onds)?)\b\.?", '"'),
)


def _plain(text: str) -> str:
    """One spelling of minus, degree, minute and second, single spaces, percent signs undone."""
    spaced = " ".join(unquote(text[:_LONGEST]).split())
    plain = spaced.translate(_LETTERS).replace("''", '"')
    for pattern, sign in _INDONESIAN:
        plain = re.sub(pattern, sign, plain, flags=re.IGNORECASE)
    return plain


_N = r"([+-]?\d{1,3}(?:\.\d+)?)"
_COMMA = r"\s*,\s*\+?\s*"

# In the order of trust: the pin (!3d!4d) before what was asked for, and the camera (@) last,
# because it shows wherever the sender had moved the map to.
_LINKS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"!3d{_N}!4d{_N}",
        rf"[?&](?:q|query|daddr|destination|coordinate|markers)=(?:loc:)?\s*{_N}{_COMMA}{_N}",
        rf"[?&]mlat={_N}&mlon={_N}",
        rf"/(?:place|search|dir/.*)/\s*{_N}{_COMMA}{_N}(?=$|[/?&\s])",
        rf"[?&](?:ll|sll|center)={_N}{_COMMA}{_N}",
        rf"[?&]to=ll\.{_N}{_COMMA}{_N}",
        rf"[?&]cp={_N}~{_N}",
        rf"#map=\d+(?:\.\d+)?/{_N}/{_N}",
        rf"/@{_N},{_N}",
    )
)
_YANDEX = re.compile(rf"[?&](?:pt|ll)={_N},{_N}", re.IGNORECASE)
_URL = re.compile(r"https?://\S+(?: \S+)*", re.IGNORECASE)


def _link(text: str, box: Box) -> Iterator[Pair]:
    url = _URL.search(text)
    if not url:
        return
    if re.search(r"//[^/]*yandex\.", url[0]):
        # The one map that writes longitude first.
        yield from ((lat, lon) for lon, lat in _pairs(_YANDEX, url[0]))
        return
    for pattern in _LINKS:
        # A route names several places; the last is where it leads.
        yield from reversed(list(_pairs(pattern, url[0])))


def _pairs(pattern: re.Pattern[str], text: str) -> Iterator[Pair]:
    for found in pattern.finditer(text):
        yield float(found[1]), float(found[2])


_GEO_QUERY = re.compile(rf"\bgeo:[^?\s]*\?(?:\S*&)?q={_N}{_COMMA}{_N}", re.IGNORECASE)
_GEO = re.compile(rf"\bgeo:{_N},{_N}", re.IGNORECASE)


def _geo_uri(text: str, box: Box) -> Iterator[Pair]:
    """RFC 5870, and Android's `geo:0,0?q=lat,lon(label)`, where only the query says anything."""
    yield from _pairs(_GEO_QUERY, text)
    yield from _pairs(_GEO, text)


_CODE = "23456789CFGHJMPQRVWX"
_PLUS = re.compile(
    rf"(?<![\w+])([{_CODE}]{{8}}|[{_CODE}]{{6}}|[{_CODE}]{{4}})\+([{_CODE}]{{2,3}})(?!\w)",
    re.IGNORECASE,
)


def _plus_code(text: str, box: Box) -> Iterator[Pair]:
    """Open Location Codes (https://github.com/google/open-location-code); a short one is near."""
    for found in _PLUS.finditer(text):
        code = found[0].upper()
        if openlocationcode.isShort(code):
            center = box.center
            code = openlocationcode.recoverNearest(code, center.lat, center.lon)
        if openlocationcode.isFull(code):
            area = openlocationcode.decode(code)
            yield area.latitudeCenter, area.longitudeCenter


_NORTH_SOUTH = {"N": 1, "S": -1, "LU": 1, "LS": -1}
_EAST_WEST = {"E": 1, "W": -1, "BT": 1, "BB": -1}
_HEMISPHERES = _NORTH_SOUTH | _EAST_WEST
_HEMISPHERE = r"(LS|LU|BT|BB|[NSEW])"
_DEGREES = r"[+-]?\d{1,3}(?:[.,]\d{1,12})?"
_SIXTIETHS = r"\d{1,2}(?:[.,]\d{1,12})?"
_ANGLE = (
    rf"({_DEGREES})"
    rf"(?:(?: ?[°d*:] ?| )({_SIXTIETHS})"
    rf"(?:(?: ?['m:] ?| )({_SIXTIETHS}) ?(?:[\"']|s(?![a-z]))?| ?['m])?)?"
    r" ?[°d*]?"
)
_LEADS = re.compile(rf"\s*[(\[]?\s*(?:koordinat\W*)?{_HEMISPHERE}\s*[:.]?\s*[+-]?\d", re.IGNORECASE)
_AFTER = re.compile(rf"(?<![\w.,]){_ANGLE} ?\.?{_HEMISPHERE}(?![a-z])", re.IGNORECASE)
_BEFORE = re.compile(rf"(?<![a-z]){_HEMISPHERE} ?[:.]? ?{_ANGLE}(?![.,]?\d)", re.IGNORECASE)
_MINUTES = re.compile(r"\d[\s:d'*]+\d")


def _angles(text: str, box: Box) -> Iterator[Pair]:
    """Degrees with hemisphere letters, with or without minutes and seconds, either side first."""
    after = [(m[4], m[1], m[2], m[3]) for m in _AFTER.finditer(text) if _is_angle(m)]
    before = [(m[1], m[2], m[3], m[4]) for m in _BEFORE.finditer(text) if _is_angle(m)]
    # "S 7° 37' E 111°" also reads as "7° 37' E": the spelling that leads the text is meant.
    for found in (before, after) if _LEADS.match(text) else (after, before):
        latitude = [_degrees(*parts) for parts in found if parts[0].upper() in _NORTH_SOUTH]
        longitude = [_degrees(*parts) for parts in found if parts[0].upper() in _EAST_WEST]
        if len(latitude) == len(longitude) == 1 and latitude[0] is not None:
            if longitude[0] is not None:
                yield latitude[0], longitude[0]
            return


def _is_angle(found: re.Match[str]) -> bool:
    """Not just a house number before a direction, as in "12 N Charles St & 5 E Lombard St"."""
    return any(sign in found[0] for sign in "°.,") or bool(_MINUTES.search(found[0]))


def _degrees(side: str, degrees: str, minutes: str | None, seconds: str | None) -> float | None:
    """Signed degrees; the letter decides the sign. None when minutes or seconds reach sixty."""
    d, m, s = (float((part or "0").replace(",", ".")) for part in (degrees, minutes, seconds))
    if m >= 60 or s >= 60:
        return None
    return _HEMISPHERES[side.upper()] * (abs(d) + m / 60 + s / 3600)


_SPOKEN = r"(?:lat(?:itude|itud)?|lintang|y)?\s*[:=]?\s*"
_SPOKEN_LON = r"(?:lon(?:g|gitude)?|lng|bujur|x)?\s*[:=]?\s*"
_BETWEEN = r"\s*(?:[,;/|]\s*|\s)\s*"
# Inside a sentence only numbers with three decimals are coordinates: "RT 5, 12" is none.
_POINTS = re.compile(
    rf"(?<![\d.,]){_SPOKEN}([+-]?\d{{1,3}}\.\d{{3,}})°?{_BETWEEN}{_SPOKEN_LON}"
    r"([+-]?\d{1,3}\.\d{3,})(?!\d)",
    re.IGNORECASE,
)
_COMMAS = re.compile(
    rf"(?<![\d.,]){_SPOKEN}([+-]?\d{{1,3}},\d{{3,}})°?{_BETWEEN}{_SPOKEN_LON}"
    r"([+-]?\d{1,3},\d{3,})(?!\d)",
    re.IGNORECASE,
)
_ALONE = re.compile(
    rf"[\s(\[]*{_SPOKEN}{_N}°?\s*[,;/|]\s*{_SPOKEN_LON}{_N}°?[\s)\]]*",
    re.IGNORECASE,
)
_ALONE_COMMAS = re.compile(
    rf"[\s(\[]*{_SPOKEN}([+-]?\d{{1,3}},\d+)°?\s*(?:[;/|,]|\s)\s*{_SPOKEN_LON}"
    r"([+-]?\d{1,3},\d+)°?[\s)\]]*",
    re.IGNORECASE,
)


def _decimals(text: str, box: Box) -> Iterator[Pair]:
    yield from _pairs(_POINTS, text)
    for pattern in (_COMMAS, _ALONE_COMMAS):
        for found in pattern.finditer(text) if pattern is _COMMAS else _whole(pattern, text):
            yield float(found[1].replace(",", ".")), float(found[2].replace(",", "."))
    for found in _whole(_ALONE, text):
        yield float(found[1]), float(found[2])


def _whole(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    found = pattern.fullmatch(text)
    if found:
        yield found


_READERS: tuple[tuple[Kind, Callable[[str, Box], Iterator[Pair]]], ...] = (
    ("link", _link),
    ("geo", _geo_uri),
    ("plus_code", _plus_code),
    ("dms", _angles),
    ("decimal", _decimals),
)
