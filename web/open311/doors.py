"""What every Open311 door shares: whose city it is, and how it refuses."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from dispatch.core.errors import SigapError
from dispatch.system import City, System
from web import errors
from web.errors import Problem
from web.open311.format import Format, faults
from web.sentences import Sentence

Ending = Literal["xml", "json"]
Jurisdiction = Annotated[str, Query(max_length=100)]


class Open311Route(APIRoute):
    """Refuses in the protocol's own shape: a list of code and description, XML or JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def spoken(request: Request) -> Response:
            language = errors.language(request)
            try:
                return await handle(request)
            except SigapError as error:
                status = 404 if error.code == "not_found" else 400
                words = errors.sentence_of(error, language)
                return faults(kind_of(request), status, [words])
            except RequestValidationError as error:
                named = sorted({str(found["loc"][-1]) for found in error.errors()})
                return faults(kind_of(request), 400, [f"{name} is not valid" for name in named])
            except HTTPException as error:
                words = error.say(language) if isinstance(error, Problem) else str(error.detail)
                response = faults(kind_of(request), error.status_code, [words])
                response.headers.update(error.headers or {})
                return response

        return spoken


def kind_of(request: Request) -> Format:
    """The format that the address ends with."""
    return "json" if request.url.path.endswith(".json") else "xml"


def jurisdiction(system: System, jurisdiction_id: str) -> City:
    """The jurisdiction; a server of one city needs none named."""
    cities = system.cities()
    if not jurisdiction_id:
        if len(cities) == 1:
            return cities[0]
        raise Problem(400, "jurisdiction_missing", sentence=SAY["jurisdiction_missing"])
    wanted = jurisdiction_id.strip().lower()
    for city in cities:
        if wanted in (city.id, city.name.lower()):
            return city
    raise Problem(404, "jurisdiction_unknown", sentence=SAY["jurisdiction_unknown"])


SAY = {
    "jurisdiction_missing": Sentence(
        "jurisdiction_id was not provided: name the city.",
        "jurisdiction_id belum diisi: sebutkan kotanya.",
    ),
    "jurisdiction_unknown": Sentence(
        "jurisdiction_id was not found: no such city is served here.",
        "jurisdiction_id tidak ditemukan: kota itu tidak dilayani di sini.",
    ),
    "service_unknown": Sentence(
        "service_code was not found: ask for /services for the known ones.",
        "service_code tidak ditemukan: lihat /services untuk yang dikenal.",
    ),
    "request_unknown": Sentence(
        "service_request_id was not found.", "service_request_id tidak ditemukan."
    ),
    "key_wrong": Sentence(
        "api_key was not provided or is not valid: ask the city for one.",
        "api_key belum diisi atau tidak berlaku: minta ke kota.",
    ),
}
