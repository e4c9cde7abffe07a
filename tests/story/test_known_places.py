"""Pins teach names, lists bring numbers: what a city knows beyond its map finds the next report."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from dispatch.storage import known, tables
from geo.point import Point
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
    # Triage comes in its own time, between any two of them.
    assert [kind for kind, _ in told if kind != "ReportTriaged"][-3:] == [
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
        known.Asset("PJU-0012", "lamp_pole", "Tiang PJU-0012", Point(*MIDDLE), "Barat"),
        known.Asset("PJU-0013", "lamp_pole", "Tiang PJU-0013", Point(111.531, -7.63), "Barat"),
    ]
    with writing(city.system.engine) as connection:
        known.import_assets(connection, "kota", assets, now=datetime.now(UTC))
    place = city.system.city("kota").known
    assert place is not None
    place.forget_time()
    for text in ("PJU-0012", "lampu mati tiang pju 12", "tiang no PJU.012 gelap"):
        best = found(city, text)[0]
        assert (best["kind"], best["label"]) == ("asset", "Tiang PJU-0012"), text
        assert best["confidence"] > 0.9
    assert found(city, "PJU-0099") == []
    assert found(city, "PJU-0012", "tetangga") == []
    _, _, report_id = city.report(lon=None, lat=None, place_typed="tiang PJU 13 mati")
    with city.system.looking("kota") as world:
        assert world.report(report_id).lon == 111.531


BOX = {"west": 111.5265, "south": -7.6335, "east": 111.5335, "north": -7.6265}


@pytest.fixture(scope="module")
def poles(city: Stand) -> Stand:
    """A street of two hundred poles, a tree, and a panel, around the middle of the city."""
    lon, lat = MIDDLE
    listed = [
        *(
            known.Asset(f"PJU-{n:04}", "lamp_pole", f"Tiang PJU-{n:04}", Point(lon + n * 1e-5, lat))
            for n in range(1, 201)
        ),
        known.Asset("T-7", "tree", "Pohon T-7, Jl. Pahlawan", Point(lon, lat + 0.001)),
        known.Asset("PX 7", "tree", "Pohon PX 7", Point(lon, lat + 0.002)),
        known.Asset("PX-8", "panel", "Panel PX-8", Point(lon, lat - 0.001)),
    ]
    with writing(city.system.engine) as connection:
        known.import_assets(connection, "kota", listed, now=datetime.now(UTC))
    place = city.system.city("kota").known
    assert place is not None
    place.forget_time()
    return city


def test_a_map_sees_one_neighbourhood_nearest_first(poles: Stand) -> None:
    visitor = poles.visitor()
    there = visitor.get("/assets", params={**BOX, "service": "street_light"}).json()
    assert there["more"]
    assert len(there["assets"]) == 150
    assert [each["code"] for each in there["assets"][:2]] == ["PJU-0001", "PJU-0002"]
    assert {each["sort"] for each in there["assets"]} == {"lamp_pole", "panel"}
    trees = visitor.get("/assets", params={**BOX, "service": "fallen_tree"}).json()
    assert [each["label"] for each in trees["assets"]] == ["Pohon T-7, Jl. Pahlawan", "Pohon PX 7"]
    assert not trees["more"]
    nothing = visitor.get("/assets", params={**BOX, "service": "pothole"}).json()
    assert nothing == {"assets": [], "more": False}
    wide = visitor.get("/assets", params={**BOX, "west": 111.51})
    assert wide.status_code == 422
    upside_down = visitor.get("/assets", params={**BOX, "west": 111.54})
    assert upside_down.status_code == 422
    english = visitor.get(
        "/assets", params={**BOX, "service": "fallen_tree"}, headers={"Accept-Language": "en"}
    ).json()
    assert english["assets"][0]["label"] == "Tree T-7, Jl. Pahlawan"


def test_a_number_is_found_however_it_is_written(poles: Stand) -> None:
    visitor = poles.visitor()
    for written, service, code in (
        ("PJU-0012", "street_light", "PJU-0012"),
        ("pju 12", "street_light", "PJU-0012"),
        ("0012", "street_light", "PJU-0012"),
        ("7", "fallen_tree", None),  # two trees
        ("7", "street_light", "PJU-0007"),
        ("T.7", "fallen_tree", "T-7"),
    ):
        answer = visitor.get(f"/assets/{written}", params={"service": service})
        assert answer.json().get("code") == (code or "invalid"), written
        assert answer.status_code == (200 if code else 422)
    unknown = visitor.get("/assets/PJU-9999")
    assert unknown.status_code == 422
    assert "Periksa lagi" in unknown.json()["detail"]


def test_the_report_keeps_the_number_and_stands_on_the_thing(poles: Stand) -> None:
    wish = {"service_code": "street_light", "lon": None, "lat": None, "place_typed": None}
    _, _, report_id = poles.report(**wish, asset_code="pju 0012")
    with poles.system.looking("kota") as world:
        report = world.report(report_id)
    assert (report.place_label, report.place_confidence) == ("Tiang PJU-0012", 1.0)
    assert (report.lon, report.lat) == (MIDDLE[0] + 12e-5, MIDDLE[1])
    ((_, fact),) = [row for row in log_of(poles, report_id) if row[0] == "ReportReceived"]
    assert "'asset_code': 'PJU-0012'" in fact
    # Words that name the pole are as good as its number in the field for it.
    _, _, in_words = poles.report(**{**wish, "place_typed": "tiang PJU 14, depan warung"})
    assert "'asset_code': 'PJU-0014'" in str(log_of(poles, in_words))
    far = {**wish, "lon": MIDDLE[0] + 0.01, "lat": MIDDLE[1], "description": "Padam"}
    answer = poles.visitor().post("/reports", {**far, "asset_code": "PJU-0012"})
    assert answer.status_code == 422
    assert "1089 m" in answer.text


def test_a_new_list_writes_over_and_may_replace(city: Stand) -> None:
    now = datetime.now(UTC)
    with writing(city.system.engine) as connection:
        first = [known.Asset(f"T{n}", "tree", f"Tree T{n}", Point(*MIDDLE)) for n in range(1200)]
        done = known.import_assets(connection, "tetangga", first, now=now)
        assert done == known.Imported(new=1200, changed=0, same=0, forgotten=0)
        again = [*first[2:], known.Asset("t-1", "tree", "Tree 1", Point(111.51, -7.62))]
        done = known.import_assets(connection, "tetangga", again, now=now)
        # T1 and t-1 are one number: it moved, and is not there twice.
        assert done == known.Imported(new=0, changed=1, same=1198, forgotten=0)
        assert len(known.stock(connection, "tetangga").assets) == 1200
        moved = [known.Asset("T1", "tree", "Tree T1", Point(111.51, -7.62))]
        done = known.import_assets(connection, "tetangga", moved, now=now, replace_sorts=["tree"])
        assert done == known.Imported(new=0, changed=1, same=0, forgotten=1199)
        (left,) = known.stock(connection, "tetangga").assets
        assert (left.text, left.point) == ("T1", Point(111.51, -7.62))


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


def test_without_scripts_the_number_is_typed(poles: Stand) -> None:
    browser = poles.visitor().client
    page = browser.get("/kota/").text
    assert re.search(r'data-numbered><input[^>]*value="street_light"', page)
    assert not re.search(r'data-numbered><input[^>]*value="pothole"', page)
    typed = {"service_code": "street_light", "description": "Padam", "asset_code": "pju 12"}
    checked = browser.post("/kota/", data={**typed, "do": "place"}).text
    assert "Tiang PJU-0012" in checked
    assert f'name="lon" value="{MIDDLE[0] + 12e-5}"' in checked
    wrong = browser.post("/kota/", data={**typed, "asset_code": "PJU-9999", "do": "send"})
    assert wrong.status_code == 422
    assert 'id="asset_code-error"' in wrong.text
    assert 'value="PJU-9999"' in wrong.text
    sent = browser.post("/kota/", data={**typed, "do": "send"}, follow_redirects=False)
    assert sent.status_code == 303, sent.text
    assert "Tiang PJU-0012" in browser.get(sent.headers["location"]).text
    # What is about no numbered thing has no such field to complain about.
    other = {**typed, "asset_code": "PJU-9999", "service_code": "pothole", "do": "send"}
    lost = browser.post("/kota/", data={**other, "place_typed": "Jl. Pahlawan"})
    assert lost.status_code == 200
