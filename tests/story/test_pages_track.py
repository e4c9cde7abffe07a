"""The private page tells the truth to whoever holds the link, and nothing to anybody else."""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from tests.story.small_city import MIDDLE, Stand, named, stand


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("track")) as running:
        yield running


def _headline(page: httpx.Response) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    assert found
    return html.unescape(found[1]).strip()


def _steps(page: httpx.Response, state: str) -> list[str]:
    blocks = re.findall(rf'<li class="step-{state}".*?</li>', page.text, re.DOTALL)
    return [re.findall(r'class="step-words"><span>(.*?)</span>', block)[0] for block in blocks]


def _cleared(city: Stand, *, crew_id: UUID) -> tuple[str, str]:
    """A report whose crew came and finished: ticket and token."""
    ticket, token, report_id = city.report()
    desk, phone = city.staff("dispatcher"), city.crew(crew_id)
    verified = desk.post(f"/reports/{report_id}/verify")
    incident_id = named(verified, "incident")
    sent = desk.post(f"/incidents/{incident_id}/send", {"crew_id": str(crew_id)})
    work = f"/assignments/{named(sent, 'assignment')}"
    there = {"lon": MIDDLE[0], "lat": MIDDLE[1]}
    for verb, body in (
        ("acknowledge", {}),
        ("en-route", {}),
        ("on-scene", there),
        ("clear", {"disposition_code": "05", "note": "Batang dipotong <br>"}),
    ):
        done = phone.post(f"{work}/{verb}", body)
        assert done.status_code == 200, done.text
    return ticket, token


def test_steps_follow_the_work(city: Stand) -> None:
    ticket, token, report_id = city.report()
    browser = city.visitor().client
    address = f"/kota/r/{ticket}?k={token}"
    assert _steps(browser.get(address), "current") == ["Laporan diterima"]
    desk, phone = city.staff("dispatcher"), city.crew()
    incident_id = named(desk.post(f"/reports/{report_id}/verify"), "incident")
    page = browser.get(address)
    assert _headline(page) == "Sudah diperiksa, mencari regu"
    assert "Target: regu di lokasi sebelum" in page.text
    sent = desk.post(f"/incidents/{incident_id}/send", {"crew_id": str(city.crew_id)})
    work = f"/assignments/{named(sent, 'assignment')}"
    assert _headline(browser.get(address)) == "Sudah diperiksa, mencari regu"
    phone.post(f"{work}/acknowledge")
    phone.post(f"{work}/en-route")
    page = browser.get(address)
    assert _headline(page) == "Regu sedang menuju lokasi"
    assert "Regu 1" in page.text
    assert _steps(page, "done") == [
        "Laporan diterima",
        "Diperiksa dan diteruskan",
        "Regu ditugaskan",
    ]
    assert _steps(page, "coming") == ["Regu tiba di lokasi", "Pekerjaan selesai", "Laporan ditutup"]
    phone.post(f"{work}/on-scene", {"lon": MIDDLE[0], "lat": MIDDLE[1]})
    assert _headline(browser.get(address)) == "Regu sudah di lokasi"
    phone.post(f"{work}/clear", {"disposition_code": "05"})
    assert _headline(browser.get(address)) == "Laporan selesai"


def test_result_and_answer_without_scripts(city: Stand) -> None:
    ticket, token = _cleared(city, crew_id=city.crew_id)
    browser = city.visitor().client
    page = browser.get(f"/kota/r/{ticket}?k={token}")
    assert "Selesai ditangani" in page.text
    assert "Batang dipotong &lt;br&gt;" in page.text
    form = {"k": token, "answer": "reopen", "text": "Dahannya masih ada"}
    answered = browser.post(f"/kota/r/{ticket}/answer", data=form, follow_redirects=False)
    assert answered.status_code == 303
    page = browser.get(answered.headers["location"])
    assert _headline(page) == "Dibuka lagi, mencari regu"
    assert "belum beres" in page.text
    again = browser.post(f"/kota/r/{ticket}/answer", data=form)
    assert again.status_code == 409
    assert "sedang tidak bisa dijawab" in again.text


