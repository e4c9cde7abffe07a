"""Whatever is pasted or imported, the answer is a place, nothing, or one sentence."""

import json
from pathlib import Path

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.areas import Area, Areas
from geo.assets_file import AssetRow, BadAssets, read_assets
from geo.coordinates import read_coordinates
from geo.gazetteer_query import understand
from geo.known_places import asset_key, codes
from geo.point import Box

CITY = Box(111.49, -7.66, 111.56, -7.59)
WARDS = Areas([Area("ward/1", "Kejuron", "ward", None, None, shapely.box(*CITY.bounds))])
PARTS = [
    *("-7.62", "111.52", ",", " ", "LS", "BT", "°", "'", "!3d", "!4d", "@", "geo:", "?q=", "&ll="),
    *("https://", "maps.google.com", "9GCF+3H", "/", "jl", "gg", "dpn", "no 5", "RT", "%2C", "\0"),
]
pasted = st.lists(st.one_of(st.sampled_from(PARTS), st.text(max_size=6)), max_size=25).map("".join)
values: st.SearchStrategy[object] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=8), st.integers()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
QUIET = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(pasted)
@settings(max_examples=400, deadline=None)
def test_pasted_text_gives_a_place_of_the_earth_or_none(text: str) -> None:
    reading = read_coordinates(text, box=CITY)
    if reading is not None:
        assert ("out_of_area" in reading.flags) == (not CITY.contains(reading.point))
    understand(text, {})


@given(st.binary(max_size=400))
@QUIET
def test_any_bytes_as_an_asset_list(tmp_path: Path, data: bytes) -> None:
    for name in ("list.csv", "list.geojson"):
        (tmp_path / name).write_bytes(data)
        _read(tmp_path / name)


@given(st.lists(values, max_size=4), st.dictionaries(st.text(max_size=9), values, max_size=3))
@QUIET
def test_any_json_as_a_list_of_features(
    tmp_path: Path, features: list[object], about: dict[str, object]
) -> None:
    collection = {"type": "FeatureCollection", "features": [*features, {"properties": about}]}
    (tmp_path / "list.geojson").write_text(json.dumps(collection))
    _read(tmp_path / "list.geojson")


@given(st.lists(st.lists(st.text(max_size=9), min_size=1, max_size=5), max_size=6))
@QUIET
def test_any_cells_under_a_head_line(tmp_path: Path, rows: list[list[str]]) -> None:
    lines = ["code,lat,lon,kind", *(",".join(row) for row in rows)]
    (tmp_path / "list.csv").write_text("\n".join(lines), encoding="utf-8", errors="replace")
    _read(tmp_path / "list.csv")


def _read(path: Path) -> None:
    said = "."
    try:
        for row in read_assets(path, WARDS, sort="tree"):
            if isinstance(row, AssetRow):
                assert WARDS.covers(row.point)
            else:
                assert row.why.endswith(".")
    except BadAssets as error:
        said = str(error)
    assert said.endswith(".")


@given(st.text(max_size=60))
def test_a_painted_number_has_one_spelling(text: str) -> None:
    assert asset_key(asset_key(text)) == asset_key(text)
    assert all(asset_key(code) == code for code in codes(text))


def test_a_list_too_large_is_one_sentence(tmp_path: Path) -> None:
    huge = tmp_path / "poles.csv"
    with huge.open("wb") as file:
        file.truncate(2 * 1024**3)  # two gigabytes, most of which the disk never holds
    with pytest.raises(BadAssets, match="larger than 256 MB"):
        list(read_assets(huge, WARDS))


def test_a_hostile_nesting_is_one_sentence(tmp_path: Path) -> None:
    deep = tmp_path / "deep.geojson"
    deep.write_text("[" * 200_000)
    with pytest.raises(BadAssets, match="no GeoJSON"):
        list(read_assets(deep, WARDS))
