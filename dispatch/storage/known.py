"""What a city knows beyond its map, as rows: names that pins confirmed, and numbered assets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select, update

from dispatch.storage import tables
from geo.known_places import KnownPlace, Stock
from geo.point import Box, Point

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


def import_assets(
    connection: Connection,
    city_id: str,
    assets: Iterable[Asset],
    *,
    now: datetime,
    replace_sorts: Sequence[str] = (),
) -> int:
    """Write assets over those with their code; `replace_sorts` are emptied before. How many."""
    asset = tables.asset.c
    if replace_sorts:
        connection.execute(
            delete(tables.asset).where(asset.city_id == city_id, asset.sort.in_(replace_sorts))
        )
    count = 0
    for batch in _batches(assets, 500):
        codes = [each.code for each in batch]
        connection.execute(
            delete(tables.asset).where(asset.city_id == city_id, asset.code.in_(codes))
        )
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
            for each in batch
        ]
        connection.execute(insert(tables.asset), rows)
        count += len(rows)
    return count


def assets_in(connection: Connection, city_id: str, box: Box, *, limit: int) -> list[Asset]:
    """The assets in a box, by code."""
    asset = tables.asset.c
    rows = connection.execute(
        select(tables.asset)
        .where(
            asset.city_id == city_id,
            asset.lat.between(box.south, box.north),
            asset.lon.between(box.west, box.east),
        )
        .order_by(asset.code)
        .limit(limit)
    ).mappings()
    return [
        Asset(
            row["code"],
            row["sort"],
            row["label"],
            Point(row["lon"], row["lat"]),
            row["ward"],
            row["district"],
        )
        for row in rows
    ]


def _batches(assets: Iterable[Asset], size: int) -> Iterable[list[Asset]]:
    batch: list[Asset] = []
    for each in assets:
        batch.append(each)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