def test_satisfied_is_thanked_and_may_still_say_it_broke_again(city: Stand) -> None:
    ticket, token = _cleared(city, crew_id=city.other_crew_id)
    browser = city.visitor().client
    page = browser.post(f"/kota/r/{ticket}/answer", data={"k": token, "answer": "satisfied"})
    assert "Terima kasih" in page.text
    assert 'value="satisfied"' not in page.text
    page = browser.post(f"/kota/r/{ticket}/answer", data={"k": token, "answer": "reopen"})
    assert _headline(page) == "Dibuka lagi, mencari regu"


def test_after_a_second_closing_the_reporter_is_asked_again(city: Stand) -> None:
    ticket, token = _cleared(city, crew_id=city.crew_id)
    browser = city.visitor().client
    browser.post(f"/kota/r/{ticket}/answer", data={"k": token, "answer": "reopen"})
    report_id = city.system.report_of("kota", ticket, token)
    assert report_id is not None
    with city.system.looking("kota") as world:
        incident_id = world.report(report_id).incident_id
    closed = city.staff("dispatcher").post(
        f"/incidents/{incident_id}/close", {"disposition_code": "05"}
    )
    assert closed.status_code == 200, closed.text
    page = browser.get(f"/kota/r/{ticket}?k={token}")
    assert 'value="satisfied"' in page.text
    assert "Anda menjawab" not in page.text


def test_reason_of_a_refusal_is_told(city: Stand) -> None:
    ticket, token, report_id = city.report()
    desk = city.staff("dispatcher")
    desk.post(f"/reports/{report_id}/refuse", {"reason": "Jalan ini milik provinsi"})
    page = city.visitor().client.get(f"/kota/r/{ticket}?k={token}")
    assert _headline(page) == "Bukan wewenang kami"
    assert "Jalan ini milik provinsi" in page.text
    assert _steps(page, "coming") == []


def test_wrong_links_all_look_the_same(city: Stand) -> None:
    ticket, token, _ = city.report()
    browser = city.visitor().client
    there = browser.get(f"/kota/r/{ticket}?k=wrong")
    nowhere = browser.get("/kota/r/KTA-2222-2?k=wrong")
    assert there.status_code == nowhere.status_code == 404
    assert there.text.replace(ticket, "…") == nowhere.text.replace("KTA-2222-2", "…")
    assert "Laporan tidak bisa dibuka" in there.text
    assert browser.get(f"/kota/r/{ticket}").status_code == 404
    assert browser.get(f"/tetangga/r/{ticket}?k={token}").status_code == 404
    assert browser.get(f"/kota/sent/{ticket}?k=wrong").status_code == 404
    assert browser.get(f"/kota/r/{ticket}/live?k=wrong").status_code == 404
    assert browser.post(f"/kota/r/{ticket}/answer", data={"k": "x"}).status_code == 404


def test_the_key_leaves_neither_in_referers_nor_in_caches_nor_in_logs(
    city: Stand, caplog: pytest.LogCaptureFixture
) -> None:
    ticket, token, _ = city.report()
    browser = city.visitor().client
    with caplog.at_level(logging.DEBUG):
        for path in (f"/kota/r/{ticket}?k={token}", f"/kota/sent/{ticket}?k={token}"):
            page = browser.get(path)
            assert page.headers["referrer-policy"] == "strict-origin"
            assert page.headers["cache-control"] == "no-store"
            assert 'name="robots" content="noindex"' in page.text
    told = [f"{record.getMessage()} {record.__dict__.get('fields')}" for record in caplog.records]
    mine = [line for line in told if not line.startswith("HTTP Request")]
    assert mine
    assert not any(token in line or ticket in line for line in mine)


