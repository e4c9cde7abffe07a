"""Photos come in checked and small, and go out only to those who may see them."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import FileResponse

from dispatch.core.errors import NotFound
from dispatch.system import City, System
from web import limits, photo_rows, shapes, tracking
from web.api.deeds import json
from web.auth import WATCHING, TheCity, TheSystem, TheViewers, Viewers
from web.photos import MAX_BYTES, read_picture

router = APIRouter(prefix="/api/{city}/photos", tags=["photos"])

HANDLING = ("officer", "crew")


class Uploaded(shapes.Answer):
    """A kept photo; `lon`, `lat` and `accuracy_m` are what the device wrote into the file."""

    photo_id: UUID
    width: int
    height: int
    lon: float | None = None
    lat: float | None = None
    accuracy_m: float | None = None


@router.post("", status_code=201, responses=shapes.answers(Uploaded, status=201))
def upload_photo(
    request: Request,
    city: TheCity,
    system: TheSystem,
    viewers: TheViewers,
    file: Annotated[UploadFile, File(description="JPEG, PNG or WebP, at most 10 MB")],
    upload_token: Annotated[str | None, Form(min_length=8, max_length=100)] = None,
) -> Response:
    """Keep one photo; name its `photo_id` in the report within a day.

    With an `upload_token` of your own only whoever knows it may look at the photo or use it.
    """
    crew = viewers.having("crew", city_id=city.id)
    if crew is None:
        limits.check(request, "photo")
    picture = read_picture(file.file.read(MAX_BYTES + 1))
    kept = photo_rows.keep(
        system,
        city.id,
        picture,
        upload_token=upload_token,
        crew_id=crew.crew_id if crew else None,
    )
    body: dict[str, Any] = {
        "photo_id": str(kept.id),
        "width": picture.width,
        "height": picture.height,
    }
    if picture.position is not None:
        body["lon"] = picture.position.point.lon
        body["lat"] = picture.position.point.lat
        body["accuracy_m"] = picture.position.accuracy_m
    return json(body, status=201)


@router.get("/{photo_id}", response_class=FileResponse)
def photo(
    city: TheCity,
    photo_id: UUID,
    system: TheSystem,
    viewers: TheViewers,
    size: Literal["thumb", "full"] = "full",
    ticket: Annotated[str | None, Query(max_length=40)] = None,
    k: Annotated[str | None, Query(max_length=200)] = None,
    u: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """The picture, for the staff of the city, for the reporter (`ticket` and `k`), or, while it
    waits for its report, for whoever sent it (`u`, the upload token).
    """
    with system.reading(city.id) as connection:
        kept = photo_rows.find(connection, city.id, photo_id)
    if kept is None or not _may_see(system, city, viewers, kept, ticket=ticket, k=k, u=u):
        raise NotFound("There is no such photo.")
    return FileResponse(
        system.blobs.path(city.id, kept.sha256, size),
        media_type="image/jpeg",
        # A photo never changes, but who may see it does: only the browser itself may keep it.
        headers={
            "Cache-Control": "private, max-age=86400, immutable",
            "Content-Disposition": "inline",
        },
    )


def _may_see(
    system: System,
    city: City,
    viewers: Viewers,
    kept: photo_rows.Photo,
    *,
    ticket: str | None,
    k: str | None,
    u: str | None,
) -> bool:
    if viewers.having(*WATCHING, city_id=city.id) is not None:
        return True
    if kept.owner_kind is None:
        return photo_rows.opens(kept, u)
    if viewers.having(*HANDLING, city_id=city.id) is not None:
        return not _is_secret(system, city, kept)
    if ticket is None or k is None:
        return False
    opened = tracking.find(system, city, ticket, k)
    return opened is not None and str(kept.id) in tracking.photos_of(opened.view)


def _is_secret(system: System, city: City, kept: photo_rows.Photo) -> bool:
    """Whether it came with a report that only those who verify may read."""
    if kept.owner_kind != "report" or kept.owner_id is None:
        return False
    with system.looking(city.id) as world:
        return world.report(kept.owner_id).secret
