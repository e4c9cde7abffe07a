"""An arrival that cannot be gamed: from the doors to the log, the export and the evaluation."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
from PIL import ExifTags, Image

from dispatch.core.assignments import Assignment
from dispatch.core.crews import Fix
from tests.story.small_city import MIDDLE, Desk, Stand, add_crew, stand

LON, LAT = MIDDLE
DEGREE_M = 111_195.08


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("arrivals")) as running:
        yield running


class Case:
    """A crew of its own that accepted a job in the middle of the city."""

    def __init__(self, city: Stand, name: str, **report: Any) -> None:
        self.city, self.desk = city, city.staff("dispatcher")
        self.crew_id = add_crew(city.system, "kota", name, lon=LON + 0.004)
        self.phone: Desk = city.crew(self.crew_id)
        _, _, report_id = city.report(**report)
        self.report_id = report_id
        verified = self.desk.post(f"/reports/{report_id}/verify").json()
        self.incident_id = UUID(_named(verified, "incident"))

    def send(self) -> None:
        """Offer and accept."""
        body = {"crew_id": str(self.crew_id)}
        sent = self.desk.post(f"/incidents/{self.incident_id}/send", body)
        assert sent.status_code == 200, sent.text
        self.assignment_id = UUID(_named(sent.json(), "assignment"))
        answer = self.phone.post(f"/assignments/{self.assignment_id}/acknowledge")
        assert answer.status_code == 200, answer.text

    def fix(self, metres: float, seconds: float, **more: Any) -> None:
        """The phone says that it is so far north of the place, so many seconds from now."""
        moment = datetime.now(UTC) + timedelta(seconds=seconds)
        body = {
            "lon": LON,
            "lat": LAT + metres / DEGREE_M,
            "fix_time": moment.isoformat(),
            "accuracy_m": 5,
            **more,
        }
        answer = self.phone.post(f"/crews/{self.crew_id}/fixes", {"fixes": [body]})
        assert answer.json()["accepted"] == 1, answer.text

    def press(self, **wish: Any) -> None:
        answer = self.phone.post(f"/assignments/{self.assignment_id}/on-scene", wish)
        assert answer.status_code == 200, answer.text

    @property
    def job(self) -> Assignment:
        with self.city.system.looking("kota") as world:
            return world.assignment(self.assignment_id)

    def log(self, type_: str) -> list[dict[str, Any]]:
        lines = self.desk.get(f"/incidents/{self.incident_id}").json()["log"]
        return [line for line in lines if line["t"] == type_]

    def end(self) -> None:
        self.desk.post(f"/incidents/{self.incident_id}/cancel", {"reason": "uji"})


def _named(told: dict[str, Any], kind: str) -> str:
    keys: list[str] = [event["k"] for event in told["events"]]
    return next(key.partition("/")[2] for key in keys if key.startswith(f"{kind}/"))


def test_movement_stay_and_every_clock(city: Stand) -> None:
    """Complaints 2, 3 and 5: dwell, three clocks apart, each time tied to its job."""
    case = Case(city, "Regu A")
    case.send()
    case.fix(400, 10, speed_ms=9)
    assert case.job.status == "en_route"
    case.fix(20, 20, speed_ms=0)
    assert case.job.status == "en_route", "a moment inside is no arrival"
    case.fix(70, 30, speed_ms=0)
    case.fix(25, 45, speed_ms=0)
    job = case.job
    assert (job.status, job.evidence, job.arrival_flag) == ("on_scene", "geofence", None)
    assert job.sources["arrived_at"] == "geofence"
    [line] = case.log("AssignmentOnScene")
    because = line["because"]
    assert because["rule"] == "arrival.arrived"
    assert {"fix_time", "device_time", "server_time", "since"} <= set(because)
    assert because["fix_time"] > because["since"]
    case.end()


def test_pressed_far_away_counts_is_flagged_and_better_evidence_is_not_taken_later(
    city: Stand,
) -> None:
    case = Case(city, "Regu B")
    case.send()
    case.press(lon=LON, lat=LAT + 600 / DEGREE_M)
    job = case.job
    assert (job.status, job.evidence, job.arrival_flag) == ("on_scene", "button", "far")
    assert job.arrival_distance_m == pytest.approx(600, abs=2)
    case.end()


def test_pressed_a_little_early_is_confirmed_by_its_positions(city: Stand) -> None:
    case = Case(city, "Regu C")
    case.send()
    case.press(lon=LON, lat=LAT)
    assert (case.job.evidence, case.job.arrival_flag) == ("button", None)
    case.fix(15, 10)
    case.fix(15, 35)
    assert case.job.evidence == "geofence"
    [line] = case.log("AssignmentEvidenceGraded")
    assert line["because"]["rule"] == "arrival.arrived"
    case.end()


def test_pressed_with_a_made_up_position_is_told(city: Stand) -> None:
    case = Case(city, "Regu D")
    case.send()
    case.fix(10, 12, mock=True)
    case.fix(10, 40, mock=True)
    assert case.job.status == "acknowledged", "a made-up position arrives nowhere"
    city.system.flush_positions()
    case.press()
    assert (case.job.evidence, case.job.arrival_flag) == ("button", "mock")
    case.end()


def test_already_there_when_it_accepts(city: Stand) -> None:
    """Complaint 4: no crossing of any line, and an arrival all the same."""
    case = Case(city, "Regu E")
    case.fix(30, 12)
    case.fix(28, 40)
    case.send()
    city.system._after_flush()
    job = case.job
    assert (job.status, job.evidence) == ("on_scene", "geofence")
    assert job.arrived_at is not None
    assert job.acknowledged_at is not None
    assert job.arrived_at >= job.acknowledged_at, "not before it had the job"
    case.end()


def test_jumped_over_between_two_positions(city: Stand) -> None:
    """Complaint 4: seen before and behind, with time for a stop between."""
    start = datetime.now(UTC) - timedelta(minutes=6)
    clock = city.system.clock
    city.system.clock = lambda: datetime.now(UTC) - timedelta(minutes=6)
    try:
        case = Case(city, "Regu F")
        case.send()
        case.fix(400, 15 - 360)
    finally:
        city.system.clock = clock
    case.fix(-300, 0)
    job = case.job
    assert (job.status, job.evidence) == ("on_scene", "crossing")
    assert job.arrived_at is not None
    assert start < job.arrived_at < datetime.now(UTC) - timedelta(minutes=1)
    case.end()


def picture(*, metres: float, minutes: float) -> bytes:
    taken = datetime.now(UTC) + timedelta(minutes=minutes)
    lat, gps = LAT + metres / DEGREE_M, ExifTags.GPS
    exif = Image.Exif()
    exif[ExifTags.IFD.GPSInfo] = {
        gps.GPSLatitudeRef: "S",
        gps.GPSLatitude: (abs(lat), 0.0, 0.0),
        gps.GPSLongitudeRef: "E",
        gps.GPSLongitude: (LON, 0.0, 0.0),
        gps.GPSDateStamp: f"{taken:%Y:%m:%d}",
        gps.GPSTimeStamp: (float(taken.hour), float(taken.minute), float(taken.second)),
    }
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "green").save(out, "JPEG", exif=exif)
    return out.getvalue()


@pytest.mark.parametrize(
    ("metres", "minutes", "evidence"),
    [(900, 0, "button"), (10, -600, "button"), (10, 0, "photo")],
)
def test_a_photo_proves_with_its_place_and_its_time(
    city: Stand, metres: float, minutes: float, evidence: str
) -> None:
    case = Case(city, f"Regu G{metres}{minutes}")
    case.send()
    case.press(lon=LON, lat=LAT)
    files = {"file": ("a.jpg", picture(metres=metres, minutes=minutes), "image/jpeg")}
    sent = case.phone.client.post("/api/kota/photos", files=files)
    assert sent.status_code == 201, sent.text
    body = {"photo_id": sent.json()["photo_id"], "kind": "after"}
    assert case.phone.post(f"/assignments/{case.assignment_id}/photos", body).status_code == 200
    assert case.job.evidence == evidence
    case.end()


def test_the_evaluation_shows_arrivals_by_evidence(city: Stand) -> None:
    """Complaint 6 and the promise: the share in time stands beside how it is known."""
    far, near = Case(city, "Regu H"), Case(city, "Regu I")
    desk = city.staff("supervisor")
    earlier = desk.get("/evaluation").json()
    before = {row["evidence"]: row["n"] for row in earlier["arrivals"]}
    for case, metres in ((far, 900.0), (near, 0.0)):
        case.send()
        case.press(lon=LON, lat=LAT + metres / DEGREE_M)
    answer = desk.get("/evaluation?by=evidence").json()
    more = {row["evidence"]: row["n"] - before[row["evidence"]] for row in answer["arrivals"]}
    assert {name: n for name, n in more.items() if n} == {"button_far": 1, "button": 1}
    assert sum(row["n"] for row in answer["arrivals"]) == answer["overall"]["total_response"]["n"]
    foretold = {
        name: answer["foretold"][name] - earlier["foretold"][name] for name in ("n", "left_out")
    }
    assert foretold == {"n": 0, "left_out": 2}, "a button does not vouch for a time of arrival"
    assert {group["key"] for group in answer["groups"]} >= {"button_far", "button"}
    far.end()
    near.end()


def test_a_replay_of_crew_and_incident_and_what_may_leave_the_house(city: Stand) -> None:
    """Complaint 13: a secret report leaks through no export."""
    open_, secret = Case(city, "Regu J"), Case(city, "Regu K", secret=True)
    for case in (open_, secret):
        case.send()
        case.fix(400, 15, speed_ms=8)
        case.fix(300, 25, speed_ms=8)
    city.system.flush_positions()
    desk = city.staff("supervisor")
    later = {"to": (datetime.now(UTC) + timedelta(minutes=5)).isoformat(), "every_s": "0"}
    told = desk.get(f"/crews/{open_.crew_id}/history", params=later).json()
    [track] = told["tracks"]
    assert len(track["fixes"]) == 3
    times = [row[0] for row in track["fixes"]]
    assert times == sorted(times)
    assert {"AssignmentAcknowledged", "AssignmentEnRoute"} <= {m["t"] for m in told["moments"]}
    story = desk.get(f"/incidents/{open_.incident_id}/history", params=later).json()
    assert story["incident"]["id"] == str(open_.incident_id)
    assert [t["crew_id"] for t in story["tracks"]] == [str(open_.crew_id)]
    assert len(story["tracks"][0]["fixes"]) == 2, "only while it was its crew"
    gpx = desk.get(f"/crews/{open_.crew_id}/history.gpx", params=later)
    assert gpx.headers["Content-Type"] == "application/gpx+xml"
    points = ET.fromstring(gpx.content).findall(".//{*}trkpt")
    assert len(points) == 3
    assert points[0].find("{*}time") is not None
    line = desk.get(f"/incidents/{open_.incident_id}/history.geojson").json()
    assert line["type"] == "FeatureCollection"
    hidden = desk.get(f"/crews/{secret.crew_id}/history.geojson", params=later).json()
    coordinates = str(hidden)
    assert len(hidden["features"]) == 1
    assert f"{LAT + 400 / DEGREE_M:.4f}" not in coordinates
    assert f"{LAT + 300 / DEGREE_M:.4f}" not in coordinates
    refused = desk.get(f"/incidents/{secret.incident_id}/history.gpx")
    assert (refused.status_code, refused.json()["code"]) == (403, "secret_incident")
    assert desk.get(f"/incidents/{secret.incident_id}/history").status_code == 200
    long = {"from": "2020-01-01T00:00:00Z", **later}
    assert desk.get(f"/crews/{open_.crew_id}/history", params=long).status_code == 422
    open_.end()
    secret.end()


def test_a_stale_crew_is_sent_with_a_warning_only(city: Stand) -> None:
    """Complaint 10: never an old dot as live."""
    case = Case(city, "Regu L")
    fix = city.system.newest_fix("kota", case.crew_id)
    assert isinstance(fix, Fix)
    clock = city.system.clock
    city.system.clock = lambda: datetime.now(UTC) + timedelta(seconds=400)
    try:
        body = {"crew_id": str(case.crew_id)}
        sent = case.desk.post(f"/incidents/{case.incident_id}/send", body).json()
    finally:
        city.system.clock = clock
    assert sent["warning"] == "stale"
    case.end()
