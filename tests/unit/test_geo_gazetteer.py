"""The gazetteer on a little Indonesian city whose every street is known."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.areas import Area, Areas
from geo.gazetteer import Gazetteer, GazetteerError, build_gazetteer
from geo.gazetteer_phrase import translated as in_language
from geo.geocoding import ACCEPT, Candidate, Geocoder
from geo.point import Point, distance_m

STEP = 0.001
"""About 110 m."""


@dataclass
class Sketch:
    """A map drawn in steps of 110 m east and south of 111.50 E, 7.60 S, as OpenStreetMap XML."""

    parts: list[str] = field(default_factory=list)
    nodes: dict[tuple[float, float], int] = field(default_factory=dict)
    ways: int = 0

    def node(self, x: float, y: float, tags: str = "") -> int:
        if (x, y) not in self.nodes or tags:
            number = len(self.parts) + 1
            self.nodes.setdefault((x, y), number)
            lat, lon = -7.60 - y * STEP, 111.50 + x * STEP
            self.parts.append(f"<node id='{number}' lat='{lat:.6f}' lon='{lon:.6f}'>{tags}</node>")
            return number
        return self.nodes[x, y]

    def street(self, name: str, *path: tuple[float, float], kind: str = "residential") -> None:
        refs = "".join(f"<nd ref='{self.node(x, y)}'/>" for x, y in path)
        self.ways += 1
        self.parts.append(
            f"<way id='{90_000 + self.ways}'>{refs}"
            f"{_tag('highway', kind)}{_tag('name', name)}</way>"
        )

    def place(self, x: float, y: float, **tags: str) -> None:
        named = "".join(_tag(key.replace("__", ":"), value) for key, value in tags.items())
        self.node(x, y, named)

    def save(self, path: Path) -> Path:
        ordered = sorted(self.parts, key=lambda part: not part.startswith("<node"))
        path.write_text(f"<osm version='0.6'>{''.join(ordered)}</osm>")
        return path


def _tag(key: str, value: str) -> str:
    return f"<tag k='{key}' v='{value}'/>"


def _at(x: float, y: float) -> Point:
    return Point(111.50 + x * STEP, -7.60 - y * STEP)


def _ward(name: str, west: float, east: float, district: str) -> Area:
    corners = [_at(west, 12), _at(east, -1)]
    shape = shapely.box(corners[0].lon, corners[0].lat, corners[1].lon, corners[1].lat)
    return Area(f"ward/{name}", name, "ward", district, None, shape)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sketch = Sketch()
    sketch.street("Jalan Pahlawan", (0, 1), (4, 1), (8, 1), kind="primary")
    sketch.street("Jalan Kartini", (4, 0), (4, 1), (4, 5))
    sketch.street("Jalan Mawar", (1, 3), (2, 3))
    sketch.street("Jalan Mawar", (16, 3), (17, 3))
    sketch.street("Jalan Cendrawasih III", (1, 5), (3, 5))
    sketch.street("Jalan Cendrawasih VIII", (1, 9), (3, 9))
    sketch.street("Jalan Letjen Soebroto", (12, 0), (12, 8))
    sketch.street("Jalan Taman Raya Timur", (10, 7), (14, 7))
    sketch.street("Gang Kelinci", (6, 3), (7, 3), kind="footway")
    sketch.place(5, 4, amenity="place_of_worship", name="Masjid Agung Baitul Hakim")
    sketch.place(15, 6, amenity="school", name="SD Negeri 02 Kanigoro")
    sketch.place(13, 2, shop="supermarket", name="Toko Sinar Jaya", name__en="Bright Shop")
    sketch.place(3.0, 0.7, amenity="post_office", name="Kantor Pos Kecil")
    for x, number in ((0.2, "2"), (1.0, "10"), (2.0, "20")):
        sketch.place(x, 1.1, addr__street="Jalan Pahlawan", addr__housenumber=number)
    extract = sketch.save(tmp_path_factory.mktemp("city") / "city.osm")
    whole = shapely.box(111.499, -7.612, 111.52, -7.599)
    district = Area("district/Taman", "Taman", "district", "city", None, whole)
    areas = Areas(
        [
            Area("city", "Madiun", "city", None, None, whole),
            district,
            _ward("Kejuron", -1, 9, "district/Taman"),
            _ward("Mojorejo", 9, 20, "district/Taman"),
        ]
    )
    out = extract.with_name("gazetteer.sqlite3")
    info = build_gazetteer(extract, areas, out)
    assert (info.streets, info.pois, info.houses) == (9, 4, 3)
    return out


@pytest.fixture(scope="module")
def gazetteer(path: Path) -> Iterator[Gazetteer]:
    opened = Gazetteer.open(path)
    yield opened
    opened.close()


def _first(gazetteer: Gazetteer, text: str, near: Point | None = None) -> Candidate:
    return gazetteer.search(text, near=near)[0]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Jalan Kartini", "Jalan Kartini, Kejuron"),
        ("jl kartini", "Jalan Kartini, Kejuron"),
        ("Jln. Kartni RT 05 RW 02", "Jalan Kartini, Kejuron"),
        ("JL.KARTINI no 12", "Jalan Kartini, Kejuron"),
        ("gg kelinci", "Gang Kelinci, Kejuron"),
        ("letjen subroto", "Jalan Letjen Soebroto, Mojorejo"),
        ("jl tmn ry tmr", "Jalan Taman Raya Timur, Mojorejo"),
        ("dpn masjid agung baitul hakim", "Masjid Agung Baitul Hakim, Kejuron"),
        ("sebelah mesjid agung", "Masjid Agung Baitul Hakim, Kejuron"),
        ("SDN 2 Kanigoro", "SD Negeri 02 Kanigoro, Mojorejo"),
        ("bright shop", "Toko Sinar Jaya, Mojorejo"),
        ("pohon tumbang depan Toko Sinar Jaya, Jl. Letjen Soebroto", "Toko Sinar Jaya, Mojorejo"),
        ("Kel. Mojorejo", "Mojorejo"),
    ],
)
def test_places_as_people_write_them(gazetteer: Gazetteer, text: str, label: str) -> None:
    assert label in [c.label for c in gazetteer.search(text)[:2]]


@pytest.mark.parametrize(
    "text",
    [
        "perempatan Jl. Pahlawan - Jl. Kartini",
        "simpang pahlawan dan kartini",
        "pojok jl kartini / jl pahlawan",
        "jl pahlawan pertigaan jl kartini",
        "perempatan pahlawan kartini",
        "corner of Kartini and Pahlawan",
        "Jalan Kartini & Jalan Pahlawan",
    ],
)
def test_crossings(gazetteer: Gazetteer, text: str) -> None:
    best = _first(gazetteer, text)
    assert best.kind == "crossing"
    assert distance_m(best.point, _at(4, 1)) < 5
    assert best.confidence > ACCEPT


def test_a_crossing_that_is_not_there_is_not_invented(gazetteer: Gazetteer) -> None:
    found = gazetteer.search("perempatan Jl. Kartini - Jl. Letjen Soebroto")
    assert {c.label for c in found} >= {"Jalan Kartini, Kejuron", "Jalan Letjen Soebroto, Mojorejo"}
    assert all(c.confidence < ACCEPT for c in found)
    assert "persimpangannya tidak ditemukan" in found[0].reason


def test_in_front_and_behind_are_directions(gazetteer: Gazetteer) -> None:
    """The post office stands 33 m north of Jalan Pahlawan."""
    front = _first(gazetteer, "depan Kantor Pos Kecil")
    behind = _first(gazetteer, "belakang Kantor Pos Kecil")
    across = _first(gazetteer, "seberang Kantor Pos Kecil")
    beside = _first(gazetteer, "sebelah Kantor Pos Kecil")
    office = _at(3.0, 0.7)
    assert distance_m(beside.point, office) < 1
    assert distance_m(front.point, _at(3.0, 1.0)) < 3  # on Jalan Pahlawan
    assert across.point.lat < front.point.lat  # over the street, which lies south
    assert behind.point.lat > office.lat + 0.0002
    near = _first(gazetteer, "dekat Kantor Pos Kecil")
    assert front.radius_m < behind.radius_m < near.radius_m


@pytest.mark.parametrize("text", ["Jl Cendrawasih 3", "cendrawasih III", "Jl. Cendrawasih iii"])
def test_roman_and_arabic_numerals_are_the_same(gazetteer: Gazetteer, text: str) -> None:
    best = _first(gazetteer, text)
    assert best.label == "Jalan Cendrawasih III, Kejuron"
    assert best.confidence > ACCEPT


def test_another_numeral_is_another_street(gazetteer: Gazetteer) -> None:
    assert _first(gazetteer, "Jl Cendrawasih 8").label == "Jalan Cendrawasih VIII, Kejuron"
    assert _first(gazetteer, "Jl Cendrawasih 5").confidence < ACCEPT


def test_the_ward_tells_namesakes_apart(gazetteer: Gazetteer) -> None:
    for text in ("Jl. Mawar, Mojorejo", "mawar kel mojorejo", "Jl Mawar kel. Mojorjo"):
        best = _first(gazetteer, text)
        assert (best.label, best.ward, best.district) == (
            "Jalan Mawar, Mojorejo",
            "Mojorejo",
            "Taman",
        )
    assert _first(gazetteer, "Jl. Mawar, Kejuron").ward == "Kejuron"


def test_before_a_comma_a_ward_s_name_is_the_street_s(gazetteer: Gazetteer) -> None:
    """Taman is the district, and the first word of a street."""
    best = _first(gazetteer, "Taman Raya Timur, Taman, Madiun")
    assert best.label == "Jalan Taman Raya Timur, Mojorejo"
    assert best.confidence > ACCEPT


def test_a_town_behind_a_comma_does_not_stand_for_the_missing_street(
    gazetteer: Gazetteer,
) -> None:
    found = gazetteer.search("Jl. Diponegoro 5, Pahlawan")
    assert all(c.confidence < ACCEPT for c in found)


def test_without_a_ward_namesakes_are_both_proposed_and_neither_is_sure(
    gazetteer: Gazetteer,
) -> None:
    found = gazetteer.search("Jalan Mawar")
    assert {c.ward for c in found[:2]} == {"Kejuron", "Mojorejo"}
    assert all(c.confidence < ACCEPT for c in found)
    assert "1 tempat lain bernama sama" in found[0].reason


def test_of_namesakes_the_nearer_comes_first(gazetteer: Gazetteer) -> None:
    assert _first(gazetteer, "Jalan Mawar", near=_at(16, 4)).ward == "Mojorejo"
    assert _first(gazetteer, "Jalan Mawar", near=_at(1, 4)).ward == "Kejuron"


def test_house_numbers_on_the_map_and_between_them(gazetteer: Gazetteer) -> None:
    exact = _first(gazetteer, "Jl. Pahlawan no 10")
    assert (exact.kind, exact.label) == ("address", "Jalan Pahlawan No. 10, Kejuron")
    assert distance_m(exact.point, _at(1.0, 1.1)) < 1
    between = _first(gazetteer, "Jl. Pahlawan No. 15")
    assert between.kind == "address"
    assert distance_m(between.point, _at(1.5, 1)) < 15
    assert between.radius_m > exact.radius_m
    assert "diperkirakan" in between.reason
    unknown = _first(gazetteer, "Jl. Pahlawan no 250")
    assert (unknown.kind, unknown.point) != ("address", exact.point)
    assert "nomor rumah tidak ada di peta" in unknown.reason


@pytest.mark.parametrize(
    "text",
    ["Jl. Diponegoro", "Masjid Al Ikhlas", "Hotel Bintang", "Aleksanterinkatu 15", "Jl Kenanga 4"],
)
def test_absent_places_are_refused(gazetteer: Gazetteer, text: str) -> None:
    assert all(c.confidence < ACCEPT for c in gazetteer.search(text))


@pytest.mark.parametrize(
    "text", ["", " ", "?", "jalan", "no 5", "x", "12345", "'; drop table", '"*']
)
def test_texts_that_name_nothing(gazetteer: Gazetteer, text: str) -> None:
    assert all(c.confidence < ACCEPT for c in gazetteer.search(text))


@given(st.text(max_size=80))
@settings(max_examples=150, deadline=None)
def test_no_text_breaks_the_search(gazetteer: Gazetteer, text: str) -> None:
    for candidate in gazetteer.search(text):
        assert 0 <= candidate.confidence <= 1
        assert candidate.reason.endswith(".")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        "1" * 5_000,
        "1 " * 3_000,
        "N 1 " * 2_000,
        "7°7'7\"" * 900,
        "depan " * 900,
        "qzwx vwqz " * 900,
    ],
    ids=["digits", "numbers", "letters", "angles", "cues", "unknown words"],
)
def test_a_long_text_does_not_hold_up_the_others(gazetteer: Gazetteer, text: str) -> None:
    assert all(c.confidence < ACCEPT for c in gazetteer.search(text))


def test_coordinates_and_links_are_taken_at_their_word(gazetteer: Gazetteer) -> None:
    pin = _first(gazetteer, "https://maps.google.com/?q=-7.6010,111.5040")
    assert (pin.kind, pin.ward, pin.district) == ("link", "Kejuron", "Taman")
    assert pin.confidence > ACCEPT
    assert _first(gazetteer, "-7.6010, 111.5040").kind == "coordinates"


@pytest.mark.parametrize("text", ["0, 0", "-7.0, 111.0", "-6.2, 106.8"])
def test_no_crew_is_sent_to_impossible_coordinates(gazetteer: Gazetteer, text: str) -> None:
    assert _first(gazetteer, text).confidence < 0.1


def test_the_limit_and_the_order(gazetteer: Gazetteer) -> None:
    found = gazetteer.search("Jalan Mawar", limit=1)
    assert len(found) == 1
    many = gazetteer.search("Jl Cendrawasih 3")
    assert [c.confidence for c in many] == sorted((c.confidence for c in many), reverse=True)


def test_reasons_in_english(gazetteer: Gazetteer) -> None:
    found = gazetteer.search("Jl. Mawar, Mojorejo", language="en")
    assert found[0].reason == "Same name; the area agrees."


def test_many_threads_get_the_same_answers(gazetteer: Gazetteer) -> None:
    texts = ["jl kartini", "perempatan pahlawan kartini", "dpn masjid agung", "Jl Mawar"] * 10
    alone = [gazetteer.search(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(gazetteer.search, texts)) == alone


def test_it_is_a_geocoder(gazetteer: Gazetteer) -> None:
    geocoder: Geocoder = gazetteer
    assert geocoder.search("Jalan Kartini")


@pytest.mark.parametrize(
    ("where", "indonesian", "english"),
    [
        (
            _at(4, 1.02),
            "Simpang Jl. Kartini – Jl. Pahlawan, Kel. Kejuron",
            "Corner of Jl. Kartini and Jl. Pahlawan, Kel. Kejuron",
        ),
        (
            _at(2, 1.05),
            "Jl. Pahlawan, 220 m sebelah barat Jl. Kartini, Kel. Kejuron",
            "Jl. Pahlawan, 220 m west of Jl. Kartini, Kel. Kejuron",
        ),
        (
            _at(13, 2.1),
            "110 m sebelah timur Jl. Letjen Soebroto, dekat Toko Sinar Jaya, Kel. Mojorejo",
            "110 m east of Jl. Letjen Soebroto, near Toko Sinar Jaya, Kel. Mojorejo",
        ),
    ],
)
def test_a_position_in_words(
    gazetteer: Gazetteer, where: Point, indonesian: str, english: str
) -> None:
    phrase = gazetteer.reverse(where)
    assert phrase is not None
    assert (phrase.text, phrase.district) == (indonesian, "Taman")
    translated = gazetteer.reverse(where, language="en")
    assert translated is not None
    assert translated.text == english
    assert in_language(phrase.text, "en") == english
    assert in_language(phrase.text, "id") == indonesian


def test_nothing_is_said_about_the_far_side_of_the_earth(gazetteer: Gazetteer) -> None:
    assert gazetteer.reverse(Point(10, 10)) is None


def test_a_file_that_is_no_gazetteer_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(GazetteerError, match="There is no gazetteer at"):
        Gazetteer.open(tmp_path / "none.sqlite3")
    text = tmp_path / "text.sqlite3"
    text.write_text("not a database, but long enough to be read as one" * 20)
    with pytest.raises(GazetteerError, match="is no gazetteer"):
        Gazetteer.open(text)


def test_a_failing_build_leaves_the_old_file(tmp_path: Path, path: Path) -> None:
    out = tmp_path / "gazetteer.sqlite3"
    out.write_bytes(b"old")
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(b"no map")
    areas = Areas([_ward("Kejuron", 0, 9, "none")])
    with pytest.raises(GazetteerError, match="no readable OpenStreetMap file"):
        build_gazetteer(broken, areas, out)
    with pytest.raises(GazetteerError, match="There is no OpenStreetMap extract"):
        build_gazetteer(tmp_path / "absent.osm", areas, out)
    assert out.read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["broken.osm.pbf", "gazetteer.sqlite3"]
