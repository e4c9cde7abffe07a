"""The bus between hosts: NATS wakes, and its JetStream carries each city's log as it grows."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import DeliverPolicy, DiscardPolicy, Header, StorageType, StreamConfig
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError

from realtime.bus import ANY_CITY, GROWN, Listener, Listeners, Stop, check_told

logger = logging.getLogger("realtime.bus")

RETRY_S = 0.5
PING_S = 2
ASK_S = 2.0
KEPT_S = 300.0
KEPT_LINES = 20_000
"""So much of a log is kept for hosts that were away for a moment; who missed more reads the log."""
_UNREACHABLE = (NatsError, JetStreamError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Published:
    """One line of a city's log on its way to other hosts."""

    city_id: str
    epoch: str
    offset: int
    body: bytes

    @property
    def message_id(self) -> str:
        """By this JetStream drops a line that is published twice."""
        return f"{self.city_id}.{self.epoch}.{self.offset}"


class Feed(Protocol):
    """Carries the lines of each log to everybody; what it loses is read from the log."""

    def flows(self) -> bool:
        """Whether lines can be expected to arrive."""

    def last(self, city_id: str) -> tuple[str, int] | None:
        """Epoch and offset of the newest line published, None when nothing is kept.

        Raises FeedLost.
        """

    def publish(self, lines: list[Published]) -> None:
        """Publish lines of one city that follow the newest. Raises FeedLost: ask `last` again."""

    def follow(self, city_id: str, take: Callable[[Published], None]) -> Stop:
        """Call `take` for each line from now on, in a thread of the feed's."""


class FeedLost(Exception):
    """Nothing can be published now, or another publishes."""


