"""A citizen reports with JavaScript off: one form, nothing lost, one ticket."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from dispatch.core.reports import Report
from tests.story.small_city import EAST, MIDDLE, NORTH, Stand, stand

NOTHING = ("photo", ("", b"", "application/octet-stream"))


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("pages")) as running:
        yield running


@pytest.fixture
def browser(city: Stand) -> httpx.Client:
    return city.visitor().client


def _photo(color: str = "green") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (320, 240), color).save(out, "JPEG")
    return out.getvalue()


def _key(page: str) -> str:
    found = re.search(r'name="key" value="(\w+)"', page)
    assert found
    return found[1]


def _complaints(page: str) -> dict[str, str]:
    found = re.findall(r'class="complaint" id="(\w+)-error">.*?<span>(.*?)</span>', page, re.DOTALL)
    return {field: html.unescape(text) for field, text in found}


def _send(
    browser: httpx.Client, *, photos: list[tuple[str, bytes]] | None = None, **fields: Any
) -> httpx.Response:
    """What a browser without scripts sends when the form's button is pressed."""
    if "key" not in fields:
        fields["key"] = _key(browser.get("/kota/").text)
    files = [("photo", (name, data, "image/jpeg")) for name, data in photos or []]
    return browser.post(
        "/kota/",
        data={"do": "send", **fields},
        files=files or [NOTHING],
        follow_redirects=False,
    )


TREE: dict[str, Any] = {
    "service_code": "fallen_tree",
    "description": "Pohon besar menutup jalan",
    "place_typed": "Jalan Pahlawan",
}


def test_report_without_scripts_gives_ticket_and_private_link(browser: httpx.Client) -> None:
    sent = _send(browser, **TREE)
    assert sent.status_code == 303
    where = sent.headers["location"]
    assert re.fullmatch(r"/kota/sent/KTA-\w{4}-\w\?k=[\w-]{20,}", where)
    answer = browser.get(where)
    assert answer.status_code == 200
    ticket = where.split("/")[3].split("?")[0]
    assert f'class="ticket" aria-labelledby="ticket-label">{ticket}<' in answer.text
    link = str(browser.base_url).rstrip("/") + where.replace("/sent/", "/r/")
    assert link in html.unescape(answer.text)
    assert "Jalan Pahlawan" in answer.text


def test_every_missing_field_is_said_beside_it_and_nothing_is_lost(browser: httpx.Client) -> None:
    typed = {"name": "Siti <b>", "phone": "0812 3456 7890", "description": "  "}
    sent = _send(browser, photos=[("a.jpg", _photo())], secret="1", **typed)
    assert sent.status_code == 422
    assert set(_complaints(sent.text)) == {"service_code", "description", "place_typed"}
    assert 'role="alert"' in sent.text
    assert 'value="Siti &lt;b&gt;"' in sent.text
    assert 'value="0812 3456 7890"' in sent.text
    assert re.search(r'name="secret" value="1" checked', sent.text)
    [photo_id] = re.findall(r'name="photo_id" value="([\w-]+)"', sent.text)
    again = _send(browser, key=_key(sent.text), photo_id=photo_id, **TREE)
    assert again.status_code == 303
    page = browser.get(again.headers["location"].replace("/sent/", "/r/")).text
    assert photo_id in page


def test_uploaded_photo_is_shown_to_its_sender_only(browser: httpx.Client) -> None:
    key = _key(browser.get("/kota/").text)
    sent = _send(browser, key=key, photos=[("a.jpg", _photo("red"))])
    [photo_id] = re.findall(r'name="photo_id" value="([\w-]+)"', sent.text)
    address = f"/api/kota/photos/{photo_id}?size=thumb"
    assert browser.get(address).status_code == 404
    assert browser.get(f"{address}&u=somebodyelse").status_code == 404
    shown = browser.get(f"{address}&u={key}")
    assert shown.headers["content-type"] == "image/jpeg"
    assert "private" in shown.headers["cache-control"]


