"""Runs the demo's robots beside a server: `python -m web.robots`, orders as JSON on stdin."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geo.bundle import open_bundle
from web.robots.citizen import Citizens
from web.robots.dispatcher import DispatcherRobot
from web.robots.door import Door
from web.robots.orders import obey, paired
from web.robots.pace import Pace
from web.robots.points import on_a_road


async def play(orders: Mapping[str, Any]) -> None:
    """Play all roles until told to stop."""
    chance = random.Random(orders["seed"])
    pace = Pace()
    bundle = open_bundle(Path(orders["cities"]), orders["city"])
    areas, roads, box = bundle.areas(), bundle.roads(), bundle.manifest.box
    crews = await paired(orders, pace, chance)
    desk = DispatcherRobot(
        Door(orders["base"], orders["city"]), orders["username"], orders["password"], pace
    )
    public = Citizens(
        Door(orders["base"], orders["city"]),
        lambda own: on_a_road(own, box=box, areas=areas, roads=roads),
        pace,
        random.Random(chance.random()),
        mean_gap_s=orders["mean_gap_s"],
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    async with asyncio.TaskGroup() as tasks:
        for crew in crews:
            tasks.create_task(crew.run())
        tasks.create_task(desk.run())
        tasks.create_task(public.run())


if __name__ == "__main__":
    obey(play)