class NatsBus:
    """Satisfies `Bus` and `Feed`; the client lives in an event loop and thread of its own.

    The path of the URL, if any, is the first word of all subjects: several installations may
    share one server.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._prefix = parts.path.strip("/") or "sigap"
        self._server = parts._replace(path="").geturl()
        self._me = secrets.token_hex(4)
        self._listeners = Listeners()
        self._followed: dict[str, list[Callable[[Published], None]]] = {}
        self._subscribed: set[str] = set()
        self._grown_here: set[str] = set()
        self._next: dict[str, int] = {}
        self._client: Client | None = None
        self._connected = threading.Event()
        self._closed = threading.Event()
        self._start_lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="bus-nats", daemon=True)

    # --- the bus --------------------------------------------------------------------

    def announce(self, city_id: str) -> None:
        if self._closed.is_set():
            return
        self._start()
        self._listeners.call(GROWN, city_id)
        self._grown_here.add(city_id)
        self._post(self._say_grown)

    def watch(self, listener: Listener) -> Stop:
        self._start()
        return self._listeners.add(GROWN, listener)

    def tell(self, topic: str, text: str) -> None:
        told = check_told(text)
        self._start()
        self._post(lambda: self._say(f"told.{topic}", told))

    def hear(self, topic: str, listener: Listener) -> Stop:
        self._start()
        return self._listeners.add(f"told {topic}", listener)

    def reachable(self) -> bool:
        return self._connected.is_set()

    def close(self) -> None:
        self._closed.set()
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=5.0)
        self._connected.clear()
        self._listeners.clear()
        if not self._loop.is_closed():
            self._loop.close()

    # --- the feed ---------------------------------------------------------------------

    def flows(self) -> bool:
        return self._connected.is_set()

    def last(self, city_id: str) -> tuple[str, int] | None:
        found: tuple[str, int] | None = self._ask(self._last(city_id))
        return found

    def publish(self, lines: list[Published]) -> None:
        self._ask(self._publish(lines))

    def follow(self, city_id: str, take: Callable[[Published], None]) -> Stop:
        self._start()
        takers = self._followed.setdefault(city_id, [])
        takers.append(take)
        self._loop.call_soon_threadsafe(self._wake_up)

        def stop() -> None:
            with suppress(ValueError):
                takers.remove(take)

        return stop

    # --- the client's own thread --------------------------------------------------------

    def _start(self) -> None:
        """At the first use: who only builds a system needs no connection."""
        with self._start_lock:
            if not self._thread.is_alive() and not self._closed.is_set():
                self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._stir = asyncio.Event()
        self._loop.create_task(self._keep_connected())
        self._loop.run_forever()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.wait(left, timeout=2 * ASK_S))

    def _wake_up(self) -> None:
        self._stir.set()

    async def _keep_connected(self) -> None:
        while True:
            try:
                await self._serve()
            except _UNREACHABLE as error:
                logger.warning("NATS does not answer and is tried again: %s", error)
            finally:
                self._connected.clear()
            await asyncio.sleep(RETRY_S)

    async def _serve(self) -> None:
        """One connection from its beginning to its end; a new one subscribes anew."""
        ended = asyncio.Event()

        async def gone() -> None:
            self._connected.clear()
            ended.set()
            self._stir.set()

        async def failed(error: Exception) -> None:
            logger.info("NATS: %s", error)

        client = await nats.connect(
            self._server,
            name=f"sigap-{self._me}",
            allow_reconnect=False,
            connect_timeout=ASK_S,
            ping_interval=PING_S,
            max_outstanding_pings=2,
            error_cb=failed,
            closed_cb=gone,
            disconnected_cb=gone,
        )
        self._client = client
        self._stream_of = client.jetstream(timeout=ASK_S)
        try:
            await client.subscribe(f"{self._prefix}.{GROWN}", cb=self._grown)
            await client.subscribe(f"{self._prefix}.told.*", cb=self._told)
            self._subscribed.clear()
            self._next.clear()
            await self._subscribe_logs()
            self._connected.set()
            await self._say_grown()
            # what was announced before this moment was not heard
            self._listeners.call(GROWN, ANY_CITY)
            while not ended.is_set():
                await self._stir.wait()
                self._stir.clear()
                if not ended.is_set():
                    await self._subscribe_logs()
        finally:
            self._client = None
            self._connected.clear()
            with suppress(*_UNREACHABLE):
                await asyncio.wait_for(client.close(), 2.0)

    async def _grown(self, message: Msg) -> None:
        sender, _, city_id = message.data.decode().partition(" ")
        if sender != self._me:
            self._listeners.call(GROWN, city_id)

    async def _told(self, message: Msg) -> None:
        sender, _, text = message.data.decode().partition(" ")
        if sender != self._me:
            topic = message.subject.rpartition(".")[2]
            self._listeners.call(f"told {topic}", text)

    def _post(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Let the client's loop do it, soon."""
        if not self._closed.is_set():
            self._loop.call_soon_threadsafe(lambda: self._loop.create_task(work()))

    async def _say(self, subject: str, body: bytes) -> None:
        client = self._client
        if client is not None and client.is_connected:
            with suppress(*_UNREACHABLE):
                await client.publish(f"{self._prefix}.{subject}", f"{self._me} ".encode() + body)

    async def _say_grown(self) -> None:
        """What cannot be said now is said when NATS is back."""
        while self._grown_here and self._connected.is_set():
            await self._say(GROWN, self._grown_here.pop().encode())

    def _ask(self, question: Coroutine[Any, Any, Any]) -> Any:
        """Let the client's loop do it and wait. Raises FeedLost."""
        if self._client is None or self._closed.is_set():
            question.close()
            raise FeedLost("NATS does not answer.")
        asked: Future[Any] = asyncio.run_coroutine_threadsafe(question, self._loop)
        try:
            return asked.result(timeout=4 * ASK_S)
        except _UNREACHABLE as error:
            asked.cancel()
            raise FeedLost(str(error) or type(error).__name__) from error

    # --- JetStream ------------------------------------------------------------------------

    def _stream(self, city_id: str) -> tuple[str, str]:
        return f"{self._prefix}-log-{city_id}", f"{self._prefix}.log.{city_id}"

    def _jetstream(self) -> JetStreamContext:
        if self._client is None:
            raise OSError("NATS does not answer")
        return self._stream_of

    async def _have_stream(self, city_id: str) -> tuple[str, str]:
        """In memory on purpose: the log is in the database, this only carries it."""
        name, subject = self._stream(city_id)
        wanted = StreamConfig(
            name=name,
            subjects=[subject],
            storage=StorageType.MEMORY,
            discard=DiscardPolicy.OLD,
            max_age=KEPT_S,
            max_msgs=KEPT_LINES,
            duplicate_window=KEPT_S,
        )
        await self._jetstream().add_stream(wanted)
        return name, subject

    async def _subscribe_logs(self) -> None:
        for city_id in list(self._followed):
            if city_id not in self._subscribed:
                _, subject = await self._have_stream(city_id)
                await self._jetstream().subscribe(
                    subject,
                    cb=self._take,
                    ordered_consumer=True,
                    deliver_policy=DeliverPolicy.LAST,
                )
                self._subscribed.add(city_id)

    async def _take(self, message: Msg) -> None:
        city_id = message.subject.rpartition(".")[2]
        headers = message.headers or {}
        _, epoch, offset = headers[Header.MSG_ID].rsplit(".", 2)
        line = Published(city_id, epoch, int(offset), message.data)
        for take in list(self._followed.get(city_id, ())):
            take(line)

    async def _last(self, city_id: str) -> tuple[str, int] | None:
        name, subject = await self._have_stream(city_id)
        stream = self._jetstream()
        try:
            found = await stream.get_last_msg(name, subject)
        except NotFoundError:
            info = await stream.stream_info(name)
            self._next[city_id] = info.state.last_seq
            return None
        self._next[city_id] = found.seq or 0
        _, epoch, offset = (found.headers or {})[Header.MSG_ID].rsplit(".", 2)
        return epoch, int(offset)

    async def _publish(self, lines: list[Published]) -> None:
        """Each line names the sequence it expects before it: only one publisher can go on."""
        stream, answers = self._jetstream(), []
        try:
            for line in lines:
                before = self._next[line.city_id]
                headers = {
                    Header.MSG_ID: line.message_id,
                    Header.EXPECTED_LAST_SEQUENCE: str(before),
                }
                _, subject = self._stream(line.city_id)
                answers.append(await stream.publish_async(subject, line.body, headers=headers))
                self._next[line.city_id] = before + 1
            async with asyncio.timeout(2 * ASK_S):
                for said in await asyncio.gather(*answers, return_exceptions=True):
                    if isinstance(said, BaseException):
                        raise said
                    if said.duplicate:
                        raise OSError("a line was published before")
        except KeyError:
            raise OSError("ask for the last line first") from None
        except BaseException:
            # what arrived and what did not is told by the stream alone
            for line in lines:
                self._next.pop(line.city_id, None)
            raise
