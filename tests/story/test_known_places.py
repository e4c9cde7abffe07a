"""Pins teach names, lists bring numbers: what a city knows beyond its map finds the next report."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from dispatch.storage import known, tables
from geo.point import Box, Point
from geo.sql import writing
from tests.story.small_city import MIDDLE, Desk, Stand, stand

PIN = {"lon": MIDDLE[0] - 0.01, "lat": MIDDLE[1] + 0.005}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("known")) as open_stand:
        yield open_stand


def found(city: Stand, text: str, where: str = "kota") -> list[dict[str, Any]]:
    answer = city.visitor(where).get("/geocode", params={"q": text})
    assert answer.status_code == 200, answer.text
    listed: list[dict[str, Any]] = answer.json()["candidates"]
    return listed


def located(city: Stand, desk: Desk, typed: str, **wish: Any) -> UUID:
    """A report with these words, put on the map by hand."""
    _, _, report_id = city.report(lon=None, lat=None, place_typed=typed, **wish.pop("report", {}))
    answer = desk.post(f"/reports/{report_id}/locate", {**PIN, **wish})
    assert answer.status_code == 200, answer.text
    return report_id


def log_of(city: Stand, report_id: UUID) -> list[tuple[str, str]]:
    log = tables.log.c
    with city.system.reading("kota") as connection:
        rows = connection.execute(
            select(log.type, log.fact).where(log.subject == report_id).order_by(log.offset)
        )
        return [(kind, str(fact)) for kind, fact in rows]


def test_a_confirmed_pin_becomes_a_name_and_can_be_taken_back(city: Stand) -> None:
    desk = city.staff("dispatcher")
    assert found(city, "wit asem angker") == []
    report_id = located(city, desk, "wit asem angker")
    best = found(city, "pohon tumbang di dekat wit asem angkr")[0]
    assert (best["kind"], best["lon"], best["lat"]) == ("alias", PIN["lon"], PIN["lat"])
    assert best["confidence"] >= 0.5
    # The next citizen is found without a dispatcher.
    _, _, next_id = city.report(lon=None, lat=None, place_typed="depan wit asem angker")
    with city.system.looking("kota") as world:
        assert world.report(next_id).lon == PIN["lon"]
    # Another city knows nothing of it.
    assert found(city, "wit asem angker", "tetangga") == []
    back = desk.post(f"/reports/{report_id}/forget-place", {"reason": "salah"})
    assert back.status_code == 200, back.text
    assert back.json()["alias_id"] is None
    assert found(city, "wit asem angker") == []
    again = desk.post(f"/reports/{report_id}/remember-place")
    assert again.status_code == 200, again.text
    assert found(city, "wit asem angker")


def test_the_log_tells_who_taught_a_name_and_keeps_the_words_apart(city: Stand) -> None:
    desk = city.staff("dispatcher")
    report_id = located(city, desk, "bok mlengkung lawas")
    desk.post(f"/reports/{report_id}/forget-place", {"reason": "keliru"})
    told = log_of(city, report_id)
    assert [kind for kind, _ in told][-3:] == [
        "ReportLocated",
        "ReportPlaceRemembered",
        "ReportPlaceForgotten",
    ]
    assert not any("mlengkung" in fact for _, fact in told)
    with city.system.reading("kota") as connection:
        row = connection.execute(
            select(tables.place_alias).where(tables.place_alias.c.report_id == report_id)
        ).one()
    assert row.typed == "bok mlengkung lawas"
    assert row.made_by.startswith("dispatcher:")
    assert row.forgotten_at is not None


@pytest.mark.parametrize(
    "typed",
    ["depan rumah saya", "-7.63, 111.53", "rumah pak Budi 0812 3456 7890", "jl pahlawan"],
)
def test_what_names_nothing_is_not_remembered(city: Stand, typed: str) -> None:
    desk = city.staff("dispatcher")
    if typed == "jl pahlawan":
        # It is found at the pin anyway.
        _, _, report_id = city.report(lon=None, lat=None, place_typed=typed)
        wish = {"lon": MIDDLE[0], "lat": MIDDLE[1]}
        assert desk.post(f"/reports/{report_id}/locate", wish).status_code == 200
    else:
        _, _, report_id = city.report(place_typed=typed)
        assert desk.post(f"/reports/{report_id}/locate", PIN).status_code == 200
    with city.system.looking("kota") as world:
        assert world.report(report_id).alias_id is None


def test_a_secret_report_teaches_nothing(city: Stand) -> None:
    desk = city.staff("dispatcher")
    report_id = located(city, desk, "gudang gelap pojokan", report={"secret": True})
    with city.system.looking("kota") as world:
        assert world.report(report_id).alias_id is None
    refused = desk.post(f"/reports/{report_id}/remember-place")
    assert refused.status_code == 422


def test_a_dispatcher_may_set_a_pin_without_teaching(city: Stand) -> None:
    desk = city.staff("dispatcher")
    report_id = located(city, desk, "sumur ageng kidul", remember=False)
    assert found(city, "sumur ageng kidul") == []
    twice = desk.post(f"/reports/{report_id}/forget-place")
    assert twice.status_code == 422


def test_a_moved_pin_moves_the_name(city: Stand) -> None:
    desk = city.staff("dispatcher")
    report_id = located(city, desk, "tugu gajah mungkur")
    there = {"lon": MIDDLE[0] + 0.01, "lat": MIDDLE[1]}
    assert desk.post(f"/reports/{report_id}/locate", there).status_code == 200
    (only,) = [c for c in found(city, "tugu gajah mungkur") if c["kind"] == "alias"]
    assert only["lon"] == there["lon"]


def test_a_painted_number_is_a_place(city: Stand) -> None:
    assets = [
        known.Asset("PJU-0012", "lamp_pole", "Lamp pole PJU-0012", Point(*MIDDLE), "Barat"),
        known.Asset("PJU-0013", "lamp_pole", "Lamp pole PJU-0013", Point(111.531, -7.63), "Barat"),
    ]
    with writing(city.system.engine) as connection:
        known.import_assets(connection, "kota", assets, now=datetime.now(UTC))
    place = city.system.city("kota").known
    assert place is not None
    place.forget_time()
    for text in ("PJU-0012", "lampu mati tiang pju 12", "tiang no PJU.012 gelap"):
        best = found(city, text)[0]
        assert (best["kind"], best["label"]) == ("asset", "Lamp pole PJU-0012"), text
        assert best["confidence"] > 0.9
    assert found(city, "PJU-0099") == []
    assert found(city, "PJU-0012", "tetangga") == []
    _, _, report_id = city.report(lon=None, lat=None, place_typed="tiang PJU 13 mati")
    with city.system.looking("kota") as world:
        assert world.report(report_id).lon == 111.531
    edge = {"west": 111.52, "south": -7.64, "east": 111.535, "north": -7.62}
    listed = city.visitor().get("/assets", params=edge).json()["assets"]
    assert [each["code"] for each in listed] == ["PJU-0012", "PJU-0013"]
    wide = city.visitor().get("/assets", params={**edge, "west": 110.0})
    assert wide.status_code == 422
    upside_down = city.visitor().get("/assets", params={**edge, "west": 111.54})
    assert upside_down.status_code == 422


def test_a_new_list_writes_over_and_may_replace(city: Stand) -> None:
    now = datetime.now(UTC)
    box = Box(111.0, -8.0, 112.0, -7.0)
    with writing(city.system.engine) as connection:
        first = [known.Asset(f"T{n}", "tree", f"Tree T{n}", Point(*MIDDLE)) for n in range(1200)]
        assert known.import_assets(connection, "tetangga", first, now=now) == 1200
        moved = [known.Asset("T1", "tree", "Tree T1", Point(111.51, -7.62))]
        known.import_assets(connection, "tetangga", moved, now=now, replace_sorts=["tree"])
        assert known.assets_in(connection, "tetangga", box, limit=9) == moved


def test_the_file_of_a_department(tmp_path: Path) -> None:
    from geo.assets_file import AssetRow, BadAssets, BadRow, read_assets
    from tests.story.small_city import areas

    file = tmp_path / "poles.csv"
    file.write_text(
        "Kode;Lintang;Bujur;Jenis;Nama\n"
        "PJU-1;-7,63;111,53;lamp_pole;Jl. Pahlawan\n"
        "PJU-2;111,53;-7,63;lamp_pole;\n"
        "PJU-3;0;0;lamp_pole;\n"
        "PJU-4;-7;111;lamp_pole;\n"
        "PJU-5;abc;111,53;lamp_pole;\n"
        ";-7,63;111,53;lamp_pole;\n"
        "PJU-7;-6,2;106,8;lamp_pole;\n"
        "pju 1;-7,63;111,53;lamp_pole;\n"
        "PJU-9;;111,53;lamp_pole;\n",
        encoding="utf-8",
    )
    rows = list(read_assets(file, areas()))
    assert [r.code for r in rows if isinstance(r, AssetRow)] == ["PJU-1"]
    why = {r.where.rpartition(" ")[2]: r.why for r in rows if isinstance(r, BadRow)}
    assert list(why) == ["3", "4", "5", "6", "7", "8", "9", "10"]
    for line, part in {
        "3": "exchanged",
        "4": "0, 0",
        "5": "whole degrees",
        "6": "'abc' is no number",
        "7": "no code",
        "8": "outside the city",
        "9": "line 2 already",
        "10": "no position",
    }.items():
        assert part in why[line], why[line]

    shapes = tmp_path / "trees.geojson"
    shapes.write_text(
        '{"type":"FeatureCollection","features":['
        '{"type":"Feature","id":"T 1","properties":{"jenis":"tree"},'
        '"geometry":{"type":"Point","coordinates":[111.53,-7.63]}},'
        '{"type":"Feature","properties":{"code":"T2"},"geometry":null},'
        '{"type":"Feature","properties":null,"geometry":{"type":"Polygon","coordinates":'
        "[[[111.53,-7.63],[111.531,-7.63],[111.531,-7.629],[111.53,-7.63]]]}},"
        '"what"]}'
    )
    read = list(read_assets(shapes, areas(), sort="tree"))
    assert [type(r).__name__ for r in read] == ["AssetRow", "BadRow", "BadRow", "BadRow"]

    for name, content, part in (
        ("none.csv", None, "There is no file"),
        ("empty.csv", "", "is empty"),
        ("head.csv", "a,b\n1,2\n", "no column for the code"),
        ("list.geojson", "[1]", "no GeoJSON FeatureCollection"),
        ("cut.geojson", '{"type":', "no GeoJSON"),
    ):
        if content is not None:
            (tmp_path / name).write_text(content)
        with pytest.raises(BadAssets, match=part):
            list(read_assets(tmp_path / name, areas()))
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00code")
    with pytest.raises(BadAssets, match="UTF-8"):
        list(read_assets(tmp_path / "bytes.csv", areas()))