def test_a_photo_of_somebody_else_cannot_be_taken(browser: httpx.Client) -> None:
    sent = _send(browser, photos=[("a.jpg", _photo("blue"))])
    [photo_id] = re.findall(r'name="photo_id" value="([\w-]+)"', sent.text)
    stolen = _send(browser, photo_id=photo_id, **TREE)
    assert stolen.status_code == 422
    assert "photos" in _complaints(stolen.text)


def test_bad_photos_are_named_and_good_ones_kept(browser: httpx.Client) -> None:
    files = [("baik.jpg", _photo()), ("virus.jpg", b"MZ not a picture")]
    sent = _send(browser, photos=files, **TREE)
    assert sent.status_code == 422
    assert "virus.jpg" in _complaints(sent.text)["photos"]
    assert len(re.findall(r'name="photo_id"', sent.text)) == 1


def test_six_photos_are_one_too_many(browser: httpx.Client) -> None:
    colors = ("red", "green", "blue", "white", "black", "yellow")
    sent = _send(browser, photos=[(f"{c}.jpg", _photo(c)) for c in colors], **TREE)
    assert sent.status_code == 422
    assert len(re.findall(r'name="photo_id"', sent.text)) == 5
    assert "photos" in _complaints(sent.text)


def test_a_photo_can_be_taken_back(browser: httpx.Client) -> None:
    sent = _send(browser, photos=[("a.jpg", _photo()), ("b.jpg", _photo("red"))])
    first, second = re.findall(r'name="photo_id" value="([\w-]+)"', sent.text)
    left = browser.post(
        "/kota/",
        data={"key": _key(sent.text), "photo_id": [first, second], "remove": first, **TREE},
    )
    assert re.findall(r'name="photo_id" value="([\w-]+)"', left.text) == [second]
    assert "Pohon besar menutup jalan" in left.text


def test_double_press_gives_the_same_ticket(browser: httpx.Client) -> None:
    key = _key(browser.get("/kota/").text)
    files = [("a.jpg", _photo("purple"))]
    first = _send(browser, key=key, photos=files, **TREE)
    second = _send(browser, key=key, photos=files, **TREE)
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]


def test_changed_after_sending_is_asked_about_not_lost(browser: httpx.Client) -> None:
    key = _key(browser.get("/kota/").text)
    first = _send(browser, key=key, **TREE)
    changed = _send(browser, key=key, **{**TREE, "description": "Sekarang dua pohon"})
    assert changed.status_code == 409
    assert "Sekarang dua pohon" in changed.text
    assert _key(changed.text) != key
    again = _send(browser, key=_key(changed.text), **{**TREE, "description": "Sekarang dua pohon"})
    assert again.status_code == 303
    assert again.headers["location"] != first.headers["location"]


def test_unfound_place_still_makes_a_report_and_says_so(browser: httpx.Client) -> None:
    sent = _send(browser, **{**TREE, "place_typed": "belakang warung Bu Tini"})
    assert sent.status_code == 303
    page = browser.get(sent.headers["location"]).text
    assert "Petugas akan memasang titiknya" in page
    assert "belakang warung Bu Tini" in page


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("0, 0", "0, 0"),
        ("-8, 111", "derajat penuh"),
        (f"{MIDDLE[0]}, {MIDDLE[1]}", "tertukar"),
        ("-6.2000, 106.8166", "di luar Kota"),
    ],
)
def test_impossible_coordinates_get_a_sentence(
    browser: httpx.Client, typed: str, word: str
) -> None:
    sent = _send(browser, **{**TREE, "place_typed": typed})
    assert sent.status_code == 422
    assert word in _complaints(sent.text)["place_typed"]
    assert f'value="{typed}"' in sent.text


@pytest.mark.parametrize(
    ("lon", "lat"), [("0", "0"), ("111", "-8"), (str(MIDDLE[1]), str(MIDDLE[0])), ("999", "5")]
)
def test_impossible_pins_get_a_sentence(browser: httpx.Client, lon: str, lat: str) -> None:
    sent = _send(browser, **{**TREE, "place_typed": "", "lon": lon, "lat": lat})
    assert sent.status_code == 422
    assert _complaints(sent.text)["place_typed"]


