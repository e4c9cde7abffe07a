"""What the numbered things of a city are called: one name for each kind, and words for people."""

import re

SORTS: dict[str, tuple[str, str]] = {
    "lamp_pole": ("Tiang PJU", "Lamp pole"),
    "tree": ("Pohon", "Tree"),
    "traffic_light": ("Lampu lalu lintas", "Traffic light"),
    "panel": ("Panel", "Panel"),
    "hydrant": ("Hidran", "Hydrant"),
    "drain": ("Saluran", "Drain"),
    "bridge": ("Jembatan", "Bridge"),
    "billboard": ("Reklame", "Billboard"),
    "wifi": ("Titik wifi", "Wifi point"),
    "bin": ("TPS", "Waste point"),
}
"""The kinds that have words of their own, in Indonesian and English; a list may bring others."""

_WRITTEN: dict[str, tuple[str, ...]] = {
    "lamp_pole": (
        *("pju", "tiang pju", "tiang lampu", "lampu jalan", "lampu pju", "tiang", "lampu"),
        *("street light", "streetlight", "lamp", "pole", "lamp post", "penerangan jalan umum"),
    ),
    "tree": ("pohon", "pohon pelindung", "pohon peneduh", "trees"),
    "traffic_light": ("apill", "lampu merah", "bangjo", "traffic signal", "lampu lalin"),
    "panel": ("panel pju", "box panel", "panel box", "kwh"),
    "hydrant": ("hidran", "hydrant kebakaran", "fire hydrant"),
    "drain": ("saluran", "drainase", "gorong gorong", "manhole", "gully"),
    "bridge": ("jembatan",),
    "billboard": ("reklame", "baliho"),
    "wifi": ("wifi publik", "hotspot", "titik wifi"),
    "bin": ("tps", "tempat sampah", "bak sampah", "kontainer sampah"),
}
_SORT_OF = {
    spelled: sort
    for sort, written in _WRITTEN.items()
    for spelled in (*written, sort.replace("_", " "), *(name.lower() for name in SORTS[sort]))
}


def sort_of(text: str) -> str:
    """The kind that a department's word means: "Lampu Jalan" is lamp_pole; an own word stays."""
    spelled = " ".join(re.findall(r"\w+", text.casefold().replace("_", " ")))
    return _SORT_OF.get(spelled, spelled.replace(" ", "_"))


def numbered(sort: str, code: str) -> str:
    """The thing by its painted number: "Tiang PJU 0123"; for PJU-0123 it says PJU once."""
    words = SORTS[sort][0] if sort in SORTS else sort.replace("_", " ").capitalize()
    if sort == "lamp_pole" and re.match(r"PJU(?![^\W\d_])", code, re.IGNORECASE):
        words = "Tiang"
    return f"{words} {code}"


_BEGINS = [
    *((re.compile(rf"{words} (?=\S*\d)"), english) for words, english in SORTS.values()),
    (re.compile(r"Tiang (?=\S*\d)"), "Lamp pole"),
]


def in_english(part: str) -> str:
    """A name of `numbered` in English; what is none stays as it is."""
    for begins, english in _BEGINS:
        if found := begins.match(part):
            return f"{english} {part[found.end() :]}"
    return part
