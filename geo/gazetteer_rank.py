"""Which of the places that resemble a text comes first, how sure we are of it, and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from geo.gazetteer_match import Fit
from geo.gazetteer_sure import Evidence, confidence
from geo.geocoding import Candidate, Kind, Language
from geo.point import Point, distance_m

ELSEWHERE_M = 300.0
"""Candidates within this distance of each other send the crew to the same place."""

_NAMESAKE = 0.02
_TEXTS: dict[str, tuple[str, str]] = {
    "same": ("Nama sama", "Same name"),
    "like": ("Nama mirip ({share} %)", "Similar name ({share} %)"),
    "numeral": ("nomor dalam nama berbeda", "the number in the name differs"),
    "partly": ("sebagian kata tidak cocok", "some words do not fit"),
    "area": ("wilayah cocok", "the area agrees"),
    "other_area": ("bukan di wilayah yang disebut", "not in the area named"),
    "rivals": ("{n} tempat lain bernama sama", "{n} other places of this name"),
    "close": ("ada tempat lain yang hampir sama cocok", "another place fits almost as well"),
    "crossing": ("kedua jalan bertemu di sini", "the two streets meet here"),
    "no_crossing": ("persimpangannya tidak ditemukan", "the crossing was not found"),
    "house": ("nomor rumah ada di peta", "the house number is on the map"),
    "between": ("nomor rumah diperkirakan dari tetangganya", "the number lies between mapped ones"),
    "block": ("blok nomornya di sini", "the number's block is here"),
    "beyond": (
        "nomor itu di bagian jalan yang tidak ada di peta",
        "the number lies on a part of the street that is not on the map",
    ),
    "second_name": ("itu hanya nama lain jalan ini", "that is only another name of this street"),
    "no_house": ("nomor rumah tidak ada di peta", "the house number is not on the map"),
    "landmark": ("patokan: {cue}", "described as: {cue}"),
    "together": ("semua bagian alamat bertemu di sini", "all parts of the address meet here"),
    "apart": ("bagian alamat lain tidak ada di dekatnya", "other parts are not near it"),
    "bare_number": ("angka bisa bagian dari nama", "the number may be part of the name"),
    "unread": ("sebagian teks tidak terbaca", "part of the text was not read"),
    "whole_area": ("seluruh wilayah, bukan satu tempat", "a whole area, not one place"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A place that resembles the text; `score` orders, `notes` say what was found out on the way.

    `same` tells namesakes apart from others: the name as it is spelled.
    """

    point: Point
    label: str
    same: str
    kind: Kind
    radius_m: float
    fit: Fit
    score: float
    area: float
    ward: str | None
    district: str | None
    notes: tuple[str, ...] = ()
    other_kind: bool = False
    unread: float = 0.0
    words: int = 1


def weighed(found: Iterable[Found], *, limit: int) -> list[tuple[Found, Evidence]]:
    """The candidates with the best scores, each with what speaks for and against it."""
    best = _distinct(sorted(found, key=lambda f: (-f.score, f.label, f.point.lon, f.point.lat)))
    return [(f, _evidence(f, best)) for f in best[: limit + 5]]


def ranked(
    weighed: Iterable[tuple[Found, Evidence]], *, limit: int, cue: str | None, language: Language
) -> list[Candidate]:
    """The candidates, the most likely first; of several at one spot with one name, one."""
    # Ties keep the order of the scores.
    candidates = [_candidate(f, evidence, cue, language) for f, evidence in weighed]
    return sorted(candidates, key=lambda c: -c.confidence)[:limit]


def _distinct(found: Sequence[Found]) -> list[Found]:
    kept: list[Found] = []
    for f in found:
        twin = any(
            f.same == other.same
            and f.kind == other.kind
            and distance_m(f.point, other.point) < ELSEWHERE_M / 2
            for other in kept
        )
        if not twin:
            kept.append(f)
        if len(kept) == 30:
            break
    return kept


def _evidence(f: Found, others: Sequence[Found]) -> Evidence:
    elsewhere = [
        other
        for other in others
        if other is not f and distance_m(f.point, other.point) > ELSEWHERE_M
    ]
    margin = f.score - max((other.score for other in elsewhere), default=0.0)
    rivals = sum(
        1 for other in elsewhere if abs(other.score - f.score) < _NAMESAKE or other.score > f.score
    )
    return Evidence(f.fit, f.kind, f.area, margin, rivals, f.other_kind, f.unread, f.words, f.notes)


def _candidate(f: Found, evidence: Evidence, cue: str | None, language: Language) -> Candidate:
    sure = confidence(evidence)
    return Candidate(
        f.point,
        f.label,
        f.kind,
        round(f.radius_m, 1),
        round(sure, 3),
        _reason(f, evidence, cue, language),
        f.ward,
        f.district,
    )


def _reason(f: Found, evidence: Evidence, cue: str | None, language: Language) -> str:
    fit = f.fit
    exact = fit.name_covered > 0.99 and fit.query_covered > 0.99
    keys = ["same" if exact else "like"]
    if fit.numbers:
        keys.append("numeral")
    elif not exact and min(fit.query_covered, fit.name_covered) < 0.7:
        keys.append("partly")
    if f.area:
        keys.append("area" if f.area > 0 else "other_area")
    keys += [note for note in f.notes if note in _TEXTS]
    if cue:
        keys.append("landmark")
    if evidence.rivals:
        keys.append("rivals" if exact else "close")
    share = round(100 * min(1.0, max(0.0, min(fit.query_covered, fit.name_covered))))
    column = 0 if language == "id" else 1
    texts = [
        _TEXTS[name][column].format(share=share, n=evidence.rivals, cue=cue or "") for name in keys
    ]
    return "; ".join(texts) + "."


def with_notes(f: Found, *notes: str, score: float = 0.0) -> Found:
    """The same place with more found out about it."""
    return replace(f, notes=(*f.notes, *notes), score=f.score + score)
