"""The figures that judge us, against cases reckoned by hand."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dispatch
from dispatch import actions
from dispatch.core import events as ev
from dispatch.core.evaluation import DEFINITIONS, Case, cases, figure, grouped, percentile, summary
from dispatch.core.events import Actor, Event
from dispatch.core.incidents import Incident
from dispatch.core.policy import parse_policy
from dispatch.simulator.memory import MemoryWorld

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ALWAYS = {"since": NOON - timedelta(days=1), "until": NOON + timedelta(days=9)}
CITIZEN, DESK, CREW = Actor("citizen"), Actor("dispatcher", "d"), Actor("crew", "c")
TARGET_S = 1200.0


@dataclass
class Story:
    """A city in memory whose clock is told with every step, in seconds after noon."""

    world: MemoryWorld = field(
        default_factory=lambda: MemoryWorld(
            "kota",
            parse_policy(
                tomllib.loads(
                    Path(dispatch.__file__).with_name("policy.toml").read_text(encoding="utf-8")
                )
            ),
        )
    )

    def crew(self) -> UUID:
        fact = ev.CrewRegistered("R", "R", "bpbd", ("chainsaw",), "truck", 3, 111.5, -7.6)
        crew = actions.register_crew(self.world, NOON, DESK, fact)
        actions.set_crew_status(self.world, NOON, DESK, crew.id, status="available")
        return crew.id

    def incident(self, at: float = 0, **changes: object) -> Incident:
        wish = {
            "channel": "web",
            "service_code": "fallen_tree",
            "description": "Pohon tumbang",
            "lon": 111.5,
            "lat": -7.6,
            "district": "Kartoharjo",
        }
        new = actions.NewReport(**{**wish, **changes})  # type: ignore[arg-type]
        report = actions.receive_report(self.world, self.at(at), CITIZEN, new)
        return actions.verify_report(self.world, self.at(at), DESK, report.id)

    def send(self, at: float, incident: Incident, crew_id: UUID) -> UUID:
        return actions.send_crew(self.world, self.at(at), DESK, incident.id, crew_id=crew_id).id

    def acknowledge(self, at: float, assignment_id: UUID) -> None:
        actions.acknowledge(self.world, self.at(at), CREW, assignment_id)

    def leave(self, at: float, assignment_id: UUID) -> None:
        actions.en_route(self.world, self.at(at), CREW, assignment_id)

    def arrive(self, at: float, assignment_id: UUID) -> None:
        actions.on_scene(self.world, self.at(at), CREW, assignment_id)

    def clear(self, at: float, assignment_id: UUID) -> None:
        actions.clear(self.world, self.at(at), CREW, assignment_id, disposition_code="05")

    def at(self, seconds: float) -> datetime:
        return NOON + timedelta(seconds=seconds)

    def events(self) -> list[Event]:
        return [entry.event for entry in self.world.log]

    def cases(self) -> list[Case]:
        return cases(self.events(), **ALWAYS)

    def only(self) -> dict[str, float | None]:
        [case] = self.cases()
        return dict(case.intervals)


def nothing(**known: float) -> dict[str, float | None]:
    return dict.fromkeys(DEFINITIONS) | known


def test_a_plain_case_is_as_reckoned_by_hand() -> None:
    story = Story()
    incident = story.incident(at=0)
    job = story.send(90, incident, story.crew())
    story.acknowledge(100, job)
    story.leave(150, job)
    story.arrive(600, job)
    story.clear(1500, job)
    assert story.only() == {
        "processing": 90.0,
        "turnout": 60.0,
        "travel": 450.0,
        "total_response": 600.0,
        "on_scene": 900.0,
        "commitment": 1410.0,
    }


def test_a_case_nobody_went_to_is_there_and_missing_everywhere() -> None:
    story = Story()
    story.incident()
    assert story.only() == nothing()
    found = summary(story.cases(), target_s=TARGET_S)
    assert {name: (one.n, one.missing) for name, one in found.items()} == dict.fromkeys(
        DEFINITIONS, (0, 1)
    )
    assert found["total_response"].within_target is None, "no share of nothing"


def test_a_crew_that_never_said_it_left_leaves_two_times_missing() -> None:
    story = Story()
    job = story.send(60, story.incident(), story.crew())
    story.acknowledge(70, job)
    story.arrive(400, job)
    assert story.only() == nothing(processing=60.0, total_response=400.0)


def test_declined_and_expired_offers_count_as_processing_and_not_as_travel() -> None:
    story = Story()
    one, two, three = story.crew(), story.crew(), story.crew()
    incident = story.incident()
    first = story.send(30, incident, one)
    actions.decline(story.world, story.at(40), CREW, first, reason="vehicle")
    second = story.send(45, incident, two)
    actions.expire_offer(story.world, story.at(200), second)
    third = story.send(210, incident, three)
    story.acknowledge(220, third)
    story.leave(240, third)
    story.arrive(700, third)
    story.clear(800, third)
    assert story.only() == {
        "processing": 30.0,
        "turnout": 30.0,
        "travel": 460.0,
        "total_response": 700.0,
        "on_scene": 100.0,
        "commitment": 590.0,
    }


def test_of_several_crews_the_one_there_first_gives_the_figures() -> None:
    story = Story()
    slow, quick = story.crew(), story.crew()
    incident = story.incident()
    # both are sent in the same second: only their own names tell them apart
    one, two = story.send(60, incident, slow), story.send(60, incident, quick)
    for job, left in ((one, 70), (two, 100)):
        story.acknowledge(65, job)
        story.leave(left, job)
    story.arrive(500, two)
    story.arrive(900, one)
    story.clear(1000, one)
    story.clear(1300, two)
    assert story.only() == {
        "processing": 60.0,
        "turnout": 40.0,
        "travel": 400.0,
        "total_response": 500.0,
        "on_scene": 800.0,
        "commitment": 1240.0,
    }


def test_a_reopened_case_keeps_the_first_arrival() -> None:
    story = Story()
    incident, crew = story.incident(), story.crew()
    for begun in (0, 4000):
        job = story.send(begun + 60, incident, crew)
        story.acknowledge(begun + 70, job)
        story.leave(begun + 80, job)
        story.arrive(begun + 500, job)
        story.clear(begun + 900, job)
        before = story.only()
        if not begun:
            actions.reopen_incident(
                story.world, story.at(3000), DESK, incident.id, reason="masih rusak"
            )
            assert story.only() == before
    assert story.only()["total_response"] == 500.0
    assert len(story.cases()) == 1


def test_a_cancelled_case_is_no_case() -> None:
    story = Story()
    kept, gone = story.incident(), story.incident(at=10)
    actions.cancel_incident(story.world, story.at(20), DESK, gone.id, reason="tidak perlu")
    assert [case.incident_id for case in story.cases()] == [kept.id]


def test_the_clock_starts_with_the_first_word_not_with_the_record() -> None:
    story = Story()
    heard = NOON - timedelta(seconds=300)
    job = story.send(60, story.incident(channel="call_112", received_at=heard), story.crew())
    story.acknowledge(61, job)
    story.arrive(400, job)
    assert story.only()["processing"] == 360.0
    assert story.only()["total_response"] == 700.0


def test_a_span_begins_at_its_first_moment_and_ends_before_its_last() -> None:
    story = Story()
    for at in (0, 100, 200):
        story.incident(at=at)
    found = cases(story.events(), since=story.at(100), until=story.at(200))
    assert len(found) == 1
    assert cases([], since=story.at(0), until=story.at(1)) == []


def test_a_log_read_twice_or_by_another_reader_gives_the_same_figures() -> None:
    story = played(7, incidents=12)
    told = story.events()
    assert cases(told, **ALWAYS) == cases(list(told), **ALWAYS) == cases(iter(told), **ALWAYS)
    by_kind = [event for event in told if event.kind in ("incident", "assignment")]
    assert cases(by_kind, **ALWAYS) == cases(told, **ALWAYS)


def played(seed: int, *, incidents: int) -> Story:
    """Some cases, each as far as chance took it."""
    chance, story = random.Random(seed), Story()
    for number in range(incidents):
        begun = number * 100.0
        incident = story.incident(
            begun,
            service_code=chance.choice(("fallen_tree", "flood", "waste")),
            district=chance.choice(("Kartoharjo", "Taman", None)),
            channel=chance.choice(("web", "android", "call_112")),
        )
        steps = chance.randrange(6)
        job = story.send(begun + 30, incident, story.crew()) if steps else None
        if job is None:
            continue
        moment = begun + 40
        for step in (story.acknowledge, story.leave, story.arrive, story.clear)[: steps - 1]:
            moment += chance.uniform(1, 900)
            step(moment, job)
    return story


@settings(max_examples=25)
@given(st.integers(0, 500), st.sampled_from(("service", "district", "channel", "priority")))
def test_groups_add_up_to_the_whole(seed: int, by: str) -> None:
    found = played(seed, incidents=8).cases()
    whole = summary(found, target_s=TARGET_S)
    groups = grouped(found, by, target_s=TARGET_S)
    assert len({group["key"] for group in groups}) == len(groups)
    for name in DEFINITIONS:
        assert sum(group[name].n for group in groups) == whole[name].n
        assert sum(group[name].missing for group in groups) == whole[name].missing
        assert whole[name].n + whole[name].missing == len(found)
    counted = sum(
        (group["total_response"].within_target or 0) * group["total_response"].n for group in groups
    )
    share, n = whole["total_response"].within_target, whole["total_response"].n
    assert counted == pytest.approx((share or 0) * n)
    sizes = [group["processing"].n + group["processing"].missing for group in groups]
    assert sizes == sorted(sizes, reverse=True)


def test_an_unknown_grouping_is_an_error() -> None:
    with pytest.raises(KeyError):
        grouped(one_case().cases(), "weather", target_s=TARGET_S)


def one_case() -> Story:
    story = Story()
    story.incident()
    return story


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=50),
    st.sampled_from((0.0, 0.1, 0.5, 0.9, 0.99, 1.0)),
)
def test_percentiles_are_numpys(values: Sequence[float], q: float) -> None:
    assert percentile(values, q) == pytest.approx(float(np.percentile(values, 100 * q)))


@given(st.lists(st.none() | st.floats(0, 5000), max_size=30))
def test_a_figure_hides_nothing(values: list[float | None]) -> None:
    one = figure(values, target_s=TARGET_S)
    known = [value for value in values if value is not None]
    assert (one.n, one.missing) == (len(known), len(values) - len(known))
    if not known:
        assert (one.p50_s, one.p90_s, one.mean_s, one.max_s, one.within_target) == (None,) * 5
        return
    assert one.p50_s is not None
    assert one.p90_s is not None
    assert min(known) <= one.p50_s <= one.p90_s <= max(known) == one.max_s
    assert one.mean_s == pytest.approx(float(np.mean(known)))
    assert one.within_target == sum(value <= TARGET_S for value in known) / len(known)


def test_twenty_minutes_sharp_are_within_twenty_minutes() -> None:
    assert figure([1200.0], target_s=TARGET_S).within_target == 1.0
    assert figure([1200.1], target_s=TARGET_S).within_target == 0.0
    assert figure([5.0]).within_target is None
