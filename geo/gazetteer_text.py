"""One spelling for names: what a citizen types and what the map says are brought to the same words.

Nothing here is shown to anybody; the citizen's own text is kept elsewhere, as it was typed.
"""

import re
import unicodedata

# What people write short, beside what maps write. Several words stand for what is written as one.
_LONG_FORMS = {
    "jl": "jalan",
    "jln": "jalan",
    "jlan": "jalan",
    "jalam": "jalan",
    "gg": "gang",
    "gng": "gang",
    "lrg": "lorong",
    "tmr": "timur",
    "tim": "timur",
    "brt": "barat",
    "bar": "barat",
    "utr": "utara",
    "sel": "selatan",
    "slt": "selatan",
    "tgh": "tengah",
    "bsr": "besar",
    "ry": "raya",
    "tmn": "taman",
    "kp": "kampung",
    "kpg": "kampung",
    "kampong": "kampung",
    "psr": "pasar",
    "pd": "pondok",
    "pdk": "pondok",
    "kb": "kebon",
    "kbn": "kebon",
    "kebun": "kebon",
    "tj": "tanjung",
    "tjg": "tanjung",
    "dlm": "dalam",
    "kcl": "kecil",
    "slatan": "selatan",
    "jmbtn": "jembatan",
    "apt": "apartemen",
    "apart": "apartemen",
    "kav": "kavling",
    "gd": "gedung",
    "gdg": "gedung",
    "gedong": "gedung",
    "sklh": "sekolah",
    "msjd": "masjid",
    "msjid": "masjid",
    "mesjid": "masjid",
    "musholla": "mushola",
    "mushalla": "mushola",
    "musala": "mushola",
    "ktr": "kantor",
    "kntr": "kantor",
    "komp": "komplek",
    "kompl": "komplek",
    "kompleks": "komplek",
    "perum": "perumahan",
    "prm": "perumahan",
    "stsn": "stasiun",
    "tmnl": "terminal",
    "htl": "hotel",
    "univ": "universitas",
    "pkm": "puskesmas",
    "jend": "jenderal",
    "jendral": "jenderal",
    "jen": "jenderal",
    "kol": "kolonel",
    "kapt": "kapten",
    "pang": "pangeran",
    "moh": "mohammad",
    "muh": "mohammad",
    "muhammad": "mohammad",
    "mohamad": "mohammad",
    "haji": "h",
    "doktor": "dr",
    "rs": "rumah sakit",
    "rsu": "rumah sakit umum",
    "rsud": "rumah sakit umum daerah",
    "sdn": "sd negeri",
    "smpn": "smp negeri",
    "sman": "sma negeri",
    "smkn": "smk negeri",
    "alon": "alun",
    "aloon": "alun",
    "alun2": "alun alun",
    "alon2": "alun alun",
    "aloon2": "alun alun",
    "kel": "kelurahan",
    "ds": "desa",
    "kec": "kecamatan",
    "kab": "kabupaten",
}
_ENGLISH_ROADS = {
    "st": "street",
    "str": "street",
    "ave": "avenue",
    "av": "avenue",
    "rd": "road",
    "blvd": "boulevard",
    "ln": "lane",
    "dr": "drive",
    "ct": "court",
    "pl": "place",
    "pkwy": "parkway",
    "hwy": "highway",
    "sq": "square",
    "ter": "terrace",
    "aly": "alley",
    "expy": "expressway",
}
_COMPASS = {"n": "north", "s": "south", "e": "east", "w": "west"}
COMPASS = frozenset(_COMPASS.values())
AMERICAN_ROADS = frozenset(
    [
        "street",
        "avenue",
        "road",
        "boulevard",
        "lane",
        "drive",
        "court",
        "parkway",
        "highway",
        "expressway",
    ]
)
_PORTUGUESE = {"r": "rua", "av": "avenida", "trav": "travessa", "pca": "praca"}

ROAD_WORDS = (
    frozenset({"jalan", "gang", "lorong"}) | AMERICAN_ROADS | {"rua", "avenida", "travessa"}
)
"""Words that only say that a name is a street's."""

# Finnish street names as they stand in a sentence: Kaivokadun ja Mikonkadun kulma.
_FINNISH = re.compile(
    r"(?<=\w{3})(?:(kadu)|(tie|kuja|polku|tori|aukio|puisto|ranta|kaari))"
    r"(?:n|lla|lle|lta|ssa|sta)$"
)

