"""The messages between server and screens, and the one rule that folds them into a state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson


class BadMessage(ValueError):
    """The client sent something that is not part of the protocol."""


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


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """C→S: enough of this channel."""

    channel: str


@dataclass(frozen=True, slots=True)
class Pong:
    """C→S: still here."""


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
    """S→C: every event missed since the client's offset."""

    epoch: str
    offset: int
    events: tuple[Durable, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """S→C: the whole state; `offset` was read before it."""

    epoch: str
    offset: int
    state: Mapping[str, Mapping[str, Any]]


def decode(text: str | bytes) -> Subscribe | Unsubscribe | Pong:
    """Read a client's message. Raises BadMessage with what is wrong."""
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadMessage("not JSON") from error
    if not isinstance(message, dict):
        raise BadMessage("not an object")
    if "pong" in message:
        return Pong()
    if isinstance(message.get("unsub"), str):
        return Unsubscribe(message["unsub"])
    channel, token = message.get("sub"), message.get("token")
    if not isinstance(channel, str) or len(channel) > 200:
        raise BadMessage("expected {sub: channel}, {unsub: channel} or {pong: 1}")
    if token is not None and not isinstance(token, str):
        raise BadMessage("token must be text")
    return Subscribe(channel, _since(message.get("since")), token)


def _since(value: Any) -> Since | None:
    if value is None:
        return None
    if (
        not isinstance(value, dict)
        or not isinstance(value.get("epoch"), str)
        or type(value.get("offset")) is not int  # true and false are integers too
    ):
        raise BadMessage("since must be {epoch, offset}")
    return Since(value["epoch"], value["offset"])


def _text(body: Mapping[str, Any]) -> str:
    return orjson.dumps(body, option=orjson.OPT_UTC_Z).decode()


def durable(channel: str, message: Durable) -> str:
    """The text of one event."""
    return _text({"ch": channel, **message.body()})


def positions(channel: str, frame: Iterable[Iterable[Any]]) -> str:
    """The text of a position frame: [[crew, lon, lat, heading, age_s], …]; latest wins."""
    return _text({"ch": channel, "pos": [list(row) for row in frame]})


def answer(channel: str, start: Recovered | Snapshot) -> str:
    """The text that answers a subscription."""
    if isinstance(start, Recovered):
        events = [event.body() for event in start.events]
        head = {"recovered": True, "epoch": start.epoch, "offset": start.offset, "events": events}
        return _text({"ch": channel, **head})
    head = {"recovered": False, "epoch": start.epoch, "offset": start.offset}
    return _text({"ch": channel, **head, "state": start.state})


def error(channel: str | None, code: str, detail: str) -> str:
    """The text of a refusal."""
    return _text({"ch": channel, "error": {"code": code, "detail": detail}})


def resync(channel: str) -> str:
    """The text that asks a slow client to subscribe again."""
    return _text({"ch": channel, "resync": True})


PING = '{"ping":1}'


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
