"""What the roads answer the dispatcher: how long each crew drives to each incident."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from dispatch.core.policy import Vehicle
from dispatch.core.road_times import RoadTimes
from dispatch.dispatcher import Question
from dispatch.system.cities import City
from geo.network import RoadNetwork
from geo.point import Point

MOTORBIKE = frozenset({"no_motorbikes"})
"""What a vehicle avoids that goes wherever some vehicle may go."""


def road_seconds(city: City, asked: Question) -> RoadTimes:
    """Road seconds from each crew to each incident, infinite where no road leads.

    A crew is asked about the roads that its vehicle can use.
    """
    if not asked.crews or not asked.incidents:
        return RoadTimes([], [], np.zeros((0, 0)))
    crew_ids = [crew_id for crew_id, _, _ in asked.crews]
    incident_ids = [incident_id for incident_id, _, _ in asked.incidents]
    here = [Point(lon, lat) for _, lon, lat in asked.crews]
    there = [Point(lon, lat) for _, lon, lat in asked.incidents]
    seconds = city.roads.travel_times(here, there)
    barred: set[tuple[UUID, UUID]] = set()
    for vehicle in {each.kind: each for each in asked.vehicles.values()}.values():
        rows = [j for j, crew in enumerate(crew_ids) if asked.vehicles.get(crew) == vehicle]
        own = vehicle_seconds(city, vehicle, [here[j] for j in rows], there)
        shut = np.argwhere(np.isinf(own) & np.isfinite(seconds[rows])).tolist()
        barred |= {(crew_ids[rows[k]], incident_ids[i]) for k, i in shut}
        seconds[rows] = own
    return RoadTimes(crew_ids, incident_ids, seconds, barred=barred)


def vehicle_seconds(
    city: City, vehicle: Vehicle, here: Sequence[Point], there: Sequence[Point]
) -> NDArray[np.float64]:
    """Road seconds for a vehicle that cannot use every road, shape (here, there).

    Infinite also for a place that it comes no nearer to than its `reach_m`, while a car or a
    motorbike does.
    """
    roads = roads_of(city, vehicle)
    seconds = roads.travel_times(here, there)
    if any(roads is not others for others in roads_of_all(city)):
        out_of_reach = [not _reaches(city, vehicle, place) for place in there]
        seconds[:, out_of_reach] = np.inf
    return seconds


def seconds_between(
    city: City, vehicle: Vehicle | None, here: Sequence[Point], there: Sequence[Point]
) -> NDArray[np.float64]:
    """Road seconds for this vehicle, or for one that can use every road; shape (here, there)."""
    if vehicle is None:
        return city.roads.travel_times(here, there)
    return vehicle_seconds(city, vehicle, here, there)


def roads_of(city: City, vehicle: Vehicle | None) -> RoadNetwork:
    """The roads that this vehicle can use; all of them for one that no table names."""
    return city.roads.for_vehicle(frozenset(vehicle.avoids)) if vehicle else city.roads


def _reaches(city: City, vehicle: Vehicle, place: Point) -> bool:
    if roads_of(city, vehicle).snap(place, max_m=vehicle.reach_m) is not None:
        return True
    return all(roads.snap(place, max_m=vehicle.reach_m) is None for roads in roads_of_all(city))


def roads_of_all(city: City) -> list[RoadNetwork]:
    """The roads of cars, and of motorbikes where they differ: what neither can use nobody can.

    Raises RoadsUnavailable where nobody can be asked about motorbikes.
    """
    ridden = city.roads.for_vehicle(MOTORBIKE)
    return [city.roads] if ridden is city.roads else [city.roads, ridden]