def test_coordinates_and_map_links_are_places(browser: httpx.Client) -> None:
    for typed in (
        f"{MIDDLE[1]}, {MIDDLE[0]}",
        f"https://maps.google.com/?q={MIDDLE[1]},{MIDDLE[0]}",
    ):
        assert _send(browser, **{**TREE, "place_typed": typed}).status_code == 303


def test_the_place_can_be_checked_before_sending(browser: httpx.Client) -> None:
    looked = _send(browser, **{**TREE, "do": "place"})
    assert looked.status_code == 200
    assert 'name="choice"' in looked.text
    assert "Pohon besar menutup jalan" in looked.text
    unknown = _send(browser, **{**TREE, "do": "place", "place_typed": "entah di mana"})
    assert "belum kami temukan" in unknown.text
    [choice] = re.findall(r'name="choice" value="([\d.,-]+)" checked', looked.text)
    kept = _send(browser, key=_key(looked.text), choice=choice, **{**TREE, "description": " "})
    assert kept.status_code == 422
    assert f'name="lon" value="{MIDDLE[0]}"' in kept.text
    assert "Jalan Pahlawan" in re.findall(r"data-pinned-label>(.*?)<", kept.text)


def test_a_picked_street_keeps_its_name_and_its_doubt(city: Stand) -> None:
    pin: dict[str, Any] = {"lon": str(MIDDLE[0]), "lat": str(MIDDLE[1])}
    picked = _report_of(city, _send(city.visitor().client, **pin, **TREE))
    assert (picked.place_label, picked.radius_m) == ("Jalan Pahlawan", 120.0)
    pointed = _send(city.visitor().client, **{**TREE, **pin, "place_typed": "dekat pasar"})
    assert _report_of(city, pointed).radius_m == 15.0


def _report_of(city: Stand, sent: httpx.Response) -> Report:
    ticket, token = sent.headers["location"].split("/")[3].split("?k=")
    report_id = city.system.report_of("kota", ticket, token)
    assert report_id is not None
    with city.system.looking("kota") as world:
        return world.report(report_id)


def test_none_of_the_proposals_leaves_the_place_to_the_staff(browser: httpx.Client) -> None:
    sent = _send(browser, choice="none", **TREE)
    assert sent.status_code == 303
    assert "Petugas akan memasang titiknya" in browser.get(sent.headers["location"]).text


def test_language_switch_keeps_what_was_typed(browser: httpx.Client) -> None:
    switched = _send(browser, lang="en", **TREE)
    assert switched.status_code == 200
    assert '<html lang="en"' in switched.text
    assert "Pohon besar menutup jalan" in switched.text
    assert "sigap_lang=en" in switched.headers["set-cookie"]
    assert "Report a problem in Kota" in browser.get("/kota/").text
    back = browser.get("/kota/map?status=open&lang=id", follow_redirects=False)
    assert back.status_code == 303
    assert back.headers["location"] == "/kota/map?status=open"


def test_appearance_switch_is_remembered(city: Stand) -> None:
    browser = city.visitor().client
    assert "data-theme" not in browser.get("/kota/find").text
    assert 'data-theme="dark"' in browser.get("/kota/find?theme=dark").text
    assert 'data-theme="dark"' in browser.get("/kota/").text


def test_switching_leads_to_no_other_site(browser: httpx.Client) -> None:
    away = browser.get("//evil.example/kota/?lang=en", follow_redirects=False)
    assert not away.headers.get("location", "/").startswith("//")


def test_me_too_fills_the_form_from_an_open_report(city: Stand) -> None:
    ticket, _, _ = city.report(service_code="pothole", lon=EAST - 0.01, lat=NORTH - 0.01)
    browser = city.visitor().client
    near = browser.get(f"/kota/similar?lon={EAST - 0.0101}&lat={NORTH - 0.01}&service=pothole")
    assert f'value="{ticket}"' in near.text
    filled = _send(browser, me_too=ticket, description="Ban saya pecah")
    assert filled.status_code == 200
    assert re.search(r'value="pothole" required checked', filled.text)
    assert ticket in filled.text
    assert "Ban saya pecah" in filled.text
    lon = re.search(r'name="lon" value="([\d.]+)"', filled.text)
    assert lon
    assert float(lon[1]) == pytest.approx(EAST - 0.01)


