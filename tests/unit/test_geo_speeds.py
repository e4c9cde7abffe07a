"""Times of arrival that are learned, and how sure they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import orjson
import pytest

from geo import factors, speeds
from geo.conformal import Levels, quantile
from geo.foretelling import replay
from geo.spread import LEVELS, Spread
from geo.tempo import tempo
from geo.trips import BANDS, GROUPS, Trips, band_of
from tests.unit.made_up_trips import HIDDEN, made_up_trips

COLD = speeds.cold(turnout_s=60.0, sigma=0.3)


def few(n: int, *, ratio: float = 2.0, band: int = 2) -> Trips:
    """`n` drives of ten minutes on primary roads that took `ratio` as long as the cold start."""
    drive_s = np.zeros((n, len(GROUPS)))
    drive_s[:, GROUPS.index("primary")] = 600.0
    took = 600.0 * ratio * factors.COLD[GROUPS.index("primary"), band]
    left = np.linspace(0.0, n * 3600.0, n)
    return Trips(
        drive_s, np.full(n, band), np.full(n, took), left, np.full(n, 90.0), ("truck",) * n
    )


def test_the_hour_is_the_suns_and_weekends_do_not_rush() -> None:
    madiun = 111.5  # seven hours ahead
    friday = datetime(2026, 11, 27, 0, 30, tzinfo=UTC)  # 07:30 there
    assert BANDS[band_of(friday, madiun)] == "morning"
    assert BANDS[band_of(friday.replace(hour=9), madiun)] == "afternoon"
    assert BANDS[band_of(friday.replace(hour=17), madiun)] == "night"  # 00:30 on Saturday
    saturday = friday.replace(day=28)
    assert BANDS[band_of(saturday, madiun)] == "day"
    assert BANDS[band_of(friday, -60.0)] == "evening"  # Thursday 20:30 there


def test_a_city_without_trips_is_believed_slower_than_its_map_in_the_rush() -> None:
    drive = np.zeros((1, len(GROUPS)))
    drive[0, GROUPS.index("primary")] = 600.0
    night, rush = (COLD.drive_of(drive, BANDS.index(b))[0] for b in ("night", "afternoon"))
    assert night == 600.0
    assert rush == pytest.approx(600.0 * 1.44)


def test_too_few_trips_teach_nothing_and_more_teach_more() -> None:
    trips = made_up_trips(1500, seed=1)
    assert speeds.fit(trips.only(slice(0, 40)), before=COLD, number=1) is COLD
    assert speeds.fit(trips.only(slice(0, 300)), before=COLD, number=1).stage == 1
    learned = speeds.fit(trips, before=COLD, number=7)
    assert (learned.stage, learned.number) == (2, 7)


def test_what_was_hidden_is_found() -> None:
    learned = speeds.fit(made_up_trips(6000, seed=2), before=COLD, number=1)
    off = np.abs(np.log(learned.factor[1:] / HIDDEN[1:]))
    # the fixed minute of parking is shared between the constant and the factors
    assert float(np.median(off)) < 0.06
    assert 20.0 < learned.extra_s < 90.0


def test_a_band_without_trips_follows_the_city() -> None:
    learned = factors.by_band(few(2000), factors.COLD)
    assert learned[2, 2] / factors.COLD[2, 2] == pytest.approx(2.0, rel=0.01)
    assert learned[2, 0] / factors.COLD[2, 0] == pytest.approx(2.0, rel=0.02)


def test_turnouts_are_learned_by_vehicle_and_shrunk_to_the_policys() -> None:
    some, city = factors.turnouts(few(20), 60.0)
    many, _ = factors.turnouts(few(5000), 60.0)
    assert 60.0 < city < some["truck"] < 90.0
    assert many["truck"] == pytest.approx(90.0, rel=0.01)


def test_nine_in_ten_arrive_within_the_p90_also_when_everything_is_slow() -> None:
    trips = made_up_trips(4000, seed=3, slow_from=3000)
    learned = speeds.fit(trips.only(slice(0, 2000)), before=COLD, number=1)
    after = trips.only(slice(2000, None))
    _, told = replay(learned, after, float(after.ended_at[-1]))
    within = after.actual_s <= told.drive_p90_s
    assert 0.88 <= within[:1000].mean() <= 0.92
    assert within[1000:].mean() >= 0.86
    fixed = learned.drive_of(after.drive_s, after.band)
    still = Spread(learned.rolling.sigma, learned.rolling.short_s)
    p90 = np.array([still.quantile_s(float(each), 0.9) for each in fixed])
    assert (after.actual_s <= p90)[1000:].mean() < 0.8  # what adapts to nothing


def test_one_wild_trip_moves_nothing() -> None:
    trips = made_up_trips(1200, seed=4)
    actual = trips.actual_s.copy()
    actual[::50] *= 3.0
    wild = replace(trips, actual_s=actual).in_order()
    calm = speeds.fit(trips, before=COLD, number=1)
    learned = speeds.fit(wild, before=COLD, number=1)
    moved = np.abs(np.log(learned.factor / calm.factor)).max()
    assert moved < 0.25


def test_a_pause_on_the_way_is_not_believed() -> None:
    trips = few(3)
    paused = replace(trips, actual_s=trips.actual_s * np.array([1.0, 5.0, 0.01]))
    assert len(paused.believable()) == 1


def test_a_calibration_survives_being_stored() -> None:
    learned = speeds.fit(made_up_trips(900, seed=5), before=COLD, number=3)
    again = speeds.read(orjson.loads(orjson.dumps(speeds.document(learned))))
    later = made_up_trips(50, seed=6)
    later = replace(later, left_at=later.left_at + learned.until)
    at = float(later.ended_at[-1])
    first, second = (replay(each, later, at)[0] for each in (learned, again))
    assert first.version == second.version == "eta-3+50"
    assert first.tempo == pytest.approx(second.tempo, abs=1e-3)
    assert first.rolling_scores == pytest.approx(second.rolling_scores, abs=1e-3)


@pytest.mark.parametrize(
    "harm",
    [{"format": 0}, {"factor": [[1.0]]}, {"rolling": None}, {"bands": ["noon"]}, {"recent": [1]}],
)
def test_what_is_no_calibration_is_refused(harm: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="calibration"):
        speeds.read(speeds.document(COLD) | harm)


def test_the_tempo_follows_and_forgets() -> None:
    slow = np.full(30, np.log(1.3))
    ended = np.linspace(0.0, 8_700.0, 30)
    assert tempo(ended, slow, 9_000.0, sigma=0.2) > 0.18
    assert abs(tempo(ended, slow, 9_000.0 + 3 * 86_400.0, sigma=0.2)) < 0.01
    assert tempo(ended[:0], slow[:0], 0.0, sigma=0.2) == 0.0


def test_levels_rise_when_arrivals_are_late_and_never_cross() -> None:
    levels = Levels()
    for _ in range(30):
        levels = levels.after(within_half=False, within_most=False)
    assert levels.half > 0.7
    assert levels.most > 0.99
    assert list(levels.mapped()) == sorted(levels.mapped())


def test_too_few_scores_give_a_cautious_quantile() -> None:
    assert quantile(np.array([0.1]), 0.9) > 1.2
    assert quantile(np.array([]), 0.5) == pytest.approx(0.0)
    assert quantile(np.arange(9.0), 0.9) == 8.0


def test_a_spread_is_a_lognormal_until_it_is_learned() -> None:
    plain = Spread(0.3)
    assert float(plain.p_within(600.0, 600.0)) == pytest.approx(0.5)
    assert plain.quantile_s(600.0, 0.9) == pytest.approx(600.0 * np.exp(0.3 * 1.2815516))
    assert float(plain.p_within(0.0, 600.0)) == 0.0
    skewed = Spread(0.2, 60.0, tuple(np.linspace(-1.0, 3.0, len(LEVELS)).tolist()))
    p90 = skewed.quantile_s(600.0, 0.9)
    assert float(skewed.p_within(p90, 600.0)) == pytest.approx(0.9, abs=1e-6)


@pytest.mark.parametrize("wrong", [{"sigma": 0.0}, {"sigma": 0.2, "scores": (1.0, 2.0)}])
def test_a_spread_of_nothing_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="spread"):
        Spread(**wrong)  # type: ignore[arg-type]
