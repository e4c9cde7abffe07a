"""Everybody may see what was reported where; nobody sees a secret report or a reporter's words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.story.small_city import MIDDLE, Stand, stand


@pytest.fixture(
    scope="module",
    params=["sqlite", pytest.param("postgis", marks=pytest.mark.needs("postgis"))],
)
def city(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stand]:
    url = request.getfixturevalue("postgis_database") if request.param == "postgis" else None
    with stand(tmp_path_factory.mktemp("map"), database_url=url) as running:
        yield running


def test_public_list_has_no_secret_and_no_words(city: Stand) -> None:
    shown, _, _ = city.report(description="Nomor saya 08123456789", service_code="waste")
    hidden, _, _ = city.report(secret=True)
    browser = city.visitor().client
    page = browser.get("/kota/map").text
    data = browser.get("/api/kota/public/reports").text
    for text in (page, data):
        assert shown in text
        assert hidden not in text
        assert "08123456789" not in text


def test_archived_reports_are_not_paraded(city: Stand) -> None:
    ticket, _, report_id = city.report()
    city.staff("dispatcher").post(f"/reports/{report_id}/archive", {"reason": "iseng"})
    assert ticket not in city.visitor().client.get("/kota/map").text


def test_filters(city: Stand) -> None:
    pothole, _, _ = city.report(service_code="pothole")
    light, _, light_id = city.report(service_code="street_light")
    refused = city.staff("dispatcher").post(f"/reports/{light_id}/refuse", {"reason": "PLN"})
    assert refused.status_code == 200
    browser = city.visitor().client
    only = browser.get("/kota/map?service=pothole").text
    assert pothole in only
    assert light not in only
    over = browser.get("/kota/map?status=closed").text
    assert light in over
    assert pothole not in over
    assert browser.get("/kota/map?service=<script>&status=nonsense").status_code == 200


def test_near_a_place_nearest_first(city: Stand) -> None:
    far, _, _ = city.report(service_code="flood", lon=MIDDLE[0] + 0.001)
    near, _, _ = city.report(service_code="flood", lon=MIDDLE[0] + 0.0002)
    query = f"lon={MIDDLE[0]}&lat={MIDDLE[1]}&service_code=flood"
    answer = city.visitor().client.get(f"/api/kota/public/reports?{query}&within_m=200")
    found = answer.json()["reports"]
    assert [each["ticket"] for each in found] == [near, far]
    assert found[0]["distance_m"] == pytest.approx(22, abs=1)


def test_box_bounds_the_answer(city: Stand) -> None:
    ticket, _, _ = city.report(lon=MIDDLE[0] + 0.02)
    browser = city.visitor().client
    inside = browser.get(f"/api/kota/public/reports?bbox={MIDDLE[0] + 0.019},-7.64,111.56,-7.62")
    assert [each["ticket"] for each in inside.json()["reports"]] == [ticket]
    assert browser.get("/api/kota/public/reports?bbox=1,2,3").status_code == 422
    assert browser.get("/api/kota/public/reports?lon=999&lat=0").status_code == 422