def test_secret_reports_are_never_hinted_at(city: Stand) -> None:
    spot = {"lon": EAST - 0.02, "lat": NORTH - 0.02}
    ticket, _, _ = city.report(service_code="pothole", secret=True, **spot)
    browser = city.visitor().client
    assert browser.get("/kota/similar", params=spot).text == ""
    filled = _send(browser, me_too=ticket)
    assert ticket not in filled.text


def test_anonymous_report_keeps_no_contact(city: Stand) -> None:
    sent = _send(city.visitor().client, anonymous="1", name="Siti", phone="08123456789", **TREE)
    where = sent.headers["location"]
    ticket, token = where.split("/")[3].split("?k=")
    report_id = city.system.report_of("kota", ticket, token)
    assert report_id is not None
    with city.system.looking("kota") as world:
        kept = world.personal(report_id)
        assert world.report(report_id).anonymous
    assert kept is not None
    assert (kept.name, kept.phone, kept.email) == (None, None, None)


def test_wrong_contacts_are_said_beside_them(browser: httpx.Client) -> None:
    sent = _send(browser, phone="halo", email="bukan email", **TREE)
    assert {"phone", "email"} <= set(_complaints(sent.text))


def test_endless_text_is_refused_but_shown_again(browser: httpx.Client) -> None:
    sent = _send(browser, **{**TREE, "description": "a" * 4001})
    assert sent.status_code == 422
    assert "4001" in _complaints(sent.text)["description"]
    assert "a" * 4001 in sent.text


def test_too_many_reports_keep_the_words(tmp_path: Path) -> None:
    with stand(tmp_path, rate_factor=0.025) as running:
        browser = running.visitor().client
        answers = [_send(browser, **TREE) for _ in range(3)]
    assert answers[-1].status_code == 429
    assert "Pohon besar menutup jalan" in answers[-1].text


def test_pages_need_no_inline_script_or_style(browser: httpx.Client) -> None:
    for path in ("/", "/kota/", "/kota/map", "/kota/find"):
        page = browser.get(path)
        assert not re.search(r"<script(?![^>]*\bsrc=)", page.text)
        assert "<style" not in page.text
        assert not re.search(r'\s(style|on\w+)="', page.text)
        assert "'unsafe" not in page.headers["content-security-policy"]
        assert "OpenStreetMap" in page.text


def test_choose_a_city_or_be_told_there_is_none(browser: httpx.Client) -> None:
    front = browser.get("/")
    assert 'href="/kota/"' in front.text
    assert 'href="/tetangga/"' in front.text
    assert browser.get("/kota", follow_redirects=False).headers["location"] == "/kota/"
    missing = browser.get("/atlantis/")
    assert missing.status_code == 404
    assert missing.headers["content-type"].startswith("text/html")


def test_a_photo_brings_its_position_and_how_exact_it_is(browser: httpx.Client) -> None:
    tags = Image.Exif()
    tags[0x8825] = {
        1: "S",
        2: (7.0, 37.0, 48.0),
        3: "E",
        4: (111.0, 31.0, 48.0),
        31: 7.5,
    }
    out = io.BytesIO()
    Image.new("RGB", (320, 240), "olive").save(out, "JPEG", exif=tags)
    sent = browser.post("/api/kota/photos", files={"file": ("a.jpg", out.getvalue(), "image/jpeg")})
    assert sent.status_code == 201, sent.text
    told = sent.json()
    assert (round(told["lon"], 4), round(told["lat"], 4)) == (111.53, -7.63)
    assert told["accuracy_m"] == 7.5
    plain = browser.post("/api/kota/photos", files={"file": ("b.jpg", _photo(), "image/jpeg")})
    assert plain.json().get("accuracy_m") is None
