import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from geo.bundle import Place, build_bundle
from geo.bundle_errors import MapServerUnreachable, PlaceNotFound
from tests.maps import SmallMap, grid, metres

osmnx = pytest.importorskip("osmnx")


@dataclass(slots=True)
class Servers:
    """What Nominatim and Overpass will answer, and what they were asked."""

    url: str
    town: SmallMap
    found: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    asked: list[str] = field(default_factory=list)

    def place(self, query: str) -> Place:
        return Place(query, nominatim_url=self.url, overpass_url=self.url + "/api")


def elements(town: SmallMap) -> list[dict[str, Any]]:
    nodes = [
        {"type": "node", "id": n, "lat": metres(*xy).lat, "lon": metres(*xy).lon}
        | ({"tags": dict(town.node_tags[n])} if town.node_tags[n] else {})
        for n, xy in town.nodes.items()
    ]
    ways = [
        {"type": "way", "id": w, "nodes": list(refs), "tags": dict(tags)}
        for w, (refs, tags) in town.ways.items()
    ]
    relations = [
        {
            "type": "relation",
            "id": r,
            "tags": dict(tags),
            "members": [{"type": k, "ref": ref, "role": role} for k, ref, role in members],
        }
        for r, (members, tags) in town.relations.items()
    ]
    return nodes + ways + relations


def outline(size_m: float) -> dict[str, Any]:
    corners = [(-50, -50), (size_m, -50), (size_m, size_m), (-50, size_m), (-50, -50)]
    ring = [[metres(*xy).lon, metres(*xy).lat] for xy in corners]
    return {"type": "Polygon", "coordinates": [ring]}


def answer_of(geojson: dict[str, Any]) -> dict[str, Any]:
    return {
        "place_id": 1,
        "osm_type": "relation",
        "osm_id": 9,
        "importance": 0.5,
        "boundingbox": ["-0.1", "0.1", "9.9", "10.1"],
        "lat": "0",
        "lon": "10",
        "display_name": "Kota Kecil, Indonesia",
        "geojson": geojson,
    }


@pytest.fixture
def servers() -> Iterator[Servers]:
    class Handler(BaseHTTPRequestHandler):
        state: ClassVar[Servers]

        def do_GET(self) -> None:
            self.state.asked.append(self.path)
            if self.path.endswith("/status"):
                self.answer("Connected\nTime\nRate limit: 2\n\n2 slots available now.\n", 200)
            else:
                self.answer(json.dumps(self.state.found), self.state.status)

        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.state.asked.append(asked)
            self.answer(json.dumps({"elements": elements(self.state.town)}), self.state.status)

        def answer(self, text: str, status: int) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.state = Servers(f"http://127.0.0.1:{server.server_port}", grid(4))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield Handler.state
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


def test_a_named_place_becomes_a_city(servers: Servers, tmp_path: Path) -> None:
    town = servers.town
    town.node(901, 100, 100, place="suburb", name="Barat")
    town.node(902, 500, 100, place="suburb", name="Timur")
    town.node(903, 900, 5_000, place="suburb", name="Luar kota")
    servers.found = [answer_of(outline(650))]
    before = dict(vars(osmnx.settings))
    resolve = socket.getaddrinfo
    bundle = build_bundle("kecil", source=servers.place("Kota Kecil, Indonesia"), root=tmp_path)
    assert bundle.manifest.name == "Kota Kecil"
    assert bundle.manifest.source == {"kind": "place", "name": "Kota Kecil, Indonesia"}
    assert [ward.name for ward in bundle.areas().wards] == ["Barat", "Timur"]
    assert bundle.areas().covers(metres(640, 640))
    assert not bundle.areas().covers(metres(700, 300))
    assert bundle.roads().route(metres(10, 0), metres(590, 600)) is not None
    assert not (bundle.path / "download").exists()
    assert any("highway" in asked for asked in servers.asked)
    assert dict(vars(osmnx.settings)) == before
    assert socket.getaddrinfo is resolve


def test_a_place_nobody_knows_is_told(servers: Servers, tmp_path: Path) -> None:
    with pytest.raises(PlaceNotFound, match=r"Kota Antah.*check the spelling"):
        build_bundle("antah", source=servers.place("Kota Antah"), root=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_only_a_point_is_told(servers: Servers, tmp_path: Path) -> None:
    servers.found = [answer_of({"type": "Point", "coordinates": [10, 0]})]
    with pytest.raises(PlaceNotFound, match="not an area"):
        build_bundle("titik", source=servers.place("Titik"), root=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_refusing_server_is_told(servers: Servers, tmp_path: Path) -> None:
    servers.status = 500
    servers.found = [answer_of(outline(650))]
    with pytest.raises(MapServerUnreachable, match="try again later"):
        build_bundle("kecil", source=servers.place("Kota Kecil"), root=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_one_is_sent_to_a_file(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    place = Place("Kota Madiun, Indonesia", nominatim_url=url, overpass_url=url)
    with pytest.raises(MapServerUnreachable, match="--extract"):
        build_bundle("madiun", source=place, root=tmp_path)
    assert list(tmp_path.iterdir()) == []
