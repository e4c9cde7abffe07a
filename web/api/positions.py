"""Where the crews are now, how sure that is, and how long ago they said so."""

from __future__ import annotations

from fastapi import APIRouter, Response

from dispatch.storage.documents import fix_view
from web import shapes
from web.api.deeds import json, moment
from web.auth import TheCity, TheSystem, Watcher

router = APIRouter(prefix="/api/{city}", tags=["positions"])


@router.get("/positions", responses=shapes.answers(shapes.Positions))
def positions(city: TheCity, who: Watcher, system: TheSystem) -> Response:
    """The newest position of each crew that ever sent one, by crew id."""
    now = system.clock()
    newest = sorted(system.newest_fixes(city.id), key=lambda fix: fix.crew_id)
    views = [fix_view(fix, now, city.policy) for fix in newest]
    return json({"at": moment(now), "positions": views})
