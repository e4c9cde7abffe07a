"""The messages between server and screens, and the one rule that folds them into a state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import orjson

from realtime import messages
from realtime.frames import Packet
from realtime.messages import Ping, Pong


class BadMessage(ValueError):
    """The client sent something that is not part of the protocol."""


Bbox = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


@dataclass(frozen=True, slots=True)
class Since:
    """Where a client lost the thread."""

    epoch: str
    offset: int


@dataclass(frozen=True, slots=True)
class Subscribe:
    """C→S: tell me of this channel, from `since` on if that is still known."""

    channel: str
    since: Since | None = None
    token: str | None = None
    bbox: Bbox | None = None
    positions: bool = True


@dataclass(frozen=True, slots=True)
class View:
    """C→S: the map shows this box now; None is everything."""

    channel: str
    bbox: Bbox | None


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """C→S: enough of this channel."""

    channel: str


@dataclass(frozen=True, slots=True)
class Durable:
    """S→C: one event of the log. `p` is the previous offset on this channel."""

    o: int
    p: int
    t: str
    k: str
    v: int
    d: Mapping[str, Any]

    def body(self) -> dict[str, Any]:
        """The JSON shape without the channel."""
        return {"o": self.o, "p": self.p, "t": self.t, "k": self.k, "v": self.v, "d": self.d}


@dataclass(frozen=True, slots=True)
class Recovered:
    """S→C: every event missed since the client's offset; `more` when another page follows."""

    epoch: str
    offset: int
    events: tuple[Durable, ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """S→C: the whole state; `offset` was read before it."""

    epoch: str
    offset: int
    state: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Ready:
    """An answer that is written already: what many clients are told alike is written once.

    `then` are events told since, to be sent right after it.
    """

    epoch: str
    offset: int
    packet: Packet
    then: tuple[str, ...] = ()
    more: bool = False


Start = Recovered | Snapshot | Ready

_EXPECTED = "expected {sub: channel}, {view: channel}, {unsub: channel}, {ping: 1} or {pong: 1}"
_SHAPES: tuple[tuple[str, type[msgspec.Struct]], ...] = (
    ("sub", messages.Subscribe),
    ("view", messages.View),
    ("unsub", messages.Unsubscribe),
    ("pong", messages.Pong),
    ("ping", messages.Ping),
)


def decode(text: str | bytes) -> Subscribe | View | Unsubscribe | Ping | Pong:
    """Read a client's message. Raises BadMessage with what is wrong."""
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadMessage("not JSON") from error
    if not isinstance(message, dict):
        raise BadMessage("not an object")
    shape = next((shape for key, shape in _SHAPES if key in message), None)
    if shape is None:
        raise BadMessage(_EXPECTED)
    try:
        found = msgspec.convert(message, shape)
    except msgspec.ValidationError as error:
        raise BadMessage(_fault(str(error))) from error
    match found:
        case messages.Subscribe():
            since = None if found.since is None else Since(found.since.epoch, found.since.offset)
            return Subscribe(found.sub, since, found.token, _box(found.bbox), found.pos)
        case messages.View():
            return View(found.view, _box(found.bbox))
        case messages.Unsubscribe():
            return Unsubscribe(found.unsub)
        case Ping() | Pong():
            return found
        case _:
            raise BadMessage(_EXPECTED)


def _fault(said: str) -> str:
    """The sentence for the first thing that is wrong."""
    for where, sentence in (
        ("$.since", "since must be {epoch, offset}"),
        ("$.token", "token must be text"),
        ("$.bbox", "bbox must be [west, south, east, north] in degrees"),
        ("$.pos", "pos must be true or false"),
    ):
        if where in said:
            return sentence
    return _EXPECTED


def _box(box: Bbox | None) -> Bbox | None:
    if box is not None and box[1] > box[3]:
        raise BadMessage("bbox must be [west, south, east, north]: south is above north")
    return box


_ENCODER = msgspec.json.Encoder()


def _text(message: msgspec.Struct) -> str:
    return _ENCODER.encode(message).decode()


def durable(channel: str, message: Durable) -> str:
    """The text of one event."""
    m = message
    return _text(messages.Durable(channel, m.o, m.p, m.t, m.k, m.v, _dict(m.d)))


def body(message: Durable) -> str:
    """The text of one event as it stands in a page of events, without its channel."""
    return _text(_event(message))


def with_channel(channel: str, body: str) -> str:
    """An event's text on its channel, from its text in a page of events."""
    return f'{{"ch":{_ENCODER.encode(channel).decode()},{body[1:]}'


def recovered_text(
    channel: str, epoch: str, offset: int, bodies: Sequence[str], *, more: bool = False
) -> str:
    """The text of a page of events that are text already."""
    head = _text(messages.Recovered(channel, True, epoch, offset, [], more))
    return head.replace('"events":[]', f'"events":[{",".join(bodies)}]', 1)


def positions(channel: str, frame: Iterable[Iterable[Any]]) -> str:
    """The text of a position frame: [[crew, lon, lat, heading, age_s, …], …]; latest wins."""
    rows: list[Any] = list(frame)
    return _text(messages.Positions(channel, rows))


def answer(channel: str, start: Start) -> str:
    """The text that answers a subscription."""
    if isinstance(start, Ready):
        return start.packet.texts[0]
    if isinstance(start, Recovered):
        events = [_event(event) for event in start.events]
        return _text(
            messages.Recovered(channel, True, start.epoch, start.offset, events, start.more)
        )
    state = {key: _dict(fields) for key, fields in start.state.items()}
    return _text(messages.Snapshot(channel, False, start.epoch, start.offset, state))


def _event(event: Durable) -> messages.Event:
    return messages.Event(event.o, event.p, event.t, event.k, event.v, _dict(event.d))


def _dict(fields: Mapping[str, Any]) -> dict[str, Any]:
    return fields if isinstance(fields, dict) else dict(fields)


def error(channel: str | None, code: str, detail: str) -> str:
    """The text of a refusal."""
    return _text(messages.Error(channel, messages.Fault(code, detail)))


def resync(channel: str) -> str:
    """The text that asks a slow client to subscribe again."""
    return _text(messages.Resync(channel, True))


def pong(number: int) -> str:
    """The text that answers a ping."""
    return _text(Pong(number))


PING = _text(Ping(1))


@dataclass(slots=True)
class Folded:
    """A client's copy of a channel: offset, epoch, and state by key with versions `v`."""

    epoch: str = ""
    offset: int = -1
    state: dict[str, dict[str, Any]] = field(default_factory=dict)

    def start(self, message: Mapping[str, Any]) -> None:
        """Take in the answer to a subscription: a snapshot, or the events missed."""
        if not message["recovered"]:
            self.state = {key: dict(fields) for key, fields in message["state"].items()}
        else:
            for event in message["events"]:
                self._apply(event)
        self.epoch, self.offset = message["epoch"], message["offset"]

    def take(self, message: Mapping[str, Any]) -> bool:
        """Take in one event. False when the thread is lost: subscribe again with `since`."""
        if message["o"] <= self.offset:
            return True
        # `p` may be less than our offset: a snapshot's offset can lie between two of a channel
        if message["p"] > self.offset:
            return False
        self._apply(message)
        self.offset = message["o"]
        return True

    def _apply(self, event: Mapping[str, Any]) -> None:
        known = self.state.get(event["k"], {})
        if event["v"] > known.get("v", 0):
            self.state[event["k"]] = {**known, **event["d"], "v": event["v"]}
