"""What people paste, fuzzed by coverage: coordinates, links, place texts and asset lists.

    python -m tests.fuzz.place_texts [-runs=20000] [FOLDER]

Nothing that can be pasted may raise, hang, or give a place that is none on the earth.
"""

import os
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["geo.coordinates", "geo.gazetteer_query", "geo.gazetteer_text"]
):
    from geo.coordinates import read_coordinates
    from geo.gazetteer_query import AreaName, understand
    from geo.gazetteer_text import words

import shapely

from geo.areas import Area, Areas
from geo.assets_file import AssetRow, BadAssets, read_assets
from geo.known_places import asset_key, codes, may_be_named, telling
from geo.point import Box

CITY = Box(111.49, -7.66, 111.56, -7.59)
AREAS = {
    "kejuron": [AreaName("ward/1", "ward")],
    "mampang prapatan": [AreaName("district/2", "district")],
    "mampangprapatan": [AreaName("district/2", "district")],
    "madiun": [AreaName("city", "city")],
}
WARDS = Areas([Area("ward/1", "Kejuron", "ward", None, None, shapely.box(*CITY.bounds))])
SEEDS = (
    "-7.6298, 111.5239",
    "7°37'47\"LS 111°31'26\" BT",
    "https://www.google.com/maps/place/X/@-7.6290,111.5150,17z/data=!8m2!3d-7.6301!4d111.5172",
    "https://www.openstreetmap.org/?mlat=-7.62&mlon=111.52#map=17/-7.62/111.52",
    "geo:-7.6298,111.5239?q=x",
    "9GCF+3H madiun",
    "pohon tumbang di Jl. Pahlawan RT 05/RW 02 kel. Kejuron tolong",
    "perempatan Jl. A - Jl. B, Kec. Mampang Prapatan",
    "code,lat,lon\nPJU-1,-7.62,111.52\n",
    '{"type":"FeatureCollection","features":[{"properties":{"code":"T1"},"geometry":null}]}',
)


def one_text(data: bytes) -> None:
    """Everything that reads what was typed, on one text."""
    text = data.decode("utf-8", errors="replace")
    reading = read_coordinates(text, box=CITY)
    if reading is not None:
        assert -180 <= reading.point.lon <= 180
        assert -90 <= reading.point.lat <= 90
        assert ("out_of_area" in reading.flags) == (not CITY.contains(reading.point))
    query = understand(text[:300], AREAS)
    assert len(query.readings) <= 9
    assert all(word == word.strip() for word in words(text[:300]))
    may_be_named(text[:300])
    telling(text[:300])
    assert all(asset_key(code) == code for code in codes(text[:100]))


def one_list(data: bytes, room: Path) -> None:
    """An asset list of any content: rows, or one sentence."""
    name = "list.geojson" if data[:1] in (b"{", b"[") else "list.csv"
    (room / name).write_bytes(data)
    said = "."
    try:
        for row in read_assets(room / name, WARDS, sort="tree"):
            if isinstance(row, AssetRow):
                assert WARDS.covers(row.point)
            else:
                assert row.why.endswith(".")
    except BadAssets as error:
        said = str(error)
    assert said.endswith(".")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="sigap-fuzz-") as folder:
        room, corpus = Path(folder) / "room", Path(folder) / "corpus"
        room.mkdir()
        corpus.mkdir()
        for n, seed in enumerate(SEEDS):
            (corpus / str(n)).write_text(seed, encoding="utf-8")

        def one(data: bytes) -> None:
            one_text(data)
            one_list(data, room)

        atheris.Setup([*sys.argv, "-timeout=5", "-max_len=2100", str(corpus)], one)
        atheris.Fuzz()


if __name__ == "__main__":
    os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=0")
    main()
