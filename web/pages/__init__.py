"""The pages citizens open: server-rendered, complete without JavaScript."""

from fastapi import APIRouter

from web.pages import city_map, front, home, track

router = APIRouter()
# The home page's pattern takes any first part of an address, so it stands last.
for part in (front, track, city_map, home):
    router.include_router(part.router)
