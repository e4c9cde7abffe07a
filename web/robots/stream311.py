"""Reads a city's published 311 requests (CSV) as a stream of reports that can be replayed."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

WEEK = timedelta(days=7)

# the first word found in the request's type decides; later rows are more general
SERVICES: Sequence[tuple[str, str]] = (
    ("fallen", "fallen_tree"),
    ("for-", "tree_hazard"),
    ("trees", "tree_hazard"),
    ("traffic signal", "traffic_light"),
    ("stlight", "street_light"),
    ("light", "street_light"),
    ("pothole", "pothole"),
    ("street repair", "pothole"),
    ("footway", "pothole"),
    ("leak", "water_leak"),
    ("no water", "water_leak"),
    ("ww-water", "water_leak"),
    ("sewer", "drain"),
    ("storm", "drain"),
    ("ww-", "drain"),
    ("snow", "flood"),
    ("parking", "illegal_parking"),
    ("vehicle", "illegal_parking"),
    ("sign", "billboard"),
    ("animal", "public_order"),
    ("sw-", "waste"),
    ("sanitation", "waste"),
    ("dumping", "waste"),
)

CHANNELS = {
    "Phone": "call_112",
    "API": "android",
    "Internal": "field",
    "Mail": "counter",
    "Email": "email",
    "Web": "web",
    "System": "field",
}


OPTIONAL = ("Address", "CloseDate", "SRStatus")


class BadStream(Exception):
    """The file cannot be replayed; the text says why."""


@dataclass(frozen=True, slots=True)
class Request311:
    """One request: UTC time, type, channel and place as published, degrees."""

    number: str
    at: datetime
    type: str
    service_code: str
    channel: str
    address: str
    lon: float | None
    lat: float | None
    closed_at: datetime | None
    duplicate: bool


def read_stream(path: Path) -> list[Request311]:
    """Every request of the file by time. Raises BadStream for a file of another shape."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            found = list(_requests(csv.DictReader(file), path))
    except OSError as error:
        raise BadStream(f"{path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadStream(f"{path} is not a CSV file in UTF-8: {error}.") from error
    if not found:
        raise BadStream(f"{path} holds no requests.")
    return sorted(found, key=lambda request: (request.at, request.number))


def _requests(rows: csv.DictReader[str], path: Path) -> Iterator[Request311]:
    wanted = {"SRRecordID", "SRType", "MethodReceived", "CreatedDate", "Latitude", "Longitude"}
    missing = wanted - set(rows.fieldnames or ())
    if missing:
        raise BadStream(f"{path} has no column {', '.join(sorted(missing))}.")
    for line, published in enumerate(rows, start=2):
        # a line that is too short leaves None, one that is too long a nameless list
        row = {name: published.get(name) or "" for name in (*wanted, *OPTIONAL)}
        at = _moment(row["CreatedDate"])
        if at is None:
            raise BadStream(f"{path}, line {line}: CreatedDate “{row['CreatedDate']}” is no time.")
        yield Request311(
            number=row["SRRecordID"],
            at=at,
            type=row["SRType"],
            service_code=service_of(row["SRType"]),
            channel=CHANNELS.get(row["MethodReceived"], "counter"),
            address=row["Address"],
            lon=_number(row["Longitude"]),
            lat=_number(row["Latitude"]),
            closed_at=_moment(row["CloseDate"]),
            duplicate="Duplicate" in row["SRStatus"],
        )


def service_of(request_type: str) -> str:
    """The service a published type belongs to; `other` when no word is known."""
    lowered = request_type.lower()
    return next((code for word, code in SERVICES if word in lowered), "other")


def folded(requests: Sequence[Request311], fold: str) -> list[Request311]:
    """The stream on one calendar: "none" as published, "week" all years laid on one week.

    Laying years over each other keeps weekday and time of day, and makes a sparse sample dense
    enough that requests wait for crews.
    """
    if fold == "none":
        return list(requests)
    monday = _monday(requests[0].at)
    laid = [
        replace(request, at=monday + (request.at - _monday(request.at))) for request in requests
    ]
    return sorted(laid, key=lambda request: (request.at, request.number))


def _monday(moment: datetime) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=midnight.weekday())


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip(), "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=UTC)
    except ValueError:
        return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
