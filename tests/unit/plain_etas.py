"""Times of arrival as the roads and the policy say, without a database to learn from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import create_engine

from dispatch.system.cities import City
from dispatch.system.etas import Etas
from geo import speeds
from geo.foretelling import replay
from geo.trips import Trips


def plain_etas(city: Callable[[], City], now: datetime) -> Etas:
    """What a city has before its first trip."""
    etas = Etas(city, create_engine("sqlite://"))
    m = city().policy.matching
    cold = speeds.cold(turnout_s=m.turnout_s, sigma=m.sigma)
    etas.use(replay(cold, Trips.none(), now.timestamp())[0])
    return etas
