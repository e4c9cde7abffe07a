"""An OSRM server that is away or talks nonsense: said clearly, and stood in for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from dispatch.system.roads import RoadChoice, open_roads
from geo.bundle import Extract, build_bundle, open_bundle
from geo.bundle_versions import prune
from geo.network import RoadsUnavailable
from geo.osm_import import import_extract
from geo.osrm import OsrmNetwork
from geo.osrm_speeds import ReloadFailed, command_reload, speed_lines, write_speeds
from geo.roadarrays import RoadArrays
from geo.roadgraph import RoadGraph
from geo.roadmap import RoadMap
from tests.maps import grid, metres

A, B = metres(150, 0), metres(450, 0)
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def arrays(tmp_path: Path) -> RoadArrays:
    return import_extract(grid(4).write(tmp_path / "town.osm"))


@pytest.fixture
def babbling() -> Iterator[str]:
    """A server that answers everything with 200 and no OSRM."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"code": "Ok", "durations": [["soon"]], "routes": [{}]}')

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_away_without_a_stand_in_is_one_sentence(arrays: RoadArrays, tmp_path: Path) -> None:
    roads = OsrmNetwork(NOBODY, arrays, version="v", speeds=tmp_path / "s.csv")
    with pytest.raises(RoadsUnavailable, match="start osrm-routed, or unset SIGAP_ROADS"):
        roads.travel_times([A], [B])
    with pytest.raises(RoadsUnavailable):
        roads.route(A, B)
    assert roads.snap(A) is not None


def test_two_versions_of_a_city_never_write_the_same_file(tmp_path: Path) -> None:
    """While a newer map is swapped in, both are kept up to date; what was pruned leaves none."""
    source, root = Extract(grid(3).write(tmp_path / "town.osm")), tmp_path / "cities"
    choice, lane = RoadChoice(osrm_url=NOBODY), {(1, 2): None}
    older = open_roads(build_bundle("town", source=source, root=root), choice, data_dir=tmp_path)
    older.update(lane)
    newer = open_roads(build_bundle("town", source=source, root=root), choice, data_dir=tmp_path)
    newer.update({(2, 3): None})
    older.update({(1, 2): 1.0})
    folder = tmp_path / "osrm" / "town"
    said = {file.stem: file.read_text(encoding="ascii") for file in folder.iterdir()}
    assert said == {
        older.version.partition("+")[0]: "",
        newer.version.partition("+")[0]: "2,3,0.00\n",
    }
    assert len(prune(root, "town", keep=0)) == 1
    open_roads(open_bundle(root, "town"), choice, data_dir=tmp_path)
    assert [file.stem for file in folder.iterdir()] == [newer.version.partition("+")[0]]


@pytest.mark.parametrize("is_away", [True, False])
def test_the_embedded_engine_stands_in_and_knows_the_closures(
    arrays: RoadArrays, tmp_path: Path, babbling: str, is_away: bool
) -> None:
    opened = []

    def embedded() -> RoadGraph:
        opened.append(RoadGraph(arrays))
        return opened[-1]

    roads = OsrmNetwork(
        NOBODY if is_away else babbling,
        arrays,
        version="v",
        speeds=tmp_path / "s.csv",
        reload=lambda _: None,
        embedded=embedded,
    )
    closed = {(2, 3): None, (3, 2): None}
    roads.update(closed)
    assert opened == []
    expected = RoadGraph(arrays)
    expected.update(closed)
    assert roads.travel_times([A], [B]) == expected.travel_times([A], [B])
    roads.update(dict.fromkeys(closed, 1.0))
    assert roads.route(A, B) == RoadGraph(arrays).route(A, B)
    assert len(opened) == 1


def test_a_reload_that_failed_is_tried_again(
    arrays: RoadArrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geo.osrm.RETRY_S", 0.0)
    tries = []

    def reload(speeds: Path) -> None:
        tries.append(speeds.read_text())
        if len(tries) < 3:
            raise ReloadFailed("not now")

    roads = OsrmNetwork(
        NOBODY, arrays, version="v", speeds=tmp_path / "s.csv", reload=reload,
        embedded=lambda: RoadGraph(arrays),
    )  # fmt: skip
    roads.update({(2, 3): None})
    assert np.isfinite(roads.travel_times([A], [B])).all()
    assert np.isfinite(roads.travel_times([A], [B])).all()
    assert tries == ["2,3,0.00\n"] * 3


def test_the_file_names_what_is_not_as_usual(arrays: RoadArrays, tmp_path: Path) -> None:
    roads = RoadMap(arrays)
    lines = speed_lines({(2, 3): None, (1, 2): 0.5, (3, 4): 1.0, (77, 78): None}, roads)
    assert lines == ["1,2,12.50", "2,3,0.00"]
    path = tmp_path / "osrm" / "speeds.csv"
    assert write_speeds(path, lines)
    assert not write_speeds(path, lines)
    assert path.read_text() == "1,2,12.50\n2,3,0.00\n"
    assert [p.name for p in path.parent.iterdir()] == ["speeds.csv"]


def test_a_command_that_fails_says_what_it_said(tmp_path: Path) -> None:
    file = tmp_path / "s.csv"
    command_reload(["touch", "{speeds}"])(file)
    assert file.exists()
    with pytest.raises(ReloadFailed, match=r"ls ended with \d: .*nowhere"):
        command_reload(["ls", str(tmp_path / "nowhere")])(file)
    with pytest.raises(ReloadFailed, match="could not run"):
        command_reload([str(tmp_path / "no-such-program")])(file)
