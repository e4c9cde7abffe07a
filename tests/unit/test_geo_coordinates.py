"""Coordinates as people send them, and the traps in them."""

import pytest

from geo.coordinates import Flag, Kind, is_bare_short_link, read_coordinates
from geo.point import Box

MADIUN = Box(111.4, -7.75, 111.65, -7.5)
HELSINKI = Box(24.8, 60.1, 25.2, 60.3)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("-7.6298, 111.5239", "decimal"),
        ("-7.6298 111.5239", "decimal"),
        ("(-7.6298; 111.5239)", "decimal"),
        ("−7.6298, 111.5239", "decimal"),
        ("-7,6298 111,5239", "decimal"),
        ("-7,6298, 111,5239", "decimal"),
        ("lat: -7.6298 lon: 111.5239", "decimal"),
        ("pohon tumbang di -7.6298,111.5239 depan masjid", "decimal"),
        ("7.6298 LS 111.5239 BT", "dms"),
        ("7,6298° LS, 111,5239° BT", "dms"),
        ("LS 7.6298 BT 111.5239", "dms"),
        ("111.5239 BT 7.6298 LS", "dms"),
        ("7.6298 lintang selatan 111.5239 bujur timur", "dms"),
        ("S7.6298 E111.5239", "dms"),
        ("https://maps.google.com/?q=-7.6298,111.5239", "link"),
        ("https://maps.google.com/?q=-7.6298%2C111.5239", "link"),
        ("https://www.google.com/maps?q=loc:-7.6298,111.5239", "link"),
        ("https://www.google.com/maps/search/-7.6298,+111.5239?entry=tts", "link"),
        ("https://www.google.com/maps/dir/-7.5,111.5/-7.6298,111.5239", "link"),
        ("https://www.google.com/maps/@-7.6298,111.5239,15z", "link"),
        ("lihat https://waze.com/ul?ll=-7.6298%2C111.5239&navigate=yes ya", "link"),
        ("https://maps.apple.com/?ll=-7.6298,111.5239", "link"),
        ("https://www.openstreetmap.org/#map=17/-7.6298/111.5239", "link"),
        ("https://yandex.com/maps/?ll=111.5239,-7.6298&z=12", "link"),
        ("geo:-7.6298,111.5239?z=16", "geo"),
        ("geo:0,0?q=-7.6298,111.5239(Masjid)", "geo"),
    ],
)
def test_the_same_place_in_every_spelling(text: str, kind: Kind) -> None:
    reading = read_coordinates(text, box=MADIUN)
    assert reading is not None
    assert (reading.point.lat, reading.point.lon) == pytest.approx((-7.6298, 111.5239))
    assert (reading.kind, reading.flags) == (kind, ())


@pytest.mark.parametrize(
    "text",
    [
        "7°37'47\"S 111°31'26\"E",
        "7°37′47″S, 111°31′26″E",
        "7 37 47 S, 111 31 26 E",
        "7:37:47 S 111:31:26 E",
        "7d37m47s S 111d31m26s E",
        "S 7° 37' 47\" E 111° 31' 26\"",
        "7 derajat 37 menit 47 detik LS, 111 derajat 31 menit 26 detik BT",
    ],
)
def test_degrees_minutes_and_seconds(text: str) -> None:
    reading = read_coordinates(text, box=MADIUN)
    assert reading is not None
    assert reading.point.lat == pytest.approx(-7.629722, abs=1e-6)
    assert reading.point.lon == pytest.approx(111.523889, abs=1e-6)


def test_the_pin_of_a_google_link_counts_and_not_the_camera() -> None:
    link = (
        "https://www.google.com/maps/place/Alun-alun+Madiun/@-7.6290,111.5150,17z/"
        "data=!3m1!4b1!4m6!3m5!1s0x!8m2!3d-7.6301!4d111.5172"
    )
    reading = read_coordinates(link, box=MADIUN)
    assert reading is not None
    assert (reading.point.lat, reading.point.lon) == (-7.6301, 111.5172)


def test_the_marker_of_an_openstreetmap_link_counts_and_not_the_view() -> None:
    link = "https://www.openstreetmap.org/?mlat=-7.62&mlon=111.52#map=17/-7.61/111.51"
    reading = read_coordinates(link, box=MADIUN)
    assert reading is not None
    assert (reading.point.lat, reading.point.lon) == (-7.62, 111.52)


@pytest.mark.parametrize("text", ["6P4H9GCF+3H", "9GCF+3H Madiun", "9gcf+3h, Kota Madiun"])
def test_plus_codes_full_and_short(text: str) -> None:
    reading = read_coordinates(text, box=MADIUN)
    assert reading is not None
    assert reading.kind == "plus_code"
    assert reading.point.lat == pytest.approx(-7.6298, abs=2e-4)
    assert reading.point.lon == pytest.approx(111.5239, abs=2e-4)


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("111.5239, -7.6298", ("swapped",)),
        ("0,0", ("zero", "out_of_area")),
        ("0.0, 0.0", ("zero", "out_of_area")),
        ("-8.0, 112.0", ("whole_degree", "out_of_area")),
        ("-6.2, 106.816", ("out_of_area",)),
        ("106.816, -6.2", ("swapped", "out_of_area")),
    ],
)
def test_doubtful_coordinates_are_flagged(text: str, flags: tuple[Flag, ...]) -> None:
    reading = read_coordinates(text, box=MADIUN)
    assert reading is not None
    assert reading.flags == flags


def test_swapped_is_only_said_where_it_helps() -> None:
    """60, 24 and 24, 60 are both places on the earth; the city decides."""
    right = read_coordinates("60.170, 24.940", box=HELSINKI)
    assert right is not None
    assert right.flags == ()
    exchanged = read_coordinates("24.940, 60.170", box=HELSINKI)
    assert exchanged is not None
    assert exchanged.flags == ("swapped",)
    assert exchanged.point.lat == 60.17


def test_letters_say_which_number_is_which() -> None:
    reading = read_coordinates("111.5239 E, 7.6298 S", box=MADIUN)
    assert reading is not None
    assert (reading.point.lat, reading.point.lon, reading.flags) == (-7.6298, 111.5239, ())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Jl. Kartini No 12, RT 5",
        "RT 05 RW 12",
        "Jalan 5.2, 10.3",
        "7,6298",
        "-7.6298 LS",
        "200.123, 300.123",
        "1200 N Charles St",
        "12 N Charles St & 5 E Lombard St",
        "https://maps.app.goo.gl/AbCd123",
        "telepon 0812-3456-7890",
        "7 75 00 S, 111 31 26 E",
    ],
)
def test_what_is_no_place(text: str) -> None:
    assert read_coordinates(text, box=MADIUN) is None


@pytest.mark.parametrize(
    ("typed", "is_bare"),
    [
        ("https://maps.app.goo.gl/AbCd123", True),
        (" https://goo.gl/maps/xyz ", True),
        ("Jl. Pahlawan https://maps.app.goo.gl/AbCd123", False),
        ("https://www.google.com/maps?q=-7.63,111.53", False),
    ],
)
def test_a_short_link_alone_is_known_for_what_it_is(typed: str, is_bare: bool) -> None:
    assert is_bare_short_link(typed) == is_bare
