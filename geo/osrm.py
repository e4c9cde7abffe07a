"""The city's roads behind an OSRM server, for more requests than one process holds."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from geo.network import (
    SNAP_M,
    Nearby,
    Reached,
    RoadNetwork,
    RoadsUnavailable,
    Route,
    Segment,
    SegmentKey,
    Snap,
    check_factors,
)
from geo.osrm_answers import BadAnswer, driven, durations, nearest
from geo.osrm_speeds import Reload, ReloadFailed, speed_lines, write_speeds
from geo.point import Point
from geo.reach import ReachGraph, reachable
from geo.roadarrays import RoadArrays
from geo.roadclasses import access_of
from geo.roadgraph import REACH_M
from geo.roadmap import RoadMap
from geo.roadstate import RoadState

logger = logging.getLogger("sigap.roads")

TIMEOUT_S = 5.0
RETRY_S = 10.0
"""A server that was away is left alone so long before it is asked again."""

_AT_ONCE = 500
_LEAST_AT_ONCE = 10
_NO_WAY = ("NoRoute", "NoTable", "NoSegment")


class OsrmNetwork:
    """`RoadNetwork` over HTTP; safe for many threads.

    Places are moved onto the roads here, by the city's own arrays, so that closures, snapping and
    what lies around a place are the same as with the embedded engine; the server finds the ways.
    It must have been made from the same extract, for segments are named by OSM nodes.

    The embedded engine stands in (when there is one) while the server is away, while it has not
    taken the newest closures, and for vehicles that cannot use every road: a server has one
    profile.
    """

    def __init__(
        self,
        url: str,
        arrays: RoadArrays,
        *,
        version: str,
        speeds: Path,
        reload: Reload | None = None,
        embedded: Callable[[], RoadNetwork] | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """`speeds` is the segment-speed file that is kept up to date; `reload` has it taken."""
        self.arrays = arrays
        self._url = url.rstrip("/")
        self._client = httpx.Client(timeout=timeout_s)
        self._map, self._reach = RoadMap(arrays), ReachGraph(arrays)
        self._version, self._changes = version, 0
        self._factors: dict[SegmentKey, float | None] = {}
        self._factor = np.ones(len(arrays.piece_ms))
        self._access = access_of(arrays)
        self._barred = self._access.edges[self._map.layout.piece_edge]
        self._spots = self._map.spots_without(self._barred)
        self._speeds, self._reload = speeds, reload
        self._is_behind = True
        """Whether the server may drive by other speeds than ours: what it has now, nobody knows."""
        self._at_once = _AT_ONCE
        self._away_until = 0.0
        self._open_embedded = embedded
        self._embedded: RoadNetwork | None = None
        self._opening, self._updating = threading.Lock(), threading.Lock()

    @property
    def version(self) -> str:
        """The version of the map, and how often its roads were changed since it was opened."""
        return f"{self._version}+{self._changes}" if self._changes else self._version

    def snap(self, p: Point, *, max_m: float = SNAP_M) -> Snap | None:
        """The nearest open road position within `max_m` metres."""
        return self._map.snap(p, max_m=max_m, closed=self._closed, spots=self._spots)

    @property
    def _closed(self) -> NDArray[np.bool_]:
        """The pieces that no car may drive now."""
        closed: NDArray[np.bool_] = np.isnan(self._factor) | self._barred
        return closed

    def nearest(self, p: Point) -> tuple[Point, SegmentKey]:
        """Where the server itself sees the nearest road, and between which OSM nodes.

        Raises RoadsUnavailable.
        """
        try:
            return nearest(self._asked("nearest", [p], number="1"))
        except BadAnswer as e:
            raise self._away(e) from e

    def serves_this_map(self) -> bool:
        """Does the server know the roads by the same nodes? Raises RoadsUnavailable."""
        middle = self._map.place(int(self.arrays.tail[self.arrays.edge_count // 2]))
        _, (u, v) = self.nearest(middle)
        return bool(np.isin([u, v], self.arrays.node_osm_id).any())

    def travel_times(
        self, sources: Sequence[Point], targets: Sequence[Point]
    ) -> NDArray[np.float64]:
        """Seconds by road, shape (len(sources), len(targets)); inf = cannot be reached.

        Raises RoadsUnavailable when the server is away and nothing stands in.
        """
        try:
            return self._table(sources, targets)
        except (RoadsUnavailable, BadAnswer) as e:
            return self._stand_in(e).travel_times(sources, targets)

    def route(self, a: Point, b: Point) -> Route | None:
        """The fastest drive, whose duration is the travel time of the same pair to the second.

        Raises RoadsUnavailable when the server is away and nothing stands in.
        """
        try:
            return self._route(a, b)
        except (RoadsUnavailable, BadAnswer) as e:
            return self._stand_in(e).route(a, b)

    def reachable(self, place: Point, limits_s: Sequence[float]) -> list[Reached]:
        """The areas within each limit of a drive from the place, in the order of the limits.

        By the city's own arrays: an OSRM server knows no areas.
        """
        state = RoadState(self._map.layout, np.where(self._barred, np.nan, self._factor))
        spot = self._spots.nearest([place], max_m=REACH_M, closed=state.closed)[0]
        stands = state.stands(spot) if spot else []
        return reachable(self._map, self._reach, state, stands, limits_s)

    def update(self, segments: Mapping[SegmentKey, float | None]) -> frozenset[SegmentKey]:
        """Set speed factors; None closes, 1.0 restores. Returns the keys no road has.

        Writes the segment-speed file and waits until the server has taken it. Raises ValueError,
        changing nothing, for a factor that is not a positive number.
        """
        check_factors(segments)
        pieces = {key: self._map.pieces(key) for key in segments}
        with self._updating:
            factor = self._factor.copy()
            for key, value in segments.items():
                factor[pieces[key]] = np.nan if value is None else value
                self._factors[key] = value
                if value == 1.0:
                    del self._factors[key]
            if not np.array_equal(factor, self._factor, equal_nan=True):
                self._factor = factor
                if self._embedded is not None:
                    self._embedded.update(segments)
                self._publish()
                self._changes += 1
        return frozenset(key for key, found in pieces.items() if not len(found))

    def nearest_segments(self, p: Point, *, within_m: float) -> list[Segment]:
        """Open and closed segments around the place, nearest first."""
        return self._map.around(p, within_m=within_m, factor=self._factor)

    def segments_along(self, line: Sequence[Point], *, within_m: float) -> list[Segment]:
        """Open and closed segments that run with the line, at most so far beside it."""
        return self._map.along(line, within_m=within_m, factor=self._factor)

    def roads_near(
        self, places: Sequence[tuple[float, float]], *, within_m: float
    ) -> list[list[Nearby]]:
        """For each place (lon, lat) the stretches of road within reach, for many at once."""
        return self._spots.roads_near(places, within_m=within_m)

    def for_vehicle(self, avoids: AbstractSet[str]) -> RoadNetwork:
        """The embedded engine's view for a vehicle that cannot use every road."""
        if access_of(self.arrays, avoids).same(self._access):
            return self
        return self.embedded().for_vehicle(avoids)

    def embedded(self) -> RoadNetwork:
        """The embedded engine on the same roads; raises RoadsUnavailable where there is none."""
        with self._opening:
            if self._embedded is None:
                if self._open_embedded is None:
                    raise RoadsUnavailable("There is no embedded road engine to stand in.")
                opened = self._open_embedded()
                with self._updating:
                    opened.update(self._factors)
                    self._embedded = opened
            return self._embedded

    def close(self) -> None:
        """Hang up on the server."""
        self._client.close()

    # --- the server ----------------------------------------------------------

    def _publish(self) -> None:
        """Write our speeds down and have the server take them."""
        is_new = write_speeds(self._speeds, speed_lines(self._factors, self._map))
        if not is_new and not self._is_behind:
            return
        if self._reload is None:
            self._is_behind = bool(self._factors)
            return
        try:
            self._reload(self._speeds)
            self._is_behind = False
        except (OSError, ReloadFailed) as e:
            self._is_behind = True
            logger.error("OSRM at %s has not taken the closures: %s", self._url, e)

    def _catch_up(self) -> None:
        """Once in a while try again what the server could not take; raises RoadsUnavailable."""
        if not self._is_behind:
            return
        if time.monotonic() >= self._away_until and self._updating.acquire(blocking=False):
            try:
                self._publish()
                is_right = not self._is_behind
            finally:
                self._updating.release()
            if is_right:
                return
            self._away_until = time.monotonic() + RETRY_S
        raise RoadsUnavailable("The road server has not taken the newest closures yet.")

    def _table(self, sources: Sequence[Point], targets: Sequence[Point]) -> NDArray[np.float64]:
        spots = self._spots.nearest([*sources, *targets], max_m=REACH_M, closed=self._closed)
        here = [(i, spot.point) for i, spot in enumerate(spots[: len(sources)]) if spot]
        there = [(j, spot.point) for j, spot in enumerate(spots[len(sources) :]) if spot]
        seconds = np.full((len(sources), len(targets)), np.inf)
        step = self._at_once
        i = 0
        while i < len(here):
            j = 0
            rows = here[i : i + step]
            while j < len(there):
                columns = there[j : j + step]
                block = self._block([p for _, p in rows], [p for _, p in columns])
                if block is None:
                    # the server's --max-table-size is smaller: ask for less, from here on
                    step = self._at_once = step // 2
                    rows = here[i : i + step]
                    j = 0
                    continue
                seconds[np.ix_([n for n, _ in rows], [n for n, _ in columns])] = block
                j += len(columns)
            i += len(rows)
        return seconds

    def _block(
        self, sources: Sequence[Point], targets: Sequence[Point]
    ) -> NDArray[np.float64] | None:
        """Seconds of one request, None when it is too big for the server."""
        first = ";".join(str(i) for i in range(len(sources)))
        then = ";".join(str(len(sources) + j) for j in range(len(targets)))
        answer = self._asked("table", [*sources, *targets], sources=first, destinations=then)
        shape = (len(sources), len(targets))
        if answer["code"] == "TooBig":
            if max(shape) <= _LEAST_AT_ONCE:
                raise BadAnswer("the server answers no tables; start it with --max-table-size 1000")
            return None
        return (
            np.full(shape, np.inf) if answer["code"] in _NO_WAY else durations(answer, shape=shape)
        )

    def _route(self, a: Point, b: Point) -> Route | None:
        spots = self._spots.nearest([a, b], max_m=REACH_M, closed=self._closed)
        if spots[0] is None or spots[1] is None:
            return None
        answer = self._asked(
            "route",
            [spots[0].point, spots[1].point],
            steps="true",
            geometries="geojson",
            overview="full",
            annotations="nodes",
        )
        if answer["code"] in _NO_WAY:
            return None
        route, segments = driven(answer)
        if any(self._factors.get(key, 1.0) is None for key in segments[1:-1]):
            raise BadAnswer("a route through a closed road: the server has older speeds")
        return route

    def _asked(self, service: str, places: Sequence[Point], **wanted: str) -> dict[str, Any]:
        self._catch_up()
        if time.monotonic() < self._away_until:
            raise RoadsUnavailable("The road server was away a moment ago.")
        along = ";".join(f"{p.lon:.6f},{p.lat:.6f}" for p in places)
        try:
            answer = self._client.get(f"{self._url}/{service}/v1/driving/{along}", params=wanted)
            told = answer.json()
        except (httpx.HTTPError, ValueError) as e:
            raise self._away(e) from e
        code = told.get("code") if isinstance(told, dict) else None
        if code not in ("Ok", "TooBig", *_NO_WAY):
            raise self._away(BadAnswer(f"HTTP {answer.status_code}, {code}"))
        return dict(told)

    def _away(self, error: Exception) -> RoadsUnavailable:
        self._away_until = time.monotonic() + RETRY_S
        said = str(error) or type(error).__name__
        logger.error("OSRM at %s does not answer: %s", self._url, said)
        return RoadsUnavailable(
            f"The road server at {self._url} does not answer ({said}); start osrm-routed, or unset "
            "SIGAP_ROADS to use the embedded engine."
        )

    def _stand_in(self, error: Exception) -> RoadNetwork:
        """The embedded engine; raises the error's sentence where there is none."""
        if self._open_embedded is None:
            if isinstance(error, RoadsUnavailable):
                raise error
            raise RoadsUnavailable(f"The road server at {self._url}: {error}.") from error
        return self.embedded()
