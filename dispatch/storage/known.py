"""What a city knows beyond its map, as rows: names that pins confirmed, and numbered assets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from dispatch.storage import tables
from geo.known_places import KnownPlace, Stock, asset_key
from geo.point import Point

T = TypeVar("T")

ASSET_RADIUS_M = 10.0


@dataclass(frozen=True, slots=True)
class Asset:
    """A numbered thing of the city's; `sort` is what kind, such as lamp_pole."""

    code: str
    sort: str
    label: str
    point: Point
    ward: str | None = None
    district: str | None = None


def version(connection: Connection, city_id: str) -> str:
    """Changes whenever an alias or an asset of the city does."""
    alias, asset = tables.place_alias.c, tables.asset.c
    names = connection.execute(
        select(func.count(), func.max(alias.made_at), func.max(alias.forgotten_at)).where(
            alias.city_id == city_id
        )
    ).one()
    things = connection.execute(
        select(func.count(), func.max(asset.imported_at)).where(asset.city_id == city_id)
    ).one()
    return repr((*names, *things))


def stock(connection: Connection, city_id: str) -> Stock:
    """Everything known, names in the order they were learned."""
    alias, asset = tables.place_alias.c, tables.asset.c
    names = connection.execute(
        select(tables.place_alias)
        .where(alias.city_id == city_id, alias.forgotten_at.is_(None))
        .order_by(alias.made_at, alias.id)
    ).mappings()
    things = connection.execute(
        select(tables.asset).where(asset.city_id == city_id).order_by(asset.code)
    ).mappings()
    return Stock(
        version(connection, city_id),
        tuple(
            KnownPlace(
                "alias",
                row["typed"],
                row["label"],
                Point(row["lon"], row["lat"]),
                row["radius_m"],
                row["ward"],
                row["district"],
            )
            for row in names
        ),
        tuple(
            KnownPlace(
                "asset",
                row["code"],
                row["label"],
                Point(row["lon"], row["lat"]),
                ASSET_RADIUS_M,
                row["ward"],
                row["district"],
                row["sort"],
            )
            for row in things
        ),
    )


def remember(
    connection: Connection,
    city_id: str,
    place: KnownPlace,
    *,
    alias_id: UUID,
    report_id: UUID,
    now: datetime,
    by: str,
) -> None:
    """Keep a name that a pin has confirmed."""
    connection.execute(
        insert(tables.place_alias).values(
            city_id=city_id,
            id=alias_id,
            report_id=report_id,
            typed=place.text,
            label=place.label,
            lon=place.point.lon,
            lat=place.point.lat,
            radius_m=place.radius_m,
            ward=place.ward,
            district=place.district,
            made_at=now,
            made_by=by,
        )
    )


def forget(connection: Connection, city_id: str, alias_id: UUID, *, now: datetime, by: str) -> None:
    """Take a name back; the row stays, so that an old find can be explained."""
    alias = tables.place_alias.c
    connection.execute(
        update(tables.place_alias)
        .where(alias.city_id == city_id, alias.id == alias_id, alias.forgotten_at.is_(None))
        .values(forgotten_at=now, forgotten_by=by)
    )


@dataclass(frozen=True, slots=True)
class Imported:
    """How many assets a list brought, changed, left as they were and made forgotten."""

    new: int
    changed: int
    same: int
    forgotten: int


def import_assets(
    connection: Connection,
    city_id: str,
    assets: Sequence[Asset],
    *,
    now: datetime,
    replace_sorts: Sequence[str] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> Imported:
    """Write assets over those with their number, however it was spelled before.

    Of `replace_sorts`, those that are not listed are forgotten. `progress` hears of every batch
    how many assets it had.
    """
    asset = tables.asset.c
    listed = {asset_key(each.code): each for each in assets}
    gone, same, changed, forgotten = [], set(), 0, 0
    for row in connection.execute(select(tables.asset).where(asset.city_id == city_id)).mappings():
        key = asset_key(row["code"])
        if key not in listed:
            if row["sort"] in replace_sorts:
                forgotten += 1
                gone.append(row["code"])
        elif _asset(row) == listed[key]:
            same.add(key)
        else:
            changed += 1
            gone.append(row["code"])
    for codes in batched(gone, 500):
        connection.execute(
            delete(tables.asset).where(asset.city_id == city_id, asset.code.in_(codes))
        )
    for batch in batched(listed.items(), 500):
        rows = [
            {
                "city_id": city_id,
                "code": each.code,
                "sort": each.sort,
                "label": each.label,
                "lon": each.point.lon,
                "lat": each.point.lat,
                "ward": each.ward,
                "district": each.district,
                "imported_at": now,
            }
            for key, each in batch
            if key not in same
        ]
        if rows:
            connection.execute(insert(tables.asset), rows)
        progress(len(batch))
    return Imported(len(listed) - changed - len(same), changed, len(same), forgotten)


def _asset(row: RowMapping) -> Asset:
    return Asset(
        row["code"],
        row["sort"],
        row["label"],
        Point(row["lon"], row["lat"]),
        row["ward"],
        row["district"],
    )


def batched(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of so many, the last one shorter."""
    left = iter(things)
    while batch := list(islice(left, size)):
        yield batch
