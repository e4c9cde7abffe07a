"""One process publishes each city's log to the other hosts, after the commit and in order."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from dispatch.core.log import Entry, Line, in_full, line_of
from dispatch.system.log import StoredLog
from realtime.nats_bus import Feed, FeedLost, Published

logger = logging.getLogger("sigap.publishing")

POLL_S = 1.0
RETRY_S = 1.0
BATCH = 200


class Publisher:
    """A thread of its own, elected for each city; the feed refuses whoever lost the election."""

    def __init__(
        self,
        feed: Feed,
        log: StoredLog,
        cities: Sequence[str],
        *,
        lead: Callable[[str], bool],
    ) -> None:
        self._feed, self._log, self._cities, self._lead = feed, log, tuple(cities), lead
        self._last: dict[str, tuple[str, int]] = {}
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """A log grew; callable from any thread."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the lines at hand and end."""
        self._stopped.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10.0)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._wake.wait(POLL_S)
            self._wake.clear()
            for city_id in self._cities:
                try:
                    self.turn(city_id)
                except FeedLost as lost:
                    # the hosts read the log themselves meanwhile
                    self._last.pop(city_id, None)
                    logger.info("%s is not published for now: %s", city_id, lost)
                except (SQLAlchemyError, OSError):
                    self._last.pop(city_id, None)
                    logger.exception("%s will be published later", city_id)
                    self._stopped.wait(RETRY_S)

    def turn(self, city_id: str) -> None:
        """Publish what the city's log has more than the feed. Raises FeedLost."""
        if not self._feed.flows() or not self._lead(city_id):
            self._last.pop(city_id, None)
            return
        epoch, head = self._log.head(city_id)
        last = self._last.get(city_id)
        if last is None or last[0] != epoch:
            last = self._begin(city_id, epoch, head)
        while not self._stopped.is_set():
            entries = self._log.after(city_id, last[1], BATCH)
            if not entries:
                return
            lines = [published(city_id, epoch, entry) for entry in entries]
            self._feed.publish(lines)
            last = self._last[city_id] = (epoch, lines[-1].offset)

    def _begin(self, city_id: str, epoch: str, head: int) -> tuple[str, int]:
        """Where the publisher before us ended, else the log's end: hosts read what was before."""
        kept = self._feed.last(city_id)
        found = kept if kept is not None and kept[0] == epoch and kept[1] <= head else (epoch, head)
        self._last[city_id] = found
        return found


class _Body(msgspec.Struct, array_like=True):
    type: str
    key: str
    version: int
    channels: tuple[str, ...]
    changes: dict[str, object] | None


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Body)


def published(city_id: str, epoch: str, entry: Entry) -> Published:
    """The entry for other hosts, without what citizens wrote: that never leaves the database."""
    line = line_of(entry)
    withheld = entry.event.kind == "report" and in_full(entry)
    changes = None if withheld else dict(entry.changes)
    body = _Body(line.type, line.key, line.version, line.channels, changes)
    return Published(city_id, epoch, entry.offset, _ENCODER.encode(body))


def read_line(sent: Published) -> Line:
    """The line as another host published it. Raises msgspec.DecodeError."""
    body = _DECODER.decode(sent.body)
    return Line(sent.offset, body.type, body.key, body.version, body.changes, body.channels)
