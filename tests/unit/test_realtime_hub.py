"""A slow listener loses the thread, is told so, and nobody else suffers for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import orjson
from websockets.frames import Frame as Received
from websockets.protocol import Protocol, Side

from realtime import wire
from realtime.frames import Packet
from realtime.hub import OUTBOX_BYTES, Hub, Outbox
from realtime.positions import Frame, View, inside


def texts(outbox: Outbox) -> list[str]:
    return asyncio.run(outbox.take())


def resyncs(found: list[str]) -> list[str]:
    return [message["ch"] for text in found if (message := orjson.loads(text)).get("resync")]


def test_messages_come_out_in_the_order_they_went_in_and_telemetry_last() -> None:
    outbox = Outbox()
    outbox.put_latest("a", "old frame")
    outbox.put("a", "1")
    outbox.put("b", "2")
    outbox.put_latest("a", "new frame")
    assert texts(outbox) == ["1", "2", "new frame"]


def test_a_box_holds_as_many_as_its_limit() -> None:
    outbox = Outbox(limit=3)
    for number in range(3):
        outbox.put("a", str(number))
    assert texts(outbox) == ["0", "1", "2"]
    assert outbox.overflows == 0


def test_an_overflow_tells_every_channel_that_lost_something() -> None:
    outbox = Outbox(limit=3)
    outbox.put("quiet", "the answer to a subscription")
    for number in range(3):
        outbox.put("busy", str(number))
    found = texts(outbox)
    assert resyncs(found) == ["quiet", "busy"]
    assert len(found) == 2
    assert outbox.overflows == 1


def test_a_channel_without_a_thread_stays_silent_until_it_is_found_again() -> None:
    outbox = Outbox(limit=1)
    outbox.put("a", "1")
    outbox.put("a", "2")
    assert resyncs(texts(outbox)) == ["a"]
    outbox.put("a", "3")
    outbox.put("b", "other")
    assert texts(outbox) == ["other"]
    outbox.resumed("a")
    outbox.put("a", "4")
    assert texts(outbox) == ["4"]


def test_the_box_never_grows_beyond_its_limit_and_its_channels() -> None:
    outbox = Outbox(limit=5)
    for number in range(1000):
        outbox.put(f"ch/{number % 4}", str(number))
    assert len(texts(outbox)) <= 5 + 4


def test_taking_waits_until_there_is_something() -> None:
    async def scene() -> list[str]:
        outbox = Outbox()
        taking = asyncio.create_task(outbox.take())
        await asyncio.sleep(0)
        assert not taking.done()
        outbox.put("a", "1")
        return await taking

    assert asyncio.run(scene()) == ["1"]


def test_closing_wakes_whoever_waits() -> None:
    async def scene() -> tuple[list[str], str | None]:
        outbox = Outbox()
        taking = asyncio.create_task(outbox.take())
        await asyncio.sleep(0)
        outbox.close("shutdown")
        return await taking, outbox.closed

    assert asyncio.run(scene()) == ([], "shutdown")


def test_each_listener_hears_its_channels_and_no_other() -> None:
    hub, one, two = Hub(), Outbox(), Outbox()
    hub.join("k:city/k", one)
    hub.join("k:city/k", two)
    hub.join("k:crew/7", two)
    hub.send("k:city/k", "city/k", ["x"])
    hub.send("k:crew/7", "crew/7", ["y"])
    hub.send("k:crew/8", "crew/8", ["z"])
    hub.send_latest("k:crew/7", "crew/7", "where")
    assert texts(one) == ["x"]
    assert texts(two) == ["x", "y", "where"]
    assert (hub.listeners("k:city/k"), hub.listening("k:crew/8")) == (2, False)


def test_a_channel_nobody_hears_is_forgotten() -> None:
    hub, outbox = Hub(), Outbox()
    hub.join("a", outbox)
    hub.leave("a", outbox)
    hub.leave("a", outbox)
    assert not hub.listening("a")
    assert hub.listeners("a") == 0


def test_one_slow_listener_does_not_slow_the_others() -> None:
    hub, slow, quick = Hub(), Outbox(limit=2), Outbox(limit=100)
    hub.join("a", slow)
    hub.join("a", quick)
    hub.send("a", "a", [str(number) for number in range(50)])
    assert len(texts(quick)) == 50
    assert resyncs(texts(slow)) == ["a"]


def test_a_shutdown_closes_every_listener() -> None:
    hub, outbox = Hub(), Outbox()
    hub.join("a", outbox)
    hub.close_all("shutdown")
    assert outbox.closed == "shutdown"


def test_the_text_of_a_resync_names_its_channel() -> None:
    assert orjson.loads(wire.resync("city/k")) == {"ch": "city/k", "resync": True}


class Socket:
    """A pipe whose client takes as much as the test lets it."""

    def __init__(self) -> None:
        self.flowing = True
        self.written = b""
        self.aborted = False
        self._resume: list[Callable[[], None]] = []

    def write(self, frames: bytes) -> None:
        self.written += frames

    def when_flowing(self, resume: Callable[[], None]) -> None:
        self._resume.append(resume)

    def abort(self) -> None:
        self.aborted = True

    def flow(self) -> None:
        self.flowing = True
        for resume in self._resume:
            resume()

    def heard(self) -> list[str]:
        """What a real client's parser makes of it."""
        parser = Protocol(Side.CLIENT, max_size=None)
        parser.receive_data(self.written)
        frames = [event for event in parser.events_received() if isinstance(event, Received)]
        return [bytes(each.data).decode() for each in frames]


