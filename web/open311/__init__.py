"""Open311 GeoReport v2: the door for other cities' programs (wiki.open311.org/GeoReport_v2)."""

from fastapi import APIRouter

from web.open311 import requests, sending, services

router = APIRouter(prefix="/open311/v2", tags=["open311"])
for part in (services, sending, requests):
    router.include_router(part.router)
