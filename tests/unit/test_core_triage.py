"""Triage orders and asks; it gives its reasons and never drops anything."""

from __future__ import annotations

import math
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dispatch
from dispatch.core.policy import Policy, parse_policy
from dispatch.core.triage import (
    NEAR_ENOUGH,
    Neighbour,
    Signs,
    judge,
    likeness,
    mentions,
    similar_to,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
POLICY: Policy = parse_policy(
    tomllib.loads(Path(dispatch.__file__).with_name("policy.toml").read_text(encoding="utf-8"))
)
PLAIN = Signs(
    service_code="fallen_tree",
    channel="web",
    description="Ada sesuatu yang menutup jalan di sini",
    photos=0,
    radius_m=200.0,
    has_contact=False,
    anonymous=False,
    similar=0,
    pranks_before=0,
)

signs = st.builds(
    Signs,
    service_code=st.sampled_from([*POLICY.services, "unknown"]),
    channel=st.sampled_from(("web", "call_112", "whatsapp")),
    description=st.text(max_size=80),
    photos=st.integers(0, 5),
    radius_m=st.none() | st.floats(0, 5000),
    has_contact=st.booleans(),
    anonymous=st.booleans(),
    similar=st.integers(0, 20),
    pranks_before=st.integers(0, 20),
)


def weights(looked_at: Signs) -> dict[str, float]:
    return {reason["code"]: reason["weight"] for reason in judge(looked_at, policy=POLICY)[1]}


@pytest.mark.parametrize(
    ("changes", "code", "sign"),
    [
        ({"photos": 1}, "photo", 1),
        ({"radius_m": None}, "no_place", -1),
        ({"radius_m": 50.0}, "precise_place", 1),
        ({"has_contact": True}, "contact", 1),
        ({"anonymous": True}, "anonymous", -1),
        ({"similar": 1}, "similar", 1),
        ({"description": "tolong"}, "short_text", -1),
        ({"description": "TOLONG CEPAT KE SINI SEKARANG"}, "shouting", -1),
        ({"description": "pohonnya menutup jalan raya"}, "keywords", 1),
        ({"pranks_before": 1}, "repeated", -1),
        ({"channel": "call_112"}, "call_112", -1),
    ],
)
def test_each_sign_is_named_and_pulls_its_way(
    changes: dict[str, object], code: str, sign: int
) -> None:
    looked_at = replace(PLAIN, **changes)  # type: ignore[arg-type]
    before, after = judge(PLAIN, policy=POLICY)[0], judge(looked_at, policy=POLICY)[0]
    assert math.copysign(1, weights(looked_at)[code]) == sign
    assert code not in weights(PLAIN)
    assert (after - before) * sign > 0


def test_a_report_without_any_sign_stands_at_the_prior() -> None:
    p_genuine, reasons = judge(PLAIN, policy=POLICY)
    assert [reason["code"] for reason in reasons] == ["prior"]
    assert p_genuine == pytest.approx(1 / (1 + math.exp(-POLICY.triage.prior)), abs=1e-4)


@given(signs)
def test_the_reasons_explain_the_whole_figure_strongest_first(looked_at: Signs) -> None:
    p_genuine, reasons = judge(looked_at, policy=POLICY)
    total = sum(reason["weight"] for reason in reasons)
    assert p_genuine == pytest.approx(1 / (1 + math.exp(-total)), abs=1e-3)
    strengths = [abs(reason["weight"]) for reason in reasons]
    assert strengths == sorted(strengths, reverse=True)


@given(signs)
def test_nothing_is_certain_and_nothing_is_dropped(looked_at: Signs) -> None:
    p_genuine, reasons = judge(looked_at, policy=POLICY)
    assert 0.0 < p_genuine < 1.0
    assert reasons


@given(signs)
def test_more_support_never_makes_a_report_less_credible(looked_at: Signs) -> None:
    def p(**changes: object) -> float:
        return judge(replace(looked_at, **changes), policy=POLICY)[0]  # type: ignore[arg-type]

    assert p(similar=looked_at.similar + 1) >= p()
    assert p(photos=looked_at.photos + 1) >= p()
    assert p(pranks_before=looked_at.pranks_before + 1) <= p()
    assert p(radius_m=10.0) >= p(radius_m=5000.0) >= p(radius_m=None)
    assert p(has_contact=True) >= p(has_contact=False, anonymous=True)


@pytest.mark.parametrize(
    ("service_code", "text"),
    [
        ("fallen_tree", "POHON tumbang nutup jalan"),
        ("fallen_tree", "pohonnya roboh kena kabel"),
        ("street_light", "lampunya mati pak"),
        ("traffic_light", "bangjo perempatan padam"),
        ("pothole", "aspal amblas depan pasar"),
        ("drain", "Got mampet, bau"),
        ("waste", "sampahnya numpuk"),
        ("flood", "genangan setinggi lutut"),
        ("public_order", "ada tawuran pelajar"),
        ("fallen_tree", "A tree has fallen"),
    ],
)
def test_indonesian_words_with_their_endings_are_understood(service_code: str, text: str) -> None:
    assert mentions(text, POLICY.services[service_code])


def test_a_word_inside_another_word_is_not_that_word() -> None:
    assert not mentions("bertanggung jawab", POLICY.services["drain"])
    assert not mentions("Selamat pagi", POLICY.services["street_light"])


def neighbour(number: int = 1, **changes: object) -> Neighbour:
    made = Neighbour(
        id=UUID(int=number),
        ticket=f"T{number}",
        service_code="fallen_tree",
        distance_m=10.0,
        received_at=NOON,
        description="Pohon tumbang menutup jalan raya",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def alike(other: Neighbour, description: str = "Pohon besar tumbang di jalan raya") -> float:
    service = POLICY.services["fallen_tree"]
    return likeness(other, service=service, description=description, received_at=NOON)


def test_nearer_sooner_and_like_worded_is_more_alike() -> None:
    here = alike(neighbour())
    assert here > alike(neighbour(distance_m=60.0)) > alike(neighbour(distance_m=110.0))
    assert here > alike(neighbour(received_at=NOON - timedelta(hours=3)))
    assert here > alike(neighbour(description="lampu jalan padam"))
    assert here > alike(neighbour(service_code="waste"))


def test_beyond_radius_or_window_nothing_is_alike() -> None:
    assert alike(neighbour(distance_m=120.0)) == 0.0
    assert alike(neighbour(received_at=NOON - timedelta(hours=6))) == 0.0
    assert alike(neighbour(received_at=NOON + timedelta(hours=7))) == 0.0


@given(
    st.floats(0, 500),
    st.floats(-400, 400),
    st.sampled_from(("fallen_tree", "waste")),
    st.text(max_size=60) | st.none(),
    st.text(max_size=60),
)
def test_likeness_is_a_share(
    metres: float, hours: float, code: str, text: str | None, own: str
) -> None:
    other = neighbour(
        distance_m=metres,
        received_at=NOON + timedelta(hours=hours),
        service_code=code,
        description=text,
    )
    assert 0.0 <= alike(other, own) <= 1.0


def test_the_list_is_most_alike_first_and_shows_enough_only() -> None:
    unlike = neighbour(4, distance_m=119.0, description="Lampu padam")
    others = [neighbour(3), neighbour(2), neighbour(1, distance_m=40.0), unlike]
    found = similar_to(
        others,
        service=POLICY.services["fallen_tree"],
        description="Pohon tumbang menutup jalan raya",
        received_at=NOON,
    )
    assert [one.ticket for one, _ in found] == ["T2", "T3", "T1"]
    assert all(score >= NEAR_ENOUGH for _, score in found)
