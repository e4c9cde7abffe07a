"""How well a name on the map fits the words somebody wrote, and how sure that makes us."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from geo.gazetteer_text import COMPASS, ROAD_WORDS, key, numerals

LIKE = 0.6
"""Two words less alike than this are different words."""

_SHORT = 3
_INITIAL = 0.6
_COMPASS_POINT = 0.95
_OTHER_NUMBER = 0.25
_OTHER_SIDE = 0.1
_SIDES = frozenset(
    {"timur", "barat", "utara", "selatan", "tengah", "dalam", "luar", "atas", "bawah"}
    | {"norte", "sul", "leste", "oeste"}
    | COMPASS
)
_JOINED = 0.97
_SHORT_FORM = 0.85

Weight = Callable[[str], float]
"""How telling a word is: high for the rare, near zero for "street"."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a name fits: `score` overall, and the share of each side that found its partner.

    `rarest` is how surely the query's most telling word is in the name; `numbers` is 0 when both
    have the same, 0.5 when only one has any, 1 when they differ; `other_side` says that one is
    east where the other is west; `matched` counts the name's words that are in the query as they
    are. `missing` is how telling the query's word is that the name lacks most, `surplus` that of
    the name which nobody wrote; `letters` how alike both are as one string.
    """

    score: float
    query_covered: float
    name_covered: float
    rarest: float
    numbers: float = 0.0
    other_side: bool = False
    matched: int = 0
    missing: float = 0.0
    surplus: float = 0.0
    letters: float = 0.0


def fits(query: Sequence[str], names: Sequence[Sequence[str]], weight: Weight) -> list[Fit]:
    """The fit of each name to the query's words, in the order given."""
    asked = _telling(query)
    wanted = [_telling(name) for name in names]
    vocabulary = sorted({word for name in wanted for word in name})
    if not asked or not vocabulary:
        return [Fit(0.0, 0.0, 0.0, 0.0) for _ in names]
    table = process.cdist(asked, vocabulary, scorer=OSA.normalized_similarity)
    alike = {
        (word, other): _likeness(word, other, float(table[i, j]))
        for i, word in enumerate(asked)
        for j, other in enumerate(vocabulary)
        if table[i, j] >= LIKE or word[0] == other[0]
    }
    joined = key(list(query)).replace(" ", "")
    return [_fit(asked, name, joined, alike, weight) for name in wanted]


def weaker(a: Fit, b: Fit) -> Fit:
    """What can be said of two streets that meet: no more than of the one that fits less."""
    return Fit(
        (a.score + b.score) / 2,
        min(a.query_covered, b.query_covered),
        min(a.name_covered, b.name_covered),
        min(a.rarest, b.rarest),
        max(a.numbers, b.numbers),
        a.other_side or b.other_side,
        a.matched + b.matched,
        max(a.missing, b.missing),
        max(a.surplus, b.surplus),
        min(a.letters, b.letters),
    )


def _telling(spelled: Sequence[str]) -> list[str]:
    kept = [word for word in dict.fromkeys(spelled) if word != "jalan"]
    return kept or list(spelled)


def _likeness(word: str, other: str, similarity: float) -> float:
    """1 for the same word; numbers and very short words are the same or are not."""
    if word == other:
        return 1.0
    if word[0].isdigit() or other[0].isdigit():
        return 0.0
    if len(word) == 1 or len(other) == 1:
        if word[0] != other[0]:
            return 0.0
        return _COMPASS_POINT if {word, other} & COMPASS else _INITIAL
    if _is_short_for(word, other) or _is_short_for(other, word):
        return _SHORT_FORM
    if min(len(word), len(other)) <= _SHORT:
        return 0.0
    return similarity if similarity >= LIKE else 0.0


def skeleton(word: str) -> str:
    """The word without vowels but for the first letter: what is left when people write short."""
    return word[:1] + "".join(letter for letter in word[1:] if letter not in "aeiou")


def _is_short_for(short: str, word: str) -> bool:
    """Sltn for selatan, jbtn for jembatan: consonants of the word in their order, first and all."""
    if len(short) < _SHORT or len(word) < len(short) + 2 or skeleton(short) != short:
        return False
    letters = iter(skeleton(word))
    return short[0] == word[0] and all(letter in letters for letter in short)


def _fit(
    asked: list[str],
    name: list[str],
    joined: str,
    alike: dict[tuple[str, str], float],
    weight: Weight,
) -> Fit:
    credit = dict.fromkeys(asked, 0.0)
    worth = {word: weight(word) for word in asked}
    have = want = surplus = 0.0
    for other in name:
        partner = max(asked, key=lambda word: alike.get((word, other), 0.0))
        likeness = alike.get((partner, other), 0.0)
        here = weight(other)
        want += here
        have += here * likeness
        surplus = max(surplus, here * (1 - likeness))
        if likeness > credit[partner]:
            # A misspelled word is as telling as the word it stands for.
            credit[partner], worth[partner] = likeness, here
    name_covered = have / want if want else 0.0
    total = sum(worth.values())
    query_covered = sum(credit[word] * worth[word] for word in asked) / total if total else 0.0
    by_words = math.sqrt(name_covered * query_covered)
    missing = max(worth[word] * (1 - credit[word]) for word in asked)
    letters = float(OSA.normalized_similarity(joined, "".join(name)))
    by_letters = _JOINED * letters
    score = max(by_words, by_letters)
    numbers = _numbers(asked, name)
    other_side = _other_side(asked, name)
    score -= _OTHER_NUMBER * numbers + (_OTHER_SIDE if other_side else 0.0)
    rarest = max(asked, key=lambda word: (worth[word], word))
    if by_letters > by_words:
        missing, surplus = min(missing, 1 - by_letters), min(surplus, 1 - by_letters)
        query_covered, name_covered = max(query_covered, by_letters), max(name_covered, by_letters)
    return Fit(
        max(0.0, score),
        query_covered,
        name_covered,
        max(credit[rarest], by_letters if by_letters > by_words else 0.0),
        numbers,
        other_side,
        sum(1 for word in name if credit.get(word) == 1.0),
        missing,
        surplus,
        letters,
    )


def _numbers(asked: Sequence[str], name: Sequence[str]) -> float:
    ours, theirs = numerals(list(asked)), numerals(list(name))
    if ours == theirs:
        return 0.0
    return 1.0 if ours and theirs else 0.5


def _other_side(asked: Sequence[str], name: Sequence[str]) -> bool:
    ours, theirs = _SIDES.intersection(asked), _SIDES.intersection(name)
    return bool(ours and theirs and ours.isdisjoint(theirs))


def rarity(total_names: int, names_with: Callable[[str], int]) -> Weight:
    """Inverse document frequency, 0.05 to 1; a word no name has weighs as much as the rarest."""
    most = math.log(1 + max(1, total_names))

    @lru_cache(maxsize=20_000)
    def weigh(word: str) -> float:
        frequency = max(1, names_with(word))
        idf = math.log(1 + total_names / frequency) / most
        return max(0.05, idf * (0.3 if word in ROAD_WORDS else 0.5 if word in COMPASS else 1.0))

    return weigh
