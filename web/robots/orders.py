"""How robots get their orders: JSON on stdin, which closes when whoever gave them is gone."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import orjson

from web.robots.crew import CrewRobot, Habits
from web.robots.door import Door
from web.robots.pace import Pace


async def paired(
    orders: Mapping[str, Any], pace: Pace, chance: random.Random, *, habits: Habits | None = None
) -> list[CrewRobot]:
    """Give each crew robot its own phone, by one-time codes a dispatcher hands out."""
    base, city = orders["base"], orders["city"]
    desk = Door(base, city)
    await desk.sign_in(orders["username"], orders["password"])
    robots = []
    for crew in orders["crews"]:
        phone = Door(base, city)
        code = await desk.post(f"/crews/{crew['id']}/code")
        await phone.pair(code["code"])
        home = (crew["lon"], crew["lat"])
        own = random.Random(chance.random())
        robots.append(CrewRobot(phone, crew["id"], home, pace, own, habits or Habits()))
    await desk.close()
    return robots


def obey(play: Callable[[Mapping[str, Any]], Awaitable[None]]) -> None:
    """Read the orders and play until done, told to stop, or left alone."""
    logging.basicConfig(level=logging.WARNING, format="robots: %(message)s")
    asyncio.run(_obey(play))


async def _obey(play: Callable[[Mapping[str, Any]], Awaitable[None]]) -> None:
    orders = orjson.loads(_first_line())
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, task.cancel)
    _end_with_parent(loop, task)
    with suppress(asyncio.CancelledError):
        await play(orders)


def _first_line() -> bytes:
    # unbuffered: a reader left waiting on a buffer would hold its lock when Python ends
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(sys.stdin.fileno(), 1)
        if not part:
            break
        line += part
    return line


def _end_with_parent(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    """Stdin closes when the server that gave the orders is gone, however it went."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(task.cancel)

    threading.Thread(target=watch, daemon=True).start()
