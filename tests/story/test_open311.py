"""Other cities' programs report and read through Open311 GeoReport v2, in XML and in JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import httpx
import pytest
from defusedxml.ElementTree import fromstring

from tests.story.small_city import MIDDLE, Stand, stand
from web.settings import Settings

V2 = "/open311/v2"
CITY = {"jurisdiction_id": "kota"}
POTHOLE = {
    **CITY,
    "service_code": "pothole",
    "lat": str(MIDDLE[1]),
    "long": str(MIDDLE[0]),
    "description": "Lubang dalam di depan pasar",
}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("open311")) as running:
        yield running


@pytest.fixture
def program(city: Stand) -> httpx.Client:
    return city.visitor().client


def _xml(answer: httpx.Response) -> Element:
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    tree: Element = fromstring(answer.content)
    return tree


def _sent(program: httpx.Client, **fields: Any) -> str:
    answer = program.post(f"{V2}/requests.json", data={**POTHOLE, **fields})
    assert answer.status_code == 201, answer.text
    ticket: str = answer.json()[0]["service_request_id"]
    return ticket


def test_services_in_both_formats(program: httpx.Client) -> None:
    listed = program.get(f"{V2}/services.json", params=CITY).json()
    tree = _xml(program.get(f"{V2}/services.xml", params=CITY))
    assert tree.tag == "services"
    codes = [each.findtext("service_code") for each in tree.findall("service")]
    assert codes == [each["service_code"] for each in listed]
    assert "pothole" in codes
    first = tree.find("service")
    assert first is not None
    assert first.findtext("metadata") == "false"
    assert first.findtext("type") == "realtime"
    english = program.get(f"{V2}/services.json", params=CITY, headers={"Accept-Language": "en"})
    assert "Pothole" in {each["service_name"] for each in english.json()}


def test_service_definition(program: httpx.Client) -> None:
    tree = _xml(program.get(f"{V2}/services/pothole.xml", params=CITY))
    assert tree.findtext("service_code") == "pothole"
    assert tree.find("attributes") is not None
    assert program.get(f"{V2}/services/nothing.json", params=CITY).status_code == 404


def test_a_request_is_a_report_on_the_desk(city: Stand, program: httpx.Client) -> None:
    answer = program.post(f"{V2}/requests.xml", data={**POTHOLE, "first_name": "Siti"})
    assert answer.status_code == 201
    request = _xml(answer).find("request")
    assert request is not None
    ticket = request.findtext("service_request_id")
    notice = request.findtext("service_notice")
    assert notice
    link = notice.split(" ")[-1]
    assert link.startswith(str(program.base_url))
    assert "Lubang dalam" in program.get(link).text
    token = link.partition("?k=")[2]
    report_id = city.system.report_of("kota", str(ticket), token)
    assert report_id is not None
    with city.system.looking("kota") as world:
        report, kept = world.report(report_id), world.personal(report_id)
    assert report.channel == "open311"
    assert kept is not None
    assert kept.name == "Siti"


def test_address_alone_is_enough(program: httpx.Client) -> None:
    fields = {**POTHOLE, "address_string": "Jalan Pahlawan"}
    del fields["lat"], fields["long"]
    answer = program.post(f"{V2}/requests.json", data=fields)
    assert answer.status_code == 201
    ticket = answer.json()[0]["service_request_id"]
    told = program.get(f"{V2}/requests/{ticket}.json", params=CITY).json()[0]
    assert told["address"] == "Jalan Pahlawan"
    assert told["lat"] == pytest.approx(MIDDLE[1])


@pytest.mark.parametrize(
    "wrong",
    [
        {"service_code": ""},
        {"service_code": "unknown"},
        {"lat": "", "long": ""},
        {"lat": "abc"},
        {"lat": "nan"},
        {"lat": "0", "long": "0"},
        {"lat": "-8", "long": "111"},
        {"lat": str(MIDDLE[0]), "long": str(MIDDLE[1])},
        {"lat": "52.5", "long": "13.4"},
        {"email": "not an address"},
        {"description": "x" * 4001},
    ],
)
def test_wrong_requests_are_refused_in_its_own_shape(
    program: httpx.Client, wrong: dict[str, str]
) -> None:
    for ending in ("json", "xml"):
        answer = program.post(f"{V2}/requests.{ending}", data={**POTHOLE, **wrong})
        assert answer.status_code == 400
        if ending == "json":
            [error] = answer.json()
            assert error["code"] == 400
            assert error["description"]
        else:
            tree = _xml(answer)
            assert tree.tag == "errors"
            assert tree.findtext("error/code") == "400"
            assert tree.findtext("error/description")


def test_jurisdiction_must_be_known(program: httpx.Client) -> None:
    missing = program.get(f"{V2}/services.xml")
    assert missing.status_code == 400
    assert _xml(missing).findtext("error/code") == "400"
    unknown = program.get(f"{V2}/services.json", params={"jurisdiction_id": "atlantis"})
    assert unknown.status_code == 404
    assert unknown.json()[0]["code"] == 404


def test_list_filters(city: Stand, program: httpx.Client) -> None:
    pothole = _sent(program)
    waste = _sent(program, service_code="waste")
    _, _, report_id = city.report()
    city.staff("dispatcher").post(f"/reports/{report_id}/refuse", {"reason": "Milik provinsi"})

    def listed(**query: str) -> set[str]:
        answer = program.get(f"{V2}/requests.json", params={**CITY, **query})
        assert answer.status_code == 200, answer.text
        return {each["service_request_id"] for each in answer.json()}

    assert {pothole, waste} <= listed()
    assert waste not in listed(service_code="pothole")
    assert {pothole, waste} <= listed(service_code="pothole,waste")
    assert pothole in listed(status="open")
    assert pothole not in listed(status="closed")
    assert listed(service_request_id=f"{pothole},{waste.lower()}") == {pothole, waste}
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert listed(start_date=tomorrow, end_date=tomorrow) == set()
    assert len(listed(page_size="1")) == 1
    assert listed(page_size="1", page="2").isdisjoint(listed(page_size="1"))
    assert program.get(f"{V2}/requests.json", params={**CITY, "status": "x"}).status_code == 400
    assert program.get(f"{V2}/requests.json", params={**CITY, "start_date": "x"}).status_code == 400
    closed = program.get(f"{V2}/requests.json", params={**CITY, "status": "closed"}).json()
    assert "Milik provinsi" in {each["status_notes"] for each in closed}


def test_one_request_in_both_formats(program: httpx.Client) -> None:
    ticket = _sent(program)
    [told] = program.get(f"{V2}/requests/{ticket}.json", params=CITY).json()
    request = _xml(program.get(f"{V2}/requests/{ticket}.xml", params=CITY)).find("request")
    assert request is not None
    for name, value in told.items():
        assert request.findtext(name) == (str(value) if value is not None else "")
    assert told["status"] == "open"
    assert told["agency_responsible"] == "Dinas Pekerjaan Umum dan Penataan Ruang"
    asked = datetime.fromisoformat(told["requested_datetime"])
    promised = datetime.fromisoformat(told["expected_datetime"])
    assert promised - asked == timedelta(minutes=20)
    assert told["description"] is None


def test_tokens(program: httpx.Client) -> None:
    ticket = _sent(program)
    [told] = program.get(f"{V2}/tokens/{ticket}.json", params=CITY).json()
    assert told == {"service_request_id": ticket, "token": ticket}
    assert program.get(f"{V2}/tokens/nothing.json", params=CITY).status_code == 404


def test_secret_reports_are_as_unknown_as_none(city: Stand, program: httpx.Client) -> None:
    ticket, _, _ = city.report(secret=True)
    never = "KTA-2222-2"
    for path in ("requests", "tokens"):
        hidden = program.get(f"{V2}/{path}/{ticket}.json", params=CITY)
        unknown = program.get(f"{V2}/{path}/{never}.json", params=CITY)
        assert hidden.status_code == unknown.status_code == 404
        assert hidden.json() == unknown.json()
    listed = program.get(f"{V2}/requests.xml", params={**CITY, "service_request_id": ticket})
    assert _xml(listed).findall("request") == []
    assert ticket not in program.get(f"{V2}/requests.json", params=CITY).text


def test_repeated_key_gives_the_same_request(program: httpx.Client) -> None:
    headers = {"Idempotency-Key": "0d9f3a4c-open311"}
    first = program.post(f"{V2}/requests.json", data=POTHOLE, headers=headers)
    second = program.post(f"{V2}/requests.json", data=POTHOLE, headers=headers)
    assert first.json() == second.json()


def test_media_url_is_kept_as_words_not_opened(city: Stand, program: httpx.Client) -> None:
    answer = program.post(
        f"{V2}/requests.json", data={**POTHOLE, "media_url": "http://127.0.0.1:1/x.jpg"}
    )
    link = answer.json()[0]["service_notice"].split(" ")[-1]
    assert "http://127.0.0.1:1/x.jpg" in program.get(link).text


def test_what_people_write_cannot_break_the_xml(program: httpx.Client) -> None:
    evil = "</description><b>&amp;\x07 ]]> Café \U0001f333"
    answer = program.post(f"{V2}/requests.xml", data={**POTHOLE, "description": evil})
    assert answer.status_code == 201
    _xml(program.get(f"{V2}/requests.xml", params=CITY))


def test_keys_are_asked_for_when_the_administrator_set_some(city: Stand) -> None:
    usual = city.app.state.settings
    city.app.state.settings = Settings(
        data_dir=Path(usual.data_dir), rate_factor=0.0, open311_keys=("alpha", "beta")
    )
    try:
        program = city.visitor().client
        for given, status in (("", 403), ("wrong", 403), ("beta", 201)):
            answer = program.post(f"{V2}/requests.json", data={**POTHOLE, "api_key": given})
            assert answer.status_code == status
        refused = program.post(f"{V2}/requests.xml", data=POTHOLE)
        assert _xml(refused).findtext("error/code") == "403"
        assert program.get(f"{V2}/services.json", params=CITY).status_code == 200
    finally:
        city.app.state.settings = usual


def test_discovery_names_this_place(program: httpx.Client) -> None:
    here = str(program.base_url).rstrip("/") + V2
    told = program.get(f"{V2}/discovery.json").json()
    assert told["endpoints"][0]["url"] == here
    tree = _xml(program.get(f"{V2}/discovery.xml"))
    assert tree.findtext("endpoints/endpoint/url") == here
