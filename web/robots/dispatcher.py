"""A dispatcher robot: verifies, joins and archives what nobody else looked at for a while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from web.robots.door import Door, Listener, Refused, SignedOut
from web.robots.pace import Pace

logger = logging.getLogger("sigap.robots")

WAITING = ("received", "under_verification")


@dataclass(slots=True)
class DispatcherRobot:
    """Decides about a report `patience_s` after it came, so that a person may be faster."""

    door: Door
    username: str
    password: str
    pace: Pace
    patience_s: float = 20.0
    prank_below: float = 0.75
    join_above: float = 0.62
    done: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Work until the server goes for good."""
        await self.door.sign_in(self.username, self.password)
        async with self.door.listen(f"city/{self.door.city}") as listener:
            while not listener.signed_out:
                await listener.changed(within_s=max(0.1, 2.0 / self.pace.speed))
                for key, report in list(listener.state.items()):
                    if key.startswith("report/") and self._ripe(report):
                        await self._decide(report, listener)

    def _ripe(self, report: Mapping[str, Any]) -> bool:
        if report["status"] != "under_verification" or report["id"] in self.done:
            return False
        age = self.pace.now() - datetime.fromisoformat(report["received_at"])
        return age.total_seconds() >= self.patience_s

    async def _decide(self, report: Mapping[str, Any], listener: Listener) -> None:
        self.done.add(report["id"])
        path = f"/reports/{report['id']}"
        try:
            if report["lon"] is None:
                reason = "Lokasi belum jelas, mohon kirim pin."
                await self.door.post(path + "/postpone", {"reason": reason})
                return
            known = self._known_incident(report, listener)
            if known is not None:
                await self.door.post(path + "/join", {"incident_id": known})
            elif report["triage"]["p_genuine"] < self.prank_below:
                reason = "Tidak dapat diverifikasi, diduga laporan iseng."
                await self.door.post(path + "/archive", {"reason": reason})
            else:
                await self.door.post(path + "/verify", {})
        except Refused as refused:
            logger.debug("%s: %s", report["ticket"], refused)
            if refused.status >= 500:
                self.done.discard(report["id"])
        except SignedOut:
            self.done.discard(report["id"])
            await asyncio.sleep(1.0)
            await self.door.sign_in(self.username, self.password)

    def _known_incident(self, report: Mapping[str, Any], listener: Listener) -> str | None:
        for similar in report["triage"]["similar"]:
            other = listener.state.get(f"report/{similar['report_id']}")
            if other is None or similar["score"] < self.join_above or not other["incident_id"]:
                continue
            incident = listener.state.get(f"incident/{other['incident_id']}")
            if incident and incident["status"] in ("pending", "dispatched", "on_scene"):
                found: str = other["incident_id"]
                return found
        return None
