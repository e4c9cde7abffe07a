"""Citizen robots: reports from everywhere, in waves, with duplicates and pranks among them."""

from __future__ import annotations

import logging
import math
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from web.robots.door import Door, Refused
from web.robots.pace import Pace

logger = logging.getLogger("sigap.robots")

WORDS: Mapping[str, tuple[float, tuple[str, ...]]] = {
    "fallen_tree": (
        3,
        (
            "Pohon besar tumbang menutup jalan, motor tidak bisa lewat.",
            "Dahan pohon roboh menimpa kabel, tolong segera.",
            "Ada pohon tumbang habis angin kencang, menutup satu lajur.",
        ),
    ),
    "street_light": (
        3,
        (
            "Lampu jalan mati sudah tiga hari, gelap sekali.",
            "PJU padam di tikungan, rawan kecelakaan.",
        ),
    ),
    "traffic_light": (2, ("Lampu merah mati, lalu lintas semrawut.", "Bangjo padam semua arah.")),
    "pothole": (2, ("Jalan berlubang dalam, sudah ada yang jatuh.", "Aspal amblas dekat got.")),
    "flood": (2, ("Genangan air setinggi lutut, mobil mogok.", "Banjir, air meluap dari selokan.")),
    "drain": (1, ("Selokan tersumbat sampah, air tidak mengalir.", "Got mampet dan bau.")),
    "water_leak": (1, ("Pipa PDAM bocor, air ke jalan.", "Kebocoran pipa besar di trotoar.")),
    "waste": (2, ("Sampah menumpuk dan bau di pinggir jalan.", "TPS penuh, sampah ke jalan.")),
    "public_order": (1, ("Ada keributan orang mabuk.", "Tawuran kecil di depan toko.")),
    "billboard": (1, ("Baliho roboh menimpa trotoar.",)),
}
PRANKS = ("haha", "TES TES TES TES", "halo?", "ada ufo")
NAMES = ("Siti", "Budi", "Agus", "Dewi", "Rina", "Joko", "Wati", "Hendra")


@dataclass(slots=True)
class Citizens:
    """Reports with a mean gap that swings, so that a queue forms and clears again.

    Seconds of the server's clock; `somewhere` gives a point on a road, (lon, lat) degrees.
    """

    door: Door
    somewhere: Callable[[random.Random], tuple[float, float]]
    pace: Pace
    chance: random.Random
    mean_gap_s: float = 60.0
    swing: float = 0.6
    wave_s: float = 1500.0
    burst: int = 5
    prank_share: float = 0.1
    again_share: float = 0.12
    sent: deque[tuple[str, tuple[float, float]]] = field(default_factory=lambda: deque(maxlen=6))

    async def run(self) -> None:
        """Report for ever."""
        for _ in range(self.burst):
            await self._try_to_report()
            await self.pace.sleep(self.chance.uniform(1.0, 4.0))
        begun = self.pace.now()
        while True:
            phase = (self.pace.now() - begun).total_seconds() / self.wave_s * 2 * math.pi
            rate = (1.0 + self.swing * math.sin(phase)) / self.mean_gap_s
            await self.pace.sleep(self.chance.expovariate(rate))
            await self._try_to_report()

    async def _try_to_report(self) -> None:
        try:
            await self.report()
        except Refused as refused:
            logger.info("a report was refused: %s", refused)

    async def report(self) -> None:
        """Send one report through the public door."""
        mood = self.chance.random()
        if mood < self.prank_share:
            await self._send("other", self.chance.choice(PRANKS), self.somewhere(self.chance), True)
        elif mood < self.prank_share + self.again_share and self.sent:
            code, (lon, lat) = self.chance.choice(self.sent)
            near = (lon + self.chance.gauss(0, 1.5e-4), lat + self.chance.gauss(0, 1e-4))
            await self._send(code, self.chance.choice(WORDS[code][1]), near, False)
        else:
            codes = sorted(WORDS)
            code = self.chance.choices(codes, [WORDS[c][0] for c in codes])[0]
            place = self.somewhere(self.chance)
            await self._send(code, self.chance.choice(WORDS[code][1]), place, False)
            self.sent.append((code, place))

    async def _send(
        self, service_code: str, text: str, place: tuple[float, float], prank: bool
    ) -> None:
        body: dict[str, Any] = {
            "service_code": service_code,
            "description": text,
            "lon": round(place[0], 6),
            "lat": round(place[1], 6),
            "accuracy_m": self.chance.choice((8, 12, 20, 35)),
            "channel": self.chance.choice(("web", "web", "android")),
            "anonymous": prank or self.chance.random() < 0.2,
        }
        if not body["anonymous"]:
            name = self.chance.choice(NAMES)
            body["reporter"] = {"name": name, "phone": f"0812{self.chance.randrange(10**7):07d}"}
        await self.door.post("/reports", body)