def test_a_flowing_socket_is_written_at_once_and_nothing_waits() -> None:
    hub, socket = Hub(), Socket()
    outbox = Outbox(pipe=socket)
    hub.join("a", outbox)
    long, longer = "ä" * 40_000, "x" * 70_000
    hub.send("a", "a", ["1", "b" * 125, "c" * 126, long, longer])
    assert socket.heard() == ["1", "b" * 125, "c" * 126, long, longer]
    assert outbox.waiting == hub.waiting() == 0


def test_what_waits_for_a_full_socket_comes_first_when_it_flows_again() -> None:
    socket = Socket()
    outbox = Outbox(pipe=socket)
    outbox.put("a", "1")
    socket.flowing = False
    outbox.put("a", "2")
    outbox.put_latest("a", "old frame")
    outbox.put_latest("a", "new frame")
    outbox.put("a", "3")
    assert socket.heard() == ["1"]
    socket.flow()
    assert socket.heard() == ["1", "2", "3", "new frame"]
    outbox.put("a", "4")
    assert socket.heard()[-1] == "4"


def test_a_full_socket_holds_a_bounded_number_of_bytes_and_is_told_to_resync() -> None:
    socket = Socket()
    outbox = Outbox(pipe=socket)
    socket.flowing = False
    for _ in range(20):
        outbox.put("a", "x" * (OUTBOX_BYTES // 8))
    assert outbox.overflows == outbox.counts.overflows == 1
    assert outbox.waiting == 1
    socket.flow()
    assert resyncs(socket.heard()) == ["a"]


def test_a_closed_box_takes_nothing_more() -> None:
    socket = Socket()
    outbox = Outbox(pipe=socket)
    outbox.close("signed_out")
    outbox.put("a", "secret")
    outbox.put_latest("a", "where")
    socket.flow()
    assert socket.heard() == []


ROWS = [
    ["in", 111.50, -7.60, None, 3],
    ["near", 111.555, -7.60, 90, 3],
    ["far", 112.00, -7.60, None, 3],
]
BOX = (111.45, -7.65, 111.55, -7.55)


def frame(*moved: str, whole: bool = False) -> Frame[Packet]:
    return Frame(ROWS, set(moved), whole=whole, pack=lambda text: Packet((text,)))


def told(socket: Socket) -> list[list[str]]:
    return [[row[0] for row in orjson.loads(text)["pos"]] for text in socket.heard()]


def test_each_map_gets_the_crews_that_moved_in_its_box_and_all_at_first() -> None:
    hub, everywhere, here, deaf = Hub(), Socket(), Socket(), Socket()
    hub.join("k:city/k", Outbox(pipe=everywhere), View())
    hub.join("k:city/k", Outbox(pipe=here), View(BOX))
    hub.join("k:city/k", Outbox(pipe=deaf))
    hub.send_positions("k:city/k", "city/k", frame())
    hub.send_positions("k:city/k", "city/k", frame("in", "far"))
    hub.send_positions("k:city/k", "city/k", frame("far"))
    hub.send_positions("k:city/k", "city/k", frame("far", whole=True))
    assert told(everywhere) == [
        ["in", "near", "far"],
        ["in", "far"],
        ["far"],
        ["in", "near", "far"],
    ]
    assert told(here) == [["in", "near"], ["in"], ["in", "near", "far"]]
    assert told(deaf) == []


def test_who_missed_a_frame_gets_every_position_again() -> None:
    hub, socket = Hub(), Socket()
    hub.join("k:city/k", Outbox(pipe=socket), View())
    hub.send_positions("k:city/k", "city/k", frame())
    socket.flowing = False
    hub.send_positions("k:city/k", "city/k", frame("in"))
    hub.send_positions("k:city/k", "city/k", frame("far"))
    socket.flow()
    hub.send_positions("k:city/k", "city/k", frame("near"))
    assert told(socket) == [["in", "near", "far"], ["far"], ["in", "near", "far"]]


def test_a_box_may_lie_across_the_end_of_the_world() -> None:
    assert inside(["x", 179.9, 0.0], (179.0, -1.0, -179.0, 1.0))
    assert inside(["x", -179.9, 0.0], (179.0, -1.0, -179.0, 1.0))
    assert not inside(["x", 170.0, 0.0], (179.0, -1.0, -179.0, 1.0))


def test_a_restored_log_makes_everybody_subscribe_again_once() -> None:
    hub, one, other = Hub(), Outbox(), Outbox()
    hub.join("k:city/k", one)
    hub.join("k:crew/7", one)
    hub.join("z:city/z", other)
    assert hub.resync("k:") == 2
    hub.resync("k:")
    hub.send("k:city/k", "city/k", ["of the new log"])
    assert resyncs(texts(one)) == ["city/k", "crew/7"]
    assert other.waiting == 0
