"""The search engine under the road network: customizable contraction hierarchies of RoutingKit."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import routingkit_cch as cch
from numpy.typing import NDArray

from geo.roadarrays import Ints, RoadArrays
from geo.roadstate import Ends, RoadState

# Beyond this share of changed weights a full customisation is faster than a partial one.
_PARTIAL_SHARE = 0.05


class RoadEngineError(RuntimeError):
    """The routing library refused a request; the roads themselves are unharmed."""


def compute_order(arrays: RoadArrays) -> NDArray[np.uint32]:
    """The contraction order of the edges: topology only, so it is computed once and kept."""
    lat = (arrays.lat[arrays.tail] + arrays.lat[arrays.head]) / 2
    lon = (arrays.lon[arrays.tail] + arrays.lon[arrays.head]) / 2
    with no_panic():
        order = cch.compute_order_inertial(
            arrays.edge_count,
            arrays.turn_from.tolist(),
            arrays.turn_to.tolist(),
            lat.tolist(),
            lon.tolist(),
        )
    return np.array(order, dtype=np.uint32)


@contextmanager
def no_panic() -> Iterator[None]:
    """Turn the library's panics, which are no Exceptions, into a RoadEngineError."""
    try:
        yield
    except BaseException as e:
        # The class cannot be imported: it exists only inside the extension module.
        if type(e).__name__ != "PanicException":
            raise
        raise RoadEngineError(f"The routing library stopped: {e}") from e


def _contracted(arrays: RoadArrays, order: Ints | NDArray[np.uint32]) -> cch.CCH:
    with no_panic():
        return cch.CCH(
            order.tolist(),
            arrays.turn_from.tolist(),
            arrays.turn_to.tolist(),
            # Arcs that are closed now must be able to open again.
            False,
        )


@dataclass(slots=True)
class _Side:
    """One of the two metrics, with the state it stands for."""

    metric: cch.CCHMetric
    state: RoadState
    readers: int = 0
    behind: dict[int, int] = field(default_factory=dict)
    """Weights that the other side has and this one lacks."""


class RoadEngine:
    """Many readers, one updater.

    The library panics when a metric changes while a query on it lives. So there are two: readers
    use the live one, an update changes the idle one after its last reader has left, then swaps.
    """

    def __init__(
        self,
        arrays: RoadArrays,
        order: Ints | NDArray[np.uint32],
        state: RoadState,
        *,
        beside: "RoadEngine | None" = None,
    ):
        """`beside` is an engine of the same arrays and order: they share what never changes."""
        self.order = order
        self._cch: cch.CCH = beside._cch if beside else _contracted(arrays, order)
        self._live = _Side(self._customised(state), state)
        self._idle: _Side | None = None
        self._changing = threading.Lock()
        self._turnstile = threading.Condition()

    @property
    def state(self) -> RoadState:
        return self._live.state

    @contextmanager
    def reading(self) -> Iterator["Search"]:
        """A search on the roads as they are now; it must not outlive the block."""
        with self._turnstile:
            side = self._live
            side.readers += 1
        search = Search(side.metric, side.state)
        try:
            with no_panic():
                yield search
        finally:
            search.close()
            with self._turnstile:
                side.readers -= 1
                self._turnstile.notify_all()

    def change(self, state: RoadState, turns: Ints) -> None:
        """Go over to `state`, which differs in the weights of `turns`."""
        changed = dict(zip(turns.tolist(), state.turn_weights(turns).tolist(), strict=True))
        with self._changing:
            side = self._ready_idle(state, changed)
            with self._turnstile:
                self._idle, self._live = self._live, side
                self._idle.behind = self._idle.behind | changed

    def _ready_idle(self, state: RoadState, changed: dict[int, int]) -> _Side:
        if self._idle is None:
            return _Side(self._customised(state), state)
        side: _Side = self._idle
        with self._turnstile:
            self._turnstile.wait_for(lambda: side.readers == 0)
        try:
            with no_panic():
                self._bring_up(side.metric, side.behind | changed, state)
        except RoadEngineError:
            # A query outlived its block (a traceback kept it): leave it the old metric.
            side = _Side(self._customised(state), state)
        side.state = state
        side.behind = {}
        return side

    def _bring_up(self, metric: cch.CCHMetric, behind: dict[int, int], state: RoadState) -> None:
        if len(behind) > _PARTIAL_SHARE * len(state.layout.arrays.turn_to):
            metric.reset(state.turn_weights().tolist())
        elif behind:
            cch.CCHMetricPartialUpdater(self._cch).apply(metric, behind)

    def _customised(self, state: RoadState) -> cch.CCHMetric:
        with no_panic():
            return cch.CCHMetric(self._cch, state.turn_weights().tolist())


class Search:
    """Questions to one metric; used by one thread, within one `reading` block."""

    def __init__(self, metric: cch.CCHMetric, state: RoadState) -> None:
        self.state = state
        self._metric: cch.CCHMetric | None = metric

    def close(self) -> None:
        """Let go of the metric."""
        self._metric = None

    def to_each(self, edges: Sequence[int], ends: Sequence[Ends]) -> NDArray[np.float64]:
        """Milliseconds from the end of each edge to each of the `ends`.

        Shape (len(ends), len(edges)), nan = unreachable; neither `edges` nor an item may be empty.
        """
        query = cch.CCHManyToOne(self._open_metric, list(edges))
        rows = [query.distances_to_multi(list(end)) for end in ends]
        return np.array(rows, dtype=np.float64)

    def from_each(self, starts: Sequence[Ends], edges: Sequence[int]) -> NDArray[np.float64]:
        """Milliseconds from each of the `starts` to the end of each edge.

        Shape (len(starts), len(edges)), nan = unreachable; neither `edges` nor an item may be
        empty.
        """
        query = cch.CCHOneToMany(self._open_metric, list(edges))
        rows = [query.distances_from_multi(list(start)) for start in starts]
        return np.array(rows, dtype=np.float64)

    def path(self, starts: Ends, ends: Ends) -> tuple[int, list[int]] | None:
        """(milliseconds, edges driven to their end) of the fastest drive, None = unreachable."""
        result = cch.CCHQuery(self._open_metric).run_multi(list(starts), list(ends))
        if result.distance is None:
            return None
        return result.distance, result.node_path

    @property
    def _open_metric(self) -> cch.CCHMetric:
        if self._metric is None:
            raise RoadEngineError("This search has ended; ask the network again.")
        return self._metric