def test_secret_report_shows_no_photo_without_its_key(city: Stand) -> None:
    browser = city.visitor().client
    picture = _jpeg()
    sent = browser.post("/api/kota/photos", files={"file": ("a.jpg", picture, "image/jpeg")})
    photo_id = sent.json()["photo_id"]
    ticket, token, _ = city.report(secret=True, photo_ids=[photo_id])
    address = f"/api/kota/photos/{photo_id}?size=full"
    assert browser.get(address).status_code == 404
    assert browser.get(f"{address}&ticket={ticket}&k=wrong").status_code == 404
    assert browser.get(f"/api/tetangga/photos/{photo_id}").status_code == 404
    shown = browser.get(f"{address}&ticket={ticket}&k={token}")
    assert shown.status_code == 200
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert city.staff("dispatcher").client.get(address).status_code == 200
    other, other_token, _ = city.report()
    assert browser.get(f"{address}&ticket={other}&k={other_token}").status_code == 404


def _jpeg() -> bytes:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (64, 64), "orange").save(out, "JPEG")
    return out.getvalue()


@pytest.mark.parametrize("spelling", ["{t}", "{lower}", "{bare}"])
def test_find_by_number_and_code(city: Stand, spelling: str) -> None:
    ticket, token, _ = city.report()
    typed = spelling.format(t=ticket, lower=ticket.lower(), bare=ticket.replace("-", " "))
    browser = city.visitor().client
    found = browser.post("/kota/find", data={"ticket": typed, "k": token}, follow_redirects=False)
    assert found.headers["location"] == f"/kota/r/{ticket}?k={token}"


def test_find_by_pasted_link(city: Stand) -> None:
    ticket, token, _ = city.report()
    link = f"https://lapor.example/kota/r/{ticket}?k={token}&lang=en"
    browser = city.visitor().client
    found = browser.post("/kota/find", data={"link": link}, follow_redirects=False)
    assert found.headers["location"] == f"/kota/r/{ticket}?k={token}"


def test_find_says_what_is_missing_or_mistyped(city: Stand) -> None:
    browser = city.visitor().client
    assert "Tempel tautan pribadi, atau isi" in browser.post("/kota/find", data={}).text
    mistyped = browser.post("/kota/find", data={"ticket": "KTA-7K3Q-X", "k": "abc"})
    assert mistyped.status_code == 422
    assert "salah ketik" in mistyped.text


def test_live_part_is_the_page_without_its_frame(city: Stand) -> None:
    ticket, token, _ = city.report()
    browser = city.visitor().client
    before = browser.get(f"/kota/r/{ticket}?k={token}")
    part = browser.get(f"/kota/r/{ticket}/live?k={token}")
    assert part.headers["cache-control"] == "no-store"
    assert "<html" not in part.text
    # Triage may put it before a dispatcher at any moment.
    after = browser.get(f"/kota/r/{ticket}?k={token}")
    assert _headline(part) in (_headline(before), _headline(after))


def test_english_reader_gets_english(city: Stand) -> None:
    ticket, token, _ = city.report()
    page = city.visitor().client.get(
        f"/kota/r/{ticket}?k={token}", headers={"Accept-Language": "en-GB,en;q=0.9,id;q=0.1"}
    )
    assert "What has happened" in page.text
    assert "Fallen tree" in page.text


def test_lateness_is_said_before_anybody_verified(city: Stand) -> None:
    ticket, token, _ = city.report()
    browser = city.visitor().client
    page = browser.get(f"/kota/r/{ticket}?k={token}")
    assert "Target: regu di lokasi sebelum" in page.text
    assert "Kami terlambat" not in page.text
    now = city.system.clock
    city.system.clock = lambda: now() + timedelta(minutes=33)
    try:
        page = browser.get(f"/kota/r/{ticket}?k={token}")
    finally:
        city.system.clock = now
    assert "Kami terlambat" in page.text
    assert "sudah lewat 13 menit" in page.text


def test_endless_input_gets_a_page_not_a_crash(city: Stand) -> None:
    page = city.visitor().client.post("/kota/find", data={"ticket": "x" * 500})
    assert page.status_code == 422
    assert page.headers["content-type"].startswith("text/html")
