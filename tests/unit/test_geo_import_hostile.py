"""Broken, huge and hostile maps end in a sentence, soon, and leave the city as it was."""

from __future__ import annotations

import bz2
import gzip
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo import import_limits
from geo.bundle import Extract, build_bundle, open_bundle
from geo.bundle_errors import BadExtract, BundleError, NoRoads, TooLarge
from geo.import_limits import bounded_memory, check_extract
from geo.osm_areas import find_areas
from geo.osm_import import import_extract
from geo.progress import Silent
from tests.maps import grid, helsinki_extract

XML = b'<?xml version="1.0"?>'
OPEN = XML + b'<osm version="0.6">'


# --- a pbf file by hand: https://wiki.openstreetmap.org/wiki/PBF_Format --------------


def varint(number: int) -> bytes:
    out = b""
    while True:
        low, number = number & 127, number >> 7
        out += bytes([low | (128 if number else 0)])
        if not number:
            return out


def text_field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def number_field(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def blob(kind: bytes, raw: bytes, *, claims: int | None = None) -> bytes:
    size = len(raw) if claims is None else claims
    data = number_field(2, size) + text_field(3, zlib.compress(raw))
    head = text_field(1, kind) + number_field(3, len(data))
    return struct.pack(">I", len(head)) + head + data


HEADER = blob(b"OSMHeader", text_field(4, b"OsmSchema-V0.6") + text_field(4, b"DenseNodes"))


def dense_nodes(count: int, first: int) -> bytes:
    """A block of nodes that all lie in one place: it packs to next to nothing."""
    ids = varint(first * 2) + b"\x02" * (count - 1)
    nodes = text_field(1, ids) + text_field(8, bytes(count)) + text_field(9, bytes(count))
    strings = text_field(1, text_field(1, b""))
    return blob(b"OSMData", strings + text_field(2, text_field(2, nodes)))


def laughing() -> bytes:
    """Entities of entities: a billion letters in a few lines."""
    rows = [b'<!ENTITY l0 "ha">']
    rows += [f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">'.encode() for n in range(1, 10)]
    tag = b'<node id="1" lat="0" lon="0"><tag k="highway" v="&l9;"/></node>'
    return XML + b"<!DOCTYPE osm [" + b"".join(rows) + b']><osm version="0.6">' + tag + b"</osm>"


HOSTILE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "empty": ("a.osm.pbf", lambda: b""),
    "zeros": ("a.osm.pbf", lambda: bytes(4_096)),
    "a picture": ("a.osm.pbf", lambda: b"\x89PNG\r\n\x1a\n" + bytes(999)),
    "html": ("a.osm.pbf", lambda: b"<html><body>404 Not Found</body></html>"),
    "head too long": ("a.osm.pbf", lambda: struct.pack(">I", 0xFFFFFFFF) + bytes(999)),
    "block never ends": (
        "a.osm.pbf",
        lambda: (
            HEADER
            + struct.pack(">I", 16)
            + (text_field(1, b"OSMData") + number_field(3, (1 << 31) - 1))
        ),
    ),
    "claims 4 GB": ("a.osm.pbf", lambda: HEADER + blob(b"OSMData", b"x", claims=(1 << 32) - 1)),
    "unpacks to 200 MB": ("a.osm.pbf", lambda: HEADER + blob(b"OSMData", bytes(200 << 20))),
    "block of zeros": ("a.osm.pbf", lambda: HEADER + blob(b"OSMData", bytes(1 << 20))),
    "laughing": ("a.osm", laughing),
    "ids beyond 64 bits": (
        "a.osm",
        lambda: OPEN + b'<node id="9223372036854775807" lat="0" lon="0"/></osm>',
    ),
    "nowhere": ("a.osm", lambda: OPEN + b'<node id="1" lat="991" lon="nan"/></osm>'),
    "cut": ("a.osm", lambda: OPEN + b'<node id="1" lat="0" lon="0"'),
    "cut gzip": ("a.osm.gz", lambda: gzip.compress(OPEN + b" " * 99_999)[:-20]),
    "no gzip": ("a.osm.gz", lambda: b"plain text"),
    "no bzip2": ("a.osm.bz2", lambda: b"BZh9 plain text"),
    "endless value": (
        "a.osm.gz",
        lambda: gzip.compress(OPEN + b'<node id="' + b"1" * (5 << 20) + b'"/></osm>', 1),
    ),
    "endless value, bzip2": (
        "a.osm.bz2",
        lambda: bz2.compress(OPEN + b'<node id="' + b"1" * (5 << 20) + b'"/></osm>'),
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_it_ends_in_one_sentence_and_the_city_stays(tmp_path: Path, what: str) -> None:
    name, make = HOSTILE[what]
    root = tmp_path / "cities"
    town = build_bundle("town", source=Extract(grid(3).write(tmp_path / "town.osm")), root=root)
    path = tmp_path / name
    path.write_bytes(make())
    with pytest.raises(BundleError) as refused:
        build_bundle("town", source=Extract(path), root=root)
    said = str(refused.value)
    assert name in said
    assert said.endswith((".", "?"))
    assert "\n" not in said
    assert open_bundle(root, "town").manifest == town.manifest
    assert [p.name for p in (root / "town").iterdir() if p.is_dir()] == [town.manifest.version]


def test_two_gigabytes_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "country.osm.pbf"
    with path.open("wb") as sparse:
        sparse.truncate(2 << 30)
    with pytest.raises(TooLarge, match=r"country\.osm\.pbf has 2,048 MB.*--wards"):
        build_bundle("town", source=Extract(path), root=tmp_path / "cities")
    assert not (tmp_path / "cities").exists()
    check_extract(path, is_cut=True)
    with path.open("wb") as sparse:
        sparse.truncate(17 << 30)
    with pytest.raises(TooLarge, match="osmium extract"):
        check_extract(path, is_cut=True)


def test_text_that_unpacks_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_limits, "MOST_TEXT_BYTES", 3 << 20)
    path = tmp_path / "a.osm.gz"
    path.write_bytes(gzip.compress(OPEN + b'<node id="1" lat="0" lon="0"/>' * 200_000, 1))
    with pytest.raises(TooLarge, match="unpacks to more than 3 MB"):
        check_extract(path)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the address space")
def test_a_small_file_that_fills_the_memory_is_stopped(tmp_path: Path) -> None:
    """A quarter of a MB asks for more than half a GB; in a process of its own, as `sigap` is."""
    path = tmp_path / "bomb.osm.pbf"
    with path.open("wb") as out:
        out.write(HEADER)
        for n in range(8):
            out.write(dense_nodes(9_000_000, 1 + n * 9_000_000))
    assert path.stat().st_size < 1 << 20
    program = (
        "import sys; from pathlib import Path; from geo.bundle import Extract, build_bundle\n"
        "from geo.bundle_errors import TooLarge\n"
        "try: build_bundle('town', source=Extract(Path(sys.argv[1])),\n"
        "    root=Path(sys.argv[2]), most_memory=512 << 20)\n"
        "except TooLarge as e: print(e); sys.exit(7)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(path), str(tmp_path / "cities")],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=Path(__file__).parents[2],
    )
    assert ended.returncode == 7, ended.stderr
    assert "more than 512 MB of memory" in ended.stdout
    assert not (tmp_path / "cities").exists()


def test_the_bound_ends_with_its_block() -> None:
    if sys.platform != "linux":
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    with bounded_memory(1 << 30):
        assert resource.getrlimit(resource.RLIMIT_AS) != before
        with pytest.raises(TooLarge), bounded_memory(1 << 28):
            bytearray(2 << 30)
    assert resource.getrlimit(resource.RLIMIT_AS) == before


# --- whatever else is in the file -----------------------------------------------------


SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def reads_or_refuses(path: Path) -> None:
    """An importer either gives roads or a BundleError; nothing else ever comes out."""
    try:
        roads = import_extract(path)
        find_areas(path, roads, city="Kota", outline=None, progress=Silent())
    except BundleError:
        return


@settings(max_examples=60, suppress_health_check=SLOW)
@given(data=st.data())
def test_a_pbf_with_changed_bytes(tmp_path: Path, data: st.DataObject) -> None:
    whole = bytearray(HEADER + helsinki_extract().read_bytes()[:40_000])
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "a.osm.pbf"
    path.write_bytes(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    reads_or_refuses(path)


ids = st.sampled_from([-1, 0, 1, 2, 3, 101, 102, 1 << 33])
KEYS = (
    "highway oneway maxspeed name barrier access junction service type restriction boundary "
    "admin_level maxweight hgv maxspeed:forward"
)
tag_keys = st.sampled_from(KEYS.split())
VALUES = (
    "residential primary yes no -1 50 walk ID:urban roundabout bollard traffic_signals "
    "no_left_turn only_straight_on administrative 7 multipolygon boundary 1e400 nan ∞ -5"
)
tag_values = st.one_of(
    st.sampled_from([*VALUES.split(), "30 mph", "9" * 400]),
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), max_size=12),
)
tags = st.dictionaries(tag_keys, tag_values, max_size=4)


@settings(max_examples=150, suppress_health_check=SLOW)
@given(
    nodes=st.lists(
        st.tuples(ids, st.floats(-0.02, 0.02), st.floats(-0.02, 0.02), tags), max_size=8
    ),
    ways=st.lists(st.tuples(ids, st.lists(ids, max_size=6), tags), max_size=6),
    relations=st.lists(
        st.tuples(
            st.lists(
                st.tuples(
                    st.sampled_from(["node", "way", "relation"]),
                    ids,
                    st.sampled_from(["from", "via", "to", "outer", "inner", ""]),
                ),
                max_size=5,
            ),
            tags,
        ),
        max_size=4,
    ),
)
def test_a_map_of_odd_things(
    tmp_path: Path,
    nodes: list[tuple[int, float, float, dict[str, str]]],
    ways: list[tuple[int, list[int], dict[str, str]]],
    relations: list[tuple[list[tuple[str, int, str]], dict[str, str]]],
) -> None:
    map_ = grid(2)
    for osm_id, x, y, about in nodes:
        map_.nodes[osm_id] = (x * 1e5, y * 1e5)
        map_.node_tags[osm_id] = about
    for osm_id, refs, about in ways:
        map_.ways[osm_id] = (refs, about)
    for n, (members, about) in enumerate(relations):
        map_.relations[n + 1] = (members, about)
    reads_or_refuses(map_.write(tmp_path / "a.osm"))


def test_a_map_without_roads_says_so(tmp_path: Path) -> None:
    path = tmp_path / "sea.osm"
    path.write_bytes(OPEN + b'<node id="1" lat="0" lon="0"/></osm>')
    with pytest.raises(NoRoads, match=r"sea\.osm holds no road"):
        import_extract(path)
    path.write_bytes(b"")
    with pytest.raises(BadExtract):
        import_extract(path)