_ROMAN = re.compile(r"(x{0,2})(ix|iv|v?i{0,3})")
_ROMAN_VALUES = {"i": 1, "v": 5, "x": 10}
_NO_DECOMPOSITION = str.maketrans({"ø": "o", "æ": "ae", "ß": "ss", "ł": "l", "đ": "d", "ı": "i"})


def fold(text: str) -> str:
    """Lower case without accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return plain.translate(_NO_DECOMPOSITION)


_GLUED_TITLE = re.compile(r"\b(jalan|jln|jl|gang)\.?(?=[a-z]{5})", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z]{2})(?=[A-Z][a-z]{2})")


def unglued(text: str) -> str:
    """With the spaces that fast fingers leave out: jalanBromo, PuloAsem, jlkartini."""
    return _GLUED_TITLE.sub(r"\1 ", _CAMEL.sub(" ", text))


def words(text: str) -> list[str]:
    """The words of a name in their one spelling: long forms, Arabic numerals, reformed Indonesian.

    "Jln. Djend. Soedirman Kav. IV" → jalan, jenderal, sudirman, kav, 4.
    """
    plain = re.sub(r"[.'’`´]", "", re.sub(r"\.(?=\w\w)", " ", fold(text)))
    found = re.findall(r"[^\W_]+", plain)
    long: list[str] = []
    for i, word in enumerate(found):
        initial = word in _ROMAN_VALUES and _leads(found, i)
        long.extend([word] if initial else _spell(word))
    return _american(long)


def _leads(found: list[str], i: int) -> bool:
    """Does the word open a name of several words, as I in "Jalan I Gusti Ngurah Rai"?"""
    before = {_LONG_FORMS.get(word, word) for word in found[:i]}
    return before <= ROAD_WORDS and i + 1 < len(found) and found[i + 1].isalpha()


def _spell(word: str) -> list[str]:
    if word in _LONG_FORMS:
        return _LONG_FORMS[word].split()
    number = arabic(word)
    if number is not None:
        return [str(number)]
    if word.isdigit():
        return [word.lstrip("0") or "0"]
    glued = re.fullmatch(r"([a-z]{4,})(\d{1,2})", word)
    if glued:
        return [*_spell(glued[1]), glued[2]]
    # The spellings before 1972 live on in names: Soebroto, Djuanda, Tjokroaminoto.
    modern = word.replace("oe", "u").replace("dj", "j").replace("tj", "c")
    return _LONG_FORMS.get(modern, _FINNISH.sub(_base_form, modern)).split()


def _base_form(bent: re.Match[str]) -> str:
    return "katu" if bent[1] else str(bent[2])


def arabic(word: str) -> int | None:
    """The value of a Roman numeral from I to XXIX, None for any other word."""
    found = _ROMAN.fullmatch(word)
    if not found or not word:
        return None
    total = 0
    for here, after in zip(word, [*word[1:], ""], strict=True):
        value = _ROMAN_VALUES[here]
        total += -value if after and _ROMAN_VALUES[after] > value else value
    return total


def _american(found: list[str]) -> list[str]:
    """English and Portuguese short forms, which depend on where in the name they stand."""
    if len(found) > 1 and found[0] in _PORTUGUESE and not set(found) & AMERICAN_ROADS:
        found = [_PORTUGUESE[found[0]], *found[1:]]
    roads = [
        _ENGLISH_ROADS[word] if i > 0 and word in _ENGLISH_ROADS and _ends_name(found, i) else word
        for i, word in enumerate(found)
    ]
    if not set(roads) & AMERICAN_ROADS:
        return roads
    return [_COMPASS.get(word, word) for word in roads]


def _ends_name(found: list[str], i: int) -> bool:
    """Is the word at i the last of the name, but for a compass point or a number?"""
    compass = {*_COMPASS, *COMPASS}
    return all(word in compass or word.isdigit() for word in found[i + 1 :])


def key(found: list[str]) -> str:
    """The words as one string to search in: without what only says that it is a street."""
    kept = [word for word in found if word != "jalan"]
    return " ".join(kept or found)


def numerals(found: list[str]) -> frozenset[str]:
    """The numbers in a name: "Cilandak 3" is another street than "Cilandak 8"."""
    return frozenset(word for word in found if word[0].isdigit())
