"""Remote geocoders behind the port, against a server on this machine that speaks their JSON."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import shapely

from geo.areas import Area, Areas
from geo.geocoding import ACCEPT, Candidate, Geocoder, Language, Phrase
from geo.nominatim import BadServer, Engine, Limits, RemotePlaces, with_remote
from geo.point import Point

# As https://nominatim.org/release-docs/latest/api/Output/ (format json, addressdetails) shows it.
NOMINATIM = [
    {
        "place_id": 100149,
        "licence": "Data © OpenStreetMap contributors, ODbL 1.0.",
        "osm_type": "way",
        "osm_id": 36493281,
        "boundingbox": ["-7.6290", "-7.6270", "111.5210", "111.5250"],
        "lat": "-7.6280",
        "lon": "111.5230",
        "display_name": "Jalan Salak, Taman, Madiun, Jawa Timur, Indonesia",
        "class": "highway",
        "type": "residential",
        "importance": 0.6,
        "address": {"road": "Jalan Salak", "city": "Madiun", "country_code": "id"},
    },
    {
        "place_id": 7,
        "boundingbox": ["-6.3", "-6.1", "106.7", "106.9"],
        "lat": "-6.2",
        "lon": "106.8",
        "display_name": "Jalan Salak, Jakarta",
        "class": "highway",
        "type": "residential",
        "importance": 0.9,
    },
]
# As https://github.com/komoot/photon shows it.
PHOTON = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [111.5230, -7.6280]},
            "properties": {
                "osm_type": "W",
                "osm_id": 36493281,
                "osm_key": "highway",
                "osm_value": "residential",
                "type": "street",
                "name": "Jalan Salak",
                "city": "Madiun",
                "country": "Indonesia",
                "extent": [111.5210, -7.6270, 111.5250, -7.6290],
            },
        }
    ],
}


@dataclass
class StandIn:
    """Answers like the real thing; remembers what it was asked."""

    url: str = ""
    answer: Any = None
    status: int = 200
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    hold: threading.Event | None = None


@contextmanager
def stand_in(answer: Any) -> Iterator[StandIn]:
    state = StandIn(answer=answer)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(parse_qs(urlsplit(self.path).query))
            if state.hold is not None:
                state.hold.wait(20)
            body = json.dumps(state.answer).encode()
            try:
                self.send_response(state.status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                pass  # the asker had enough of waiting

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        if state.hold is not None:
            state.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()


class Own:
    """An address book that knows one street."""

    known = Candidate(
        Point(111.51, -7.62), "Jalan Pahlawan", "street", 50.0, 0.95, "Nama sama.", None, None
    )

    def search(
        self,
        text: str,
        *,
        near: Point | None = None,
        limit: int = 5,
        language: Language = "id",
    ) -> list[Candidate]:
        return [self.known] if "pahlawan" in text.lower() else []

    def reverse(self, p: Point, *, language: Language = "id") -> Phrase | None:
        return Phrase("Jl. Pahlawan", "Jalan Pahlawan", None, None, 3.0)


def _areas() -> Areas:
    box = shapely.box(111.49, -7.66, 111.56, -7.59)
    return Areas([Area("ward/1", "Taman", "ward", None, None, box)])


def _remote(
    server: StandIn, engine: Engine = "nominatim", *, timeout_s: float = 5.0
) -> RemotePlaces:
    limits = Limits(every_s=0.0, timeout_s=timeout_s)
    return RemotePlaces(Own(), _areas(), engine=engine, url=server.url, limits=limits)


@pytest.mark.parametrize(("engine", "answer"), [("nominatim", NOMINATIM), ("photon", PHOTON)])
def test_a_server_proposes_what_the_city_does_not_know(engine: Engine, answer: Any) -> None:
    with stand_in(answer) as server:
        found = _remote(server, engine).search("Jl. Salak 4")
    assert [(c.point, c.kind, c.ward) for c in found] == [
        (Point(111.523, -7.628), "street", "Taman")
    ]
    assert engine.title() in found[0].reason
    assert 0 < found[0].confidence < ACCEPT
    assert 100 < found[0].radius_m < 400


def test_what_was_typed_goes_as_it_was_typed_and_stays_in_the_city() -> None:
    with stand_in(NOMINATIM) as server:
        _remote(server).search("Jl. Salak  4", language="en")
    (asked,) = server.asked
    assert asked["q"] == ["Jl. Salak 4"]
    assert asked["bounded"] == ["1"]
    assert asked["viewbox"] == ["111.49,-7.66,111.56,-7.59"]
    assert asked["accept-language"] == ["en"]


def test_nothing_leaves_where_the_city_is_sure_or_a_position_was_given() -> None:
    with stand_in(NOMINATIM) as server:
        remote = _remote(server)
        assert list(remote.search("Jl. Pahlawan")) == [Own.known]
        for text in ("-7.6280, 111.5230", "https://maps.app.goo.gl/x", "geo:-7.6,111.5", "jl"):
            assert list(remote.search(text)) == []
        assert remote.reverse(Point(111.51, -7.62)) is not None
    assert server.asked == []


def test_an_answer_is_kept_and_the_server_not_hurried() -> None:
    moment = [0.0]
    with stand_in(NOMINATIM) as server:
        remote = RemotePlaces(
            Own(),
            _areas(),
            engine="nominatim",
            url=server.url,
            limits=Limits(timeout_s=5.0, every_s=1.0, keep_s=60.0),
            now=lambda: moment[0],
        )
        assert remote.search("Jl. Salak")
        assert remote.search("jl.  salak")  # from memory
        assert list(remote.search("Jl. Durian")) == []  # too soon
        assert len(server.asked) == 1
        moment[0] = 1.5
        assert remote.search("Jl. Durian")
        moment[0] = 100.0
        assert remote.search("Jl. Salak")  # the memory is too old
        assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("status", "answer"),
    [(500, {}), (429, {}), (403, {}), (200, {"error": "no"}), (200, [{"lat": "x"}]), (200, "?")],
)
def test_a_server_in_trouble_leaves_the_city_its_own_answers(status: int, answer: Any) -> None:
    engines: tuple[Engine, ...] = ("nominatim", "photon")
    for engine in engines:
        with stand_in(answer) as server:
            server.status = status
            assert list(_remote(server, engine).search("Jl. Salak")) == []
            assert server.asked


def test_a_slow_server_is_not_waited_for() -> None:
    with stand_in(NOMINATIM) as server:
        server.hold = threading.Event()
        assert list(_remote(server, timeout_s=0.2).search("Jl. Salak")) == []


def test_a_server_that_is_not_there() -> None:
    remote = RemotePlaces(Own(), _areas(), engine="photon", url="http://127.0.0.1:9")
    assert list(remote.search("Jl. Salak")) == []


@pytest.mark.parametrize("url", ["nominatim", "ftp://x", "https://", "http://a/?q=1"])
def test_an_address_that_is_none_is_one_clear_sentence(url: str) -> None:
    with pytest.raises(BadServer, match="it looks like https://nominatim"):
        with_remote(Own(), _areas(), provider=f"nominatim:{url}")


def test_the_setting_chooses() -> None:
    own: Geocoder = Own()
    assert with_remote(own, _areas(), provider="embedded") is own
    for provider in ("nominatim", "photon", "photon:http://127.0.0.1:2322"):
        assert isinstance(with_remote(own, _areas(), provider=provider), RemotePlaces)
    with pytest.raises(BadServer, match="choose embedded"):
        with_remote(own, _areas(), provider="google")
