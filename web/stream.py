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
from web import accounts, limits
from web.accounts import Principal
from web.auth import WATCHING, TheSystem, Viewers, check_origin, the_viewers
from web.errors import Problem, is_away, language
from web.logs import FAILURES
from web.sentences import OWN, Language
from web.sockets import PIPE

router = APIRouter()

MAX_MESSAGE = 8 * 1024
MAX_SOCKETS_PER_SESSION = 12
RECHECK_S = 15.0
SIGNED_OUT = "signed_out"
ENDED = "session-ended"
AWAY = "unavailable"
# RFC 6455: 4000-4999 are the application's own; 1001 is "going away", 1009 "message too big", 1013
# (as IANA lists it) "try again later".
CLOSE_CODES = {
    SIGNED_OUT: 4401,
    "too_many": 1008,
    "shutdown": 1001,
    "too_big": 1009,
    "dead": 1001,
    AWAY: 1013,
}


class Sockets:
    """The open sockets of each session, so that whoever ends a session ends them too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, dict[Callable[[str], None], Principal]] = {}

    def add(self, principal: Principal, close: Callable[[str], None]) -> bool:
        """Remember one; False when this session has too many."""
        with self._lock:
            known = self._open.setdefault(principal.session_hash, {})
            if len(known) >= MAX_SOCKETS_PER_SESSION:
                return False
            known[close] = principal
            return True

    def remove(self, principal: Principal, close: Callable[[str], None]) -> None:
        """It closed by itself."""
        with self._lock:
            known = self._open.get(principal.session_hash, {})
            known.pop(close, None)
            if not known:
                self._open.pop(principal.session_hash, None)

    def end(self, session_hash: str) -> None:
        """Close every socket of the session. Callable from any thread."""
        with self._lock:
            closing = list(self._open.get(session_hash, ()))
        for close in closing:
            close(SIGNED_OUT)

    def end_everywhere(self, system: System, session_hash: str) -> None:
        """Close the sockets of the session, here and in every other process."""
        self.end(session_hash)
        system.bus.tell(ENDED, session_hash)

    def known(self) -> dict[str, Principal]:
        """Who has sockets open, by session."""
        with self._lock:
            return {key: next(iter(each.values())) for key, each in self._open.items() if each}

    async def recheck_often(self, system: System) -> None:
        """End the sockets whose session ended elsewhere: in another process, or by time.

        Each session is asked about once, however many sockets it has.
        """
        while True:
            await asyncio.sleep(RECHECK_S)
            known = self.known()
            try:
                ended = await anyio.to_thread.run_sync(accounts.changed, system, known)
            except SQLAlchemyError:
                FAILURES.exception("the sessions could not be checked; they are asked again")
                continue
            for session_hash in ended:
                self.end(session_hash)


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

    async def start(self, channel: str, since: wire.Since | None) -> wire.Start:
        """What the client missed, or everything."""
        return await self._system.relay.start(self._city_id, channel.partition(":")[2], since)


@router.websocket("/ws/{city}")
async def stream(socket: WebSocket, city: str, system: TheSystem) -> None:
    """One screen's socket, from hello to goodbye."""
    try:
        check_origin(socket)
        limits.refuse(socket.app.state.buckets.take("socket", limits.client_of(socket)))
        await anyio.to_thread.run_sync(system.city, city)
        viewers = await anyio.to_thread.run_sync(the_viewers, socket, system)
    except (Problem, NotFound):
        await socket.close(1008)
        return
    except (SQLAlchemyError, TimeoutError) as error:
        _note(error)
        await socket.close(CLOSE_CODES[AWAY])
        return
    gate = Gate(system, city, viewers, language(socket))
    await socket.accept()
    heard = _Heard(socket)
    pipe = socket.scope.get("extensions", {}).get(PIPE, {}).get("pipe")
    session = Session(system.hub, gate, send=socket.send_text, receive=heard.receive, pipe=pipe)
    heard.outbox = session.outbox
    principals = [each for each in (viewers.staff, viewers.crew) if each is not None]
    reason = await _serve(socket, session, principals)
    if reason != "left":
        with suppress(RuntimeError, WebSocketDisconnect):
            await socket.close(CLOSE_CODES.get(reason, 1000), reason)


async def _serve(socket: WebSocket, session: Session, principals: list[Principal]) -> str:
    sockets: Sockets = socket.app.state.sockets
    close = _closer(asyncio.get_running_loop(), session.outbox)
    known: list[Principal] = []
    try:
        for principal in principals:
            if not sockets.add(principal, close):
                return "too_many"
            known.append(principal)
        return await session.run()
    except WebSocketDisconnect:
        return "left"
    except (SQLAlchemyError, TimeoutError) as error:
        _note(error)
        return AWAY
    finally:
        for principal in known:
            sockets.remove(principal, close)


def _note(error: Exception) -> None:
    """One line; raises what is no silence of the database but a mistake of ours."""
    if not is_away(error):
        raise error
    said = str(getattr(error, "orig", None) or error).partition("\n")[0]
    FAILURES.error("the database does not answer; a socket was told to come again: %s", said)


def _closer(loop: asyncio.AbstractEventLoop, outbox: Outbox) -> Callable[[str], None]:
    def close(reason: str) -> None:
        loop.call_soon_threadsafe(outbox.close, reason)

    return close


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
