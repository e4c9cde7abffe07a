"""The shapes of all that travels on a socket; the AsyncAPI document is made from these types."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Channel = Annotated[str, msgspec.Meta(max_length=200, description="city/…, crew/…, agency/…")]
Offset = Annotated[int, msgspec.Meta(ge=-1, description="a place in the city's log; 0 before it")]
Degrees = Annotated[float, msgspec.Meta(ge=-180, le=180)]
Box = Annotated[
    tuple[Degrees, Degrees, Degrees, Degrees],
    msgspec.Meta(description="west, south, east, north in degrees, WGS 84"),
]
Heading = Annotated[int, msgspec.Meta(ge=0, le=360, description="degrees from north, clockwise")]
Age = Annotated[int, msgspec.Meta(ge=0, description="seconds old when it was sent")]
Battery = Annotated[float, msgspec.Meta(ge=0, le=1)]
Mock = Annotated[Literal[0, 1], msgspec.Meta(description="1: an app made the position up")]
Row = Annotated[
    tuple[
        Annotated[str, msgspec.Meta(description="the crew's id")],
        Annotated[Degrees, msgspec.Meta(description="longitude")],
        Annotated[float, msgspec.Meta(ge=-90, le=90, description="latitude")],
        Heading | None,
        Age,
        Battery | None,
        Mock,
    ],
    msgspec.Meta(description="crew, longitude, latitude, heading, age, battery, mock"),
]


class Thread(msgspec.Struct, frozen=True):
    """Where a client lost the thread."""

    epoch: str
    offset: Offset


# --- from the client ----------------------------------------------------------------


class Subscribe(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tell me of this channel: from `since` on if that is still known, else the whole state.

    `token` opens a citizen's channel. Position frames come for `bbox` only (and all of them
    every ten seconds), or never with `pos` false.
    """

    sub: Channel
    since: Thread | None = None
    token: str | None = None
    bbox: Box | None = None
    pos: bool = True


class View(msgspec.Struct, frozen=True, omit_defaults=True):
    """The map shows this box now, or all of it: which positions the channel brings."""

    view: Channel
    bbox: Box | None = None


class Unsubscribe(msgspec.Struct, frozen=True):
    """Enough of this channel."""

    unsub: Channel


class Ping(msgspec.Struct, frozen=True):
    """Are you there? Either side may ask, and is answered with the same number."""

    ping: int


class Pong(msgspec.Struct, frozen=True):
    """Still here."""

    pong: int


# --- from the server ----------------------------------------------------------------


class Event(msgspec.Struct, frozen=True):
    """One event of the log.

    `o` is its offset, `p` the offset before it on this channel, `t` what happened, `k` what it
    happened to, `v` the version of that, `d` the fields that changed.
    """

    o: Offset
    p: Offset
    t: str
    k: str
    v: int
    d: dict[str, Any]


class Durable(msgspec.Struct, frozen=True):
    """One event, live. A `p` beyond your last offset is a gap: subscribe again with `since`."""

    ch: Channel
    o: Offset
    p: Offset
    t: str
    k: str
    v: int
    d: dict[str, Any]


class Recovered(msgspec.Struct, frozen=True, omit_defaults=True):
    """Every event since the client's offset; with `more` the next page follows at once."""

    ch: Channel
    recovered: Literal[True]
    epoch: str
    offset: Offset
    events: list[Event]
    more: bool = False


class Snapshot(msgspec.Struct, frozen=True):
    """The whole state by key, each with its version `v`; the offset was read before the state."""

    ch: Channel
    recovered: Literal[False]
    epoch: str
    offset: Offset
    state: dict[str, dict[str, Any]]


class Positions(msgspec.Struct, frozen=True):
    """Where crews are, once a second: telemetry without an offset, the latest wins."""

    ch: Channel
    pos: list[Row]


class Resync(msgspec.Struct, frozen=True):
    """You were too slow, or the log was restored: subscribe again with `since`."""

    ch: Channel
    resync: Literal[True]


class Fault(msgspec.Struct, frozen=True):
    """A stable code, and a sentence in the client's language."""

    code: str
    detail: str


class Error(msgspec.Struct, frozen=True):
    """The channel is not for you, or the message was none (then `ch` is null)."""

    ch: Channel | None
    error: Fault


FROM_CLIENT: tuple[type[msgspec.Struct], ...] = (Subscribe, View, Unsubscribe, Ping, Pong)
FROM_SERVER: tuple[type[msgspec.Struct], ...] = (
    Durable,
    Recovered,
    Snapshot,
    Positions,
    Resync,
    Error,
    Ping,
    Pong,
)
