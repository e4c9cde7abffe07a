"""The socket every screen listens on: who may hear which channel, and for how long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

import anyio.to_thread
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from sqlalchemy.exc import SQLAlchemyError

from dispatch.core.errors import NotFound
from dispatch.system import System
from realtime import wire
from realtime.hub import Outbox
from realtime.session import Refused, Session
from web import limits
from web.auth import WATCHING, TheSystem, Viewers, check_origin, the_viewers
from web.errors import Problem, language
from web.logs import FAILURES
from web.sentences import OWN, Language

router = APIRouter()

MAX_MESSAGE = 8 * 1024
MAX_SOCKETS_PER_SESSION = 12
RECHECK_S = 15.0
SIGNED_OUT = "signed_out"
# RFC 6455: 4000-4999 are the application's own; 1001 is "going away", 1009 "message too big".
CLOSE_CODES = {SIGNED_OUT: 4401, "too_many": 1008, "shutdown": 1001, "too_big": 1009}


class Sockets:
    """The open sockets of each session, so that whoever ends a session ends them too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, set[Callable[[str], None]]] = {}

    def add(self, session_hash: str, close: Callable[[str], None]) -> bool:
        """Remember one; False when this session has too many."""
        with self._lock:
            known = self._open.setdefault(session_hash, set())
            if len(known) >= MAX_SOCKETS_PER_SESSION:
                return False
            known.add(close)
            return True

    def remove(self, session_hash: str, close: Callable[[str], None]) -> None:
        """It closed by itself."""
        with self._lock:
            known = self._open.get(session_hash, set())
            known.discard(close)
            if not known:
                self._open.pop(session_hash, None)

    def end(self, session_hash: str, reason: str = SIGNED_OUT) -> int:
        """Close every socket of the session; returns how many. Callable from any thread."""
        with self._lock:
            closing = list(self._open.get(session_hash, ()))
        for close in closing:
            close(reason)
        return len(closing)


class Gate:
    """Decides for one socket which channels it may hear."""

    def __init__(self, system: System, city_id: str, viewers: Viewers, spoken: Language) -> None:
        self._system, self._city_id = system, city_id
        self._viewers, self._language = viewers, spoken

    async def allow(self, channel: str, token: str | None) -> str:
        """The hub's name of the channel. Raises Refused, the same for forbidden and not there."""
        if not await anyio.to_thread.run_sync(self._may, channel, token):
            code = "forbidden" if self._viewers.anyone or token else "not_signed_in"
            raise Refused(code, OWN[code].say(self._language))
        return self._system.hub_name(self._city_id, channel)

    def _may(self, channel: str, token: str | None) -> bool:
        kind, _, name = channel.partition("/")
        if kind == "city":
            return name == self._city_id and self._is(*WATCHING)
        if kind == "crew":
            return self._may_crew(name)
        if kind == "agency":
            return self._may_agency(name)
        if kind == "report":
            return self._may_report(name, token)
        return False

    def _is(self, *roles: str) -> bool:
        return self._viewers.having(*roles, city_id=self._city_id) is not None

    def _may_crew(self, name: str) -> bool:
        own = self._viewers.having("crew", city_id=self._city_id)
        if own is not None and name == str(own.crew_id):
            return True
        with suppress(ValueError):
            return self._is(*WATCHING) and self._system.has_crew(self._city_id, UUID(name))
        return False

    def _may_agency(self, name: str) -> bool:
        officer = self._viewers.having("officer", city_id=self._city_id)
        if officer is not None and officer.agency_id == name:
            return True
        known = self._system.city(self._city_id).policy.agencies
        return name in known and self._is(*WATCHING)

    def _may_report(self, ticket: str, token: str | None) -> bool:
        if token is not None:
            return self._system.holds_token(self._city_id, ticket, token)
        return self._is(*WATCHING) and self._system.has_ticket(self._city_id, ticket)

    async def start(self, channel: str, since: wire.Since | None) -> wire.Recovered | wire.Snapshot:
        """What the client missed, or everything."""
        name = channel.partition(":")[2]
        return await anyio.to_thread.run_sync(self._system.relay.start, self._city_id, name, since)


@router.websocket("/ws/{city}")
async def stream(socket: WebSocket, city: str, system: TheSystem) -> None:
    """One screen's socket, from hello to goodbye."""
    try:
        check_origin(socket)
        limits.refuse(socket.app.state.buckets.take("socket", limits.client_of(socket)))
        await anyio.to_thread.run_sync(system.city, city)
    except (Problem, NotFound):
        await socket.close(1008)
        return
    viewers = await anyio.to_thread.run_sync(the_viewers, socket, system)
    gate = Gate(system, city, viewers, language(socket))
    await socket.accept()
    heard = _Heard(socket)
    session = Session(system.hub, gate, send=socket.send_text, receive=heard.receive)
    heard.outbox = session.outbox
    sessions = [p.session_hash for p in (viewers.staff, viewers.crew) if p is not None]
    reason = await _serve(socket, session, sessions, viewers)
    if reason != "left":
        with suppress(RuntimeError, WebSocketDisconnect):
            await socket.close(CLOSE_CODES.get(reason, 1000), reason)


async def _serve(socket: WebSocket, session: Session, sessions: list[str], viewers: Viewers) -> str:
    sockets: Sockets = socket.app.state.sockets
    close = _closer(asyncio.get_running_loop(), session.outbox)
    known: list[str] = []
    watch = asyncio.create_task(_recheck(socket, session.outbox, viewers))
    try:
        for session_hash in sessions:
            if not sockets.add(session_hash, close):
                return "too_many"
            known.append(session_hash)
        return await session.run()
    except WebSocketDisconnect:
        return "left"
    finally:
        watch.cancel()
        for session_hash in known:
            sockets.remove(session_hash, close)


def _closer(loop: asyncio.AbstractEventLoop, outbox: Outbox) -> Callable[[str], None]:
    def close(reason: str) -> None:
        loop.call_soon_threadsafe(outbox.close, reason)

    return close


async def _recheck(socket: WebSocket, outbox: Outbox, viewers: Viewers) -> None:
    """End the socket when a session of it ended elsewhere: in another process, or by time."""
    while viewers.anyone is not None:
        await asyncio.sleep(RECHECK_S)
        system: System = socket.app.state.system
        try:
            present = await anyio.to_thread.run_sync(the_viewers, socket, system)
        except SQLAlchemyError:
            FAILURES.exception("a session could not be checked; it is asked again")
            continue
        if present != viewers:
            outbox.close(SIGNED_OUT)
            return


class _Heard:
    """What the client says; a message longer than any of the protocol ends the socket."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self.outbox: Outbox | None = None

    async def receive(self) -> str | None:
        """The next text, None when the client left or had to go."""
        try:
            text = await self._socket.receive_text()
        except (WebSocketDisconnect, KeyError):
            return None
        if len(text) <= MAX_MESSAGE:
            return text
        if self.outbox is not None:
            self.outbox.close("too_big")
        return None
