"""Takes apart what a citizen wrote about a place: the name, the ward, the number, "in front of"."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rapidfuzz import process
from rapidfuzz.distance import OSA

from geo.gazetteer_chatter import is_told, pieces
from geo.gazetteer_text import AMERICAN_ROADS, ROAD_WORDS, fold, numerals, unglued, words

# "In front of" in the ways people write it; English and Finnish beside Indonesian.
_CUES = {
    "depan": ("depan", "dpn", "dpan", "muka", "in front of", "edessa"),
    "sebelah": ("sebelah", "sblh", "sblah", "samping", "smpg", "smping", "next to", "vieressa"),
    "dekat": ("dekat", "dkt", "deket", "sekitar", "skitar", "near", "close to", "lahella"),
    "belakang": ("belakang", "blkg", "blkang", "blk", "behind", "takana"),
    "seberang": ("seberang", "sebrang", "sbrg", "sbrng", "opposite", "across from", "vastapaata"),
}
_CUE_OF = {word: cue for cue, spellings in _CUES.items() for word in spellings}
_CROSSING_WORDS = (
    "simpang (?:tiga|empat|lima|[345])|lampu merah|lampu bangjo|traffic light|bunderan|bundaran|"
    "perempatan|prempatan|perapatan|prapatan|pertigaan|pertigan|pertelon|simpangan|simpang|"
    "persimpangan|bangjo|pojokan|pojok|tikungan|corner of|corner|intersection of|intersection|"
    "junction|crossing of|kulmassa|kulma|risteyksessa|risteys|esquina|cruzamento"
)
_JOINER = re.compile(
    r"\s+[-–]\s+|\s*[/&@+]\s*|\s+x\s+|\b(?:dgn|dengan|dan|sama|and|at|with|ja|com)\b", re.IGNORECASE
)
_CROSSING = re.compile(rf"\b(?:{_CROSSING_WORDS})\b")
_CUE = re.compile(rf"\b(?:di\s+)?({'|'.join(sorted(_CUE_OF, key=len, reverse=True))})\b")

_NEIGHBOUR_UNIT = re.compile(
    r"\brt\s*[.:]?\s*\d+(?:\s*[/,.-]?\s*(?:rw\s*[.:]?\s*)?\d+)?|\brw\s*[.:]?\s*\d+"
)
_FLOOR = re.compile(r"\b(?:lantai|lt|floor|kamar|unit)\s*\.?\s*\d+\b")
_POSTCODE = re.compile(r"(?<=[\w,.])[\s,]+\d{5}\s*$")
_ORDINAL = re.compile(r"\d+(?:st|nd|rd|th)")
_HOUSE = re.compile(r"(?:\b(?:no|nomor|nomer|nmr|number|nro)\b|#)\s*[.:]?\s*(\d{1,5}\s?[a-z]?)\b")
_LINK = re.compile(r"https?://\S+|\bgeo:\S+", re.IGNORECASE)

# Words of a message around the place; they are no part of any name.
_FILLERS = frozenset(
    {"ada", "di", "ke", "dari", "yang", "yg", "ini", "itu", "tolong", "mohon", "pak", "bu", "min"}
    | {"admin", "lokasi", "alamat", "posisi", "tempat", "daerah", "arah", "sisi", "persis"}
    | {"tepat", "pas", "indonesia", "please"}
)
_AREA_TITLES = {
    "kelurahan": "ward",
    "desa": "ward",
    "kecamatan": "district",
    "kota": "city",
    "kabupaten": "city",
}
_LONGEST_AREA_NAME = 4
_AREA_LIKENESS = 0.8
_MOST_READINGS = 9
_LONGEST_NAME = 8


@dataclass(frozen=True, slots=True)
class AreaName:
    """An area a text may name: its id and kind."""

    id: str
    kind: str


AreaNames = Mapping[str, Sequence[AreaName]]
"""The areas by their spelled name (`area_words`), joined by spaces and joined by nothing."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read the text: these words name the place, in these areas, with this number.

    `part` tells which piece of the text ("…, depan …") it reads; 0 is all of it.
    `number_is_bare`: the number had no "no." and may belong to the name. `is_aside`: a piece
    behind a comma that does not call itself a street, as towns and agencies are; `is_told` one
    out of the middle of a message.
    """

    words: tuple[str, ...]
    areas: frozenset[str]
    house: str | None = None
    number_is_bare: bool = False
    part: int = 0
    is_aside: bool = False
    is_told: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """All ways to read a text; `plain` is all of it, folded.

    `sides` are the two streets of a crossing, in every likely split; `is_crossing` says that the
    text calls it one, `only_area` that it names a ward and no more; `telling` are all words that
    may belong to a place.
    """

    plain: str
    readings: tuple[Reading, ...]
    sides: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    is_crossing: bool
    areas: frozenset[str]
    only_area: bool
    cue: str | None
    names_road: bool
    telling: frozenset[str] = frozenset()


def understand(text: str, areas: AreaNames) -> Query:
    """Every way to read the text as a place."""
    plain = _FLOOR.sub(" ", _NEIGHBOUR_UNIT.sub(" ", fold(unglued(_LINK.sub(" ", text)))))
    plain = _POSTCODE.sub("", plain)
    number = _HOUSE.search(plain)
    house = number[1].replace(" ", "") if number else None
    plain = _shielded(_areas_spelled_right(_HOUSE.sub(" ", plain), areas), areas)
    cues = [_CUE_OF[found] for found in _CUE.findall(plain)]
    crossing = bool(_CROSSING.search(plain))
    whole = _without_fillers(words(_CUE.sub(" ", _CROSSING.sub(" ", plain))))
    named, rest = _areas_named(whole, areas)
    readings = _readings(plain, whole, house, areas)
    told = pieces(_CUE.sub(" ", _CROSSING.sub(" ", plain)))
    return Query(
        plain=fold(text).strip(),
        readings=tuple(dict.fromkeys(readings))[:_MOST_READINGS],
        sides=tuple(_sides(plain, areas, is_crossing=crossing)),
        is_crossing=crossing,
        areas=named,
        only_area=bool(named) and not rest,
        cue=cues[0] if cues else None,
        names_road=bool(set(whole) & ROAD_WORDS),
        telling=frozenset(word for piece in told for word in words(piece)),
    )


def _readings(
    plain: str, whole: list[str], house: str | None, areas: AreaNames
) -> Iterator[Reading]:
    """Ward names are also parts of street names, so they are read both ways."""
    if "," in plain:
        yield from _before_the_comma(plain, house, areas)
    named, rest = _areas_named(whole, areas)
    if len(whole) <= _LONGEST_NAME or not is_told(plain):
        surely, nearly_all = _areas_named(whole, areas, only_titled=True)
        if rest:
            yield from _with_number(rest, named, house, part=0)
        for left, behind in _peeled(whole, areas):
            yield from _with_number(left, behind, house, part=0)
        if nearly_all != rest:
            yield from _with_number(nearly_all, surely, house, part=0)
        if whole not in (rest, nearly_all):
            yield from _with_number(whole, frozenset(), house, part=0)
    for part, (piece, is_aside) in enumerate(_pieces(plain), start=1):
        spelled = _without_fillers(words(piece))
        _, without_area = _areas_named(spelled, areas)
        if without_area and " ".join(spelled) not in areas:
            aside = is_aside and not set(spelled) & ROAD_WORDS
            for reading in _with_number(without_area, named, house, part=part):
                yield replace(reading, is_aside=aside)
    if is_told(plain):
        yield from _told(plain, house, areas, named)


def _told(
    plain: str, house: str | None, areas: AreaNames, named: frozenset[str]
) -> Iterator[Reading]:
    """The pieces of a message that may name the place: "banjir di Jl. X RT 2 sudah selutut"."""
    bare = _CUE.sub(" ", _CROSSING.sub(" ", plain)).replace(",", " ")
    for part, piece in enumerate(pieces(bare)[:4], start=50):
        spelled = _without_fillers(words(piece))
        mine, rest = _areas_named(spelled, areas)
        for left, where in ((rest, mine or named), (spelled, named)):
            if left:
                for reading in _with_number(left, where, house, part=part):
                    yield replace(reading, is_told=True)


def _peeled(spelled: list[str], areas: AreaNames) -> Iterator[tuple[list[str], frozenset[str]]]:
    """The words without the areas at their end, one area after the other taken off.

    "Menteng Pulo Menteng Dalam Tebet": Pulo is a ward too, but only the end can be meant as one.
    """
    rest, named = list(spelled), frozenset[str]()
    while len(rest) > 1:
        tail = _tail(rest, areas)
        if tail is None:
            return
        found, length = tail
        rest, named = rest[:-length], named | found
        if rest:
            yield list(rest), named


def _tail(rest: list[str], areas: AreaNames) -> tuple[frozenset[str], int] | None:
    """The area at the end of the words and how many they are; a misspelled one if none is right."""
    lengths = range(min(_LONGEST_AREA_NAME, len(rest) - 1), 0, -1)
    for length in lengths:
        title = _AREA_TITLES.get(_nearly_title(rest[-length - 1]))
        found = _area(" ".join(rest[-length:]), title, areas)
        if found:
            return found, length + (1 if title else 0)
    for length in lengths:
        name = " ".join(rest[-length:])
        # Only long words: "Tebet" is no misspelling of "Tebek", and a number none of anything.
        if len(name) >= 5 * length + 1 and name.replace(" ", "").isalpha():
            alike = areas.get(_alike(name, areas) or "", ())
            if alike:
                return frozenset(area.id for area in alike), length
    return None


def _nearly_title(word: str) -> str:
    """Keluraan is kelurahan."""
    if len(word) < 7 or word in _AREA_TITLES:
        return word
    alike = (t for t in _AREA_TITLES if OSA.normalized_similarity(word, t) >= _AREA_LIKENESS)
    return next(alike, word)


def _before_the_comma(plain: str, house: str | None, areas: AreaNames) -> Iterator[Reading]:
    """The street before the first comma, the wards behind it: E Baltimore St, Baltimore."""
    head, *others = plain.split(",")
    if _CUE.search(head) or _CROSSING.search(head):
        return
    named: set[str] = set()
    for other in others:
        # The comma stands for the name that must come before a ward.
        found, _ = _areas_named([",", *words(other)], areas)
        named |= found
    spelled = _without_fillers(words(head))
    if spelled:
        yield from _with_number(spelled, frozenset(named), house, part=1)


def _shielded(plain: str, areas: AreaNames) -> str:
    """A ward called Mampang Prapatan is no crossing: such names are written as one word."""
    if _CROSSING.search(plain) or _CUE.search(plain):
        for name in areas:
            if " " in name and name in plain and (_CROSSING.search(name) or _CUE.search(name)):
                plain = plain.replace(name, name.replace(" ", ""))
    return plain


def _areas_spelled_right(plain: str, areas: AreaNames) -> str:
    """Behind a comma a ward is expected, so one that is nearly its name is it."""
    first, *others = plain.split(",")
    return ",".join([first, *(_alike(other, areas) or other for other in others)])


def _alike(name: str, areas: AreaNames) -> str | None:
    best = process.extractOne(
        " ".join(words(name)),
        areas.keys(),
        scorer=OSA.normalized_similarity,
        score_cutoff=_AREA_LIKENESS,
    )
    return best[0] if best else None


def _pieces(plain: str) -> list[tuple[str, bool]]:
    """The text between commas and "in front of"s, when there is more than one piece, and whether
    the piece only follows a comma.
    """
    pieces = [
        (piece, n > 0 and m == 0)
        for n, chunk in enumerate(re.split(r"[,;\n()]", _CROSSING.sub(" ", plain)))
        for m, piece in enumerate(_CUE.sub("\0", chunk).split("\0"))
        if len(piece.strip()) > 2
    ]
    return pieces if len(pieces) > 1 else []


def _with_number(
    spelled: list[str], named: frozenset[str], house: str | None, *, part: int
) -> Iterator[Reading]:
    """A number without "no." at either end is read both ways: as the house's and as the name's."""
    yield Reading(tuple(spelled), named, house, part=part)
    if house or len(spelled) < 2:
        return
    for bare, left in ((spelled[-1], spelled[:-1]), (spelled[0], spelled[1:])):
        # Before an English street the number is the house's, and no part of the name: 3924 8th St.
        is_bare = not (bare == spelled[0] and AMERICAN_ROADS.intersection(left))
        counted = not is_bare and _ORDINAL.fullmatch(left[0])
        if re.fullmatch(r"\d{1,5}[a-z]?", bare) and (counted or not numerals(left)):
            yield Reading(tuple(left), named, bare, number_is_bare=is_bare, part=part)
            return


def _areas_named(
    spelled: list[str], areas: AreaNames, *, only_titled: bool = False
) -> tuple[frozenset[str], list[str]]:
    """The areas the words name behind the place itself, and the words without them."""
    rest = list(spelled)
    found: set[str] = set()
    for length in range(_LONGEST_AREA_NAME, 0, -1):
        for start in range(len(rest) - length, 0, -1):
            if start + length > len(rest):
                continue
            title = _AREA_TITLES.get(_nearly_title(rest[start - 1]))
            if title is None and (only_titled or set(rest[:start]) <= ROAD_WORDS):
                continue
            named = _area(" ".join(rest[start : start + length]), title, areas)
            if named:
                found |= named
                del rest[start - (1 if title else 0) : start + length]
    return frozenset(found), [word for word in rest if word not in _AREA_TITLES]


def _area(name: str, title: str | None, areas: AreaNames) -> frozenset[str]:
    squeezed = name.replace(" ", "")
    # After "kel." or "kec." an area must follow, so it may be misspelled or cut short.
    known = areas.get(name) or areas.get(squeezed) or ()
    if not known and title:
        known = areas.get(_alike(name, areas) or "") or _begun(squeezed, areas)
    fitting = [area.id for area in known if title is None or area.kind == title]
    return frozenset(fitting or [area.id for area in known])


def _begun(squeezed: str, areas: AreaNames) -> list[AreaName]:
    """Every area whose name begins so: "kel. Rawa Badak" is Rawabadak Utara or Selatan."""
    if len(squeezed) < 5:
        return []
    return [
        area
        for name, named in areas.items()
        if name.replace(" ", "").startswith(squeezed)
        for area in named
    ]


def _without_fillers(spelled: Iterable[str]) -> list[str]:
    listed = list(spelled)
    kept = [word for word in listed if word not in _FILLERS]
    return kept or listed


def _sides(
    plain: str, areas: AreaNames, *, is_crossing: bool
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The two names that meet, in the likely order of splits."""
    head = plain.split(",", maxsplit=1)[0]
    if is_crossing and len(_JOINER.split(head)) < 2 and "," in plain:
        # "Pojok Jl. A, Jl. B": behind the comma stands the other street, unless it is a ward.
        one, other, *_ = plain.split(",")
        if " ".join(words(other)) not in areas and _CROSSING.sub("", other).strip():
            plain = f"{one} & {other}"
            head = plain
    without_cue = _CUE.sub(" ", head if len(_JOINER.split(head)) > 1 else plain)
    parts = [p for p in _JOINER.split(_CROSSING.sub(" ", without_cue)) if p.strip(" ,.")]
    if len(parts) < 2 and is_crossing:
        parts = [p for p in _CROSSING.split(without_cue) if p.strip(" ,.")]
    with_areas = [tuple(_without_fillers(words(part))) for part in parts]
    without = [_side(part, areas) for part in parts]
    for sides in dict.fromkeys([tuple(without), tuple(with_areas)]):
        yield from _pairs([side for side in sides if side], is_crossing=is_crossing)


def _pairs(
    named: list[tuple[str, ...]], *, is_crossing: bool
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    if len(named) == 2:
        yield named[0], named[1]
    elif len(named) == 1 and is_crossing:
        only = named[0]
        second = next((i for i, word in enumerate(only) if i and word in ROAD_WORDS), None)
        for cut in [second] if second else range(1, len(only)):
            yield only[:cut], only[cut:]
    elif len(named) == 3:
        yield named[0], named[1] + named[2]
        yield named[0] + named[1], named[2]


def _side(part: str, areas: AreaNames) -> tuple[str, ...]:
    _, rest = _areas_named(_without_fillers(words(part)), areas)
    return tuple(rest)
