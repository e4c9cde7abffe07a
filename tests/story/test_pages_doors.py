"""Programs report, follow and answer; photos come in checked and leave nothing behind."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from tests.story.small_city import MIDDLE, Stand, stand
from web import photo_rows


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("doors")) as running:
        yield running


TREE = {
    "service_code": "fallen_tree",
    "description": "Pohon tumbang",
    "lon": MIDDLE[0],
    "lat": MIDDLE[1],
}


def _photo(*, located: bool = False, color: str = "teal") -> bytes:
    exif = Image.Exif()
    if located:
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        gps[ExifTags.GPS.GPSLatitudeRef] = "S"
        gps[ExifTags.GPS.GPSLatitude] = tuple(IFDRational(n) for n in (7, 37, 48))
        gps[ExifTags.GPS.GPSLongitudeRef] = "E"
        gps[ExifTags.GPS.GPSLongitude] = tuple(IFDRational(n) for n in (111, 31, 48))
    out = io.BytesIO()
    Image.new("RGB", (300, 200), color).save(out, "JPEG", exif=exif)
    return out.getvalue()


def _upload(city: Stand, data: bytes, **form: str) -> httpx.Response:
    files = {"file": ("../../etc/passwd.svg", data, "image/svg+xml")}
    answer: httpx.Response = city.visitor().client.post("/api/kota/photos", files=files, data=form)
    return answer


def test_report_follow_and_answer(city: Stand) -> None:
    desk = city.visitor()
    told = desk.post("/reports", {**TREE, "reporter": {"name": "Siti"}})
    assert told.status_code == 201
    ticket, token = told.json()["ticket"], told.json()["token"]
    assert told.json()["link"] == f"/kota/r/{ticket}?k={token}"
    view = desk.get(f"/track/{ticket}", params={"k": token}).json()
    assert view["ticket"] == ticket
    assert [step["code"] for step in view["steps"]] == ["received"]
    assert view["due_at"] > view["received_at"]
    assert view["overdue"] is False
    assert desk.get(f"/track/{ticket}", params={"k": "wrong"}).status_code == 404
    early = desk.post(f"/track/{ticket}/answer", {"k": token, "answer": "satisfied"})
    assert (early.status_code, early.json()["code"]) == (409, "wrong_status")


def test_the_same_key_gives_the_same_ticket(city: Stand) -> None:
    key = str(uuid4())
    first = city.visitor().post("/reports", TREE, key=key)
    second = city.visitor().post("/reports", TREE, key=key)
    assert first.json() == second.json()
    other = city.visitor().post("/reports", {**TREE, "description": "Lain"}, key=key)
    assert other.status_code == 422


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"service_code": "nothing"}, "service_code"),
        ({"description": " \n "}, "description"),
        ({"lon": 0, "lat": 0}, "lon"),
        ({"lon": 112, "lat": -8}, "lon"),
        ({"lon": MIDDLE[1], "lat": MIDDLE[0]}, "lon"),
        ({"lon": 106.8, "lat": -6.2}, "lon"),
        ({"lon": None}, "lon"),
        ({"lon": None, "lat": None}, "place_typed"),
        ({"reporter": {"email": "halo"}}, "email"),
        ({"photo_ids": [str(uuid4())]}, "photo_ids"),
    ],
)
def test_what_is_wrong_is_named(city: Stand, change: dict[str, object], field: str) -> None:
    answer = city.visitor().post("/reports", {**TREE, **change})
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert answer.json()["detail"]


def test_a_report_that_was_refused_leaves_nothing(city: Stand) -> None:
    with city.system.looking("kota") as world:
        before = world.new_ticket()
    city.visitor().post("/reports", {**TREE, "photo_ids": [str(uuid4())]})
    with city.system.looking("kota") as world:
        assert world.new_ticket() == before


def test_position_of_a_photo_is_told_and_stripped(city: Stand) -> None:
    told = _upload(city, _photo(located=True))
    assert told.status_code == 201
    assert told.json()["lat"] == pytest.approx(-7.63)
    assert told.json()["lon"] == pytest.approx(111.53)
    kept = city.visitor().get(f"/photos/{told.json()['photo_id']}")
    assert not dict(Image.open(io.BytesIO(kept.content)).getexif())
    assert kept.headers["content-type"] == "image/jpeg"
    assert kept.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("data", [b"", b"<svg onload=alert(1)>", b"x" * (10 * 1024 * 1024 + 1)])
def test_what_is_no_photo_is_refused(city: Stand, data: bytes) -> None:
    refused = _upload(city, data)
    assert refused.status_code in (413, 422)
    assert refused.headers["content-type"] == "application/problem+json"


def test_a_photo_serves_one_report_only(city: Stand) -> None:
    photo_id = _upload(city, _photo()).json()["photo_id"]
    assert city.visitor().post("/reports", {**TREE, "photo_ids": [photo_id]}).status_code == 201
    assert city.visitor().post("/reports", {**TREE, "photo_ids": [photo_id]}).status_code == 422


def test_an_upload_token_closes_the_photo_to_others(city: Stand) -> None:
    photo_id = _upload(city, _photo(), upload_token="my-own-secret").json()["photo_id"]
    desk = city.visitor()
    assert desk.get(f"/photos/{photo_id}").status_code == 404
    assert desk.get(f"/photos/{photo_id}?u=my-own-secret").status_code == 200
    with_photo = {**TREE, "photo_ids": [photo_id]}
    assert desk.post("/reports", with_photo).status_code == 422
    named = desk.post("/reports", {**with_photo, "upload_token": "my-own-secret"})
    assert named.status_code == 201


def test_photos_nobody_claims_are_forgotten_after_a_day(tmp_path: Path) -> None:
    with stand(tmp_path) as city:
        lost = UUID(_upload(city, _photo(color="red")).json()["photo_id"])
        shared = _upload(city, _photo(color="blue")).json()["photo_id"]
        used = _upload(city, _photo(color="blue")).json()["photo_id"]
        ticket, token, _ = city.report(photo_ids=[used])
        with city.system.reading("kota") as connection:
            forgotten = photo_rows.find(connection, "kota", lost)
        assert forgotten is not None
        now = city.system.clock
        city.system.clock = lambda: now() + timedelta(hours=25)
        _upload(city, _photo(color="white"))
        for photo_id in (lost, UUID(shared)):
            with city.system.reading("kota") as connection:
                assert photo_rows.find(connection, "kota", photo_id) is None
        assert not list(city.system.blobs.root.rglob(f"{forgotten.sha256}*"))
        kept = city.visitor().get(f"/photos/{used}?ticket={ticket}&k={token}")
        assert kept.status_code == 200
