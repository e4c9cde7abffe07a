"""Versions of a city: what a newer map changed is told and kept, older ones stay until pruned."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from geo import bundle_errors
from geo.bundle import Bundle, Extract, build_bundle, open_bundle
from geo.bundle_diff import CHANGES, Changes, Renamed, Street
from geo.bundle_versions import only_builder, prune, use_version, versions_of
from tests.maps import SmallMap, grid


def town() -> SmallMap:
    map_ = grid(4)
    map_.way(3_000, [304, 50], name="Jalan Lama")
    map_.node(50, 900, 600)
    return map_


def newer_town() -> SmallMap:
    """Jalan Lama is gone, Jalan 2 has another name, Jalan Baru is there, Gang 1 goes on."""
    map_ = grid(4)
    map_.ways[1_001] = (map_.ways[1_001][0], {"highway": "residential", "name": "Jalan Pahlawan"})
    map_.node(60, -300, 0)
    map_.way(3_001, [1, 60], name="Jalan Baru")
    map_.node(61, 0, 900)
    map_.way(3_002, [301, 61], name="Gang 1")
    return map_


def built(root: Path, map_: SmallMap, day: int, *, name: str = "Kota") -> Bundle:
    root.mkdir(exist_ok=True)
    extract = Extract(map_.write(root.parent / "town.osm"))
    return build_bundle(
        "town", source=extract, root=root, name=name, now=datetime(2026, 1, day, tzinfo=UTC)
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three versions: the town, the newer town, the town again."""
    folder = tmp_path_factory.mktemp("versions") / "cities"
    for day, map_ in enumerate((town(), newer_town(), town()), start=1):
        built(folder, map_, day)
    return folder


def test_what_a_newer_map_changes_is_kept_with_it(root: Path) -> None:
    first, second, third = versions_of(root, "town")
    assert Changes.load(first.path) is None
    found = Changes.load(second.path)
    assert found is not None
    assert (found.before, found.after) == (first.name, second.name)
    assert [street.name for street in found.gained] == ["Jalan Baru"]
    assert found.gained[0].metres == pytest.approx(300, rel=0.01)
    assert [street.name for street in found.lost] == ["Jalan Lama"]
    assert [(each.before, each.after) for each in found.renamed] == [("Jalan 2", "Jalan Pahlawan")]
    assert found.renamed[0].metres == pytest.approx(600, rel=0.01)
    assert (found.stretches_gained, found.stretches_lost, found.stretches_kept) == (2, 1, 24)
    back = Changes.load(third.path)
    assert back is not None
    assert [street.name for street in back.gained] == ["Jalan Lama"]
    assert back.renamed[0].after == "Jalan 2"
    assert open_bundle(root, "town").changes() == back


def test_a_report_that_is_unreadable_is_none(tmp_path: Path) -> None:
    for text in ("", "[]", "{}", '{"gained": 3}'):
        (tmp_path / CHANGES).write_text(text)
        assert Changes.load(tmp_path) is None
    whole = Changes(
        "a", "b", (Street("x", 1.0),), (), (Renamed("y", "z", 2.0),), 1, 2, 3, (), ("w",), {}, {}
    )
    whole.save(tmp_path)
    assert Changes.load(tmp_path) == whole


def test_versions_are_listed_oldest_first_with_the_one_in_use(root: Path) -> None:
    found = versions_of(root, "town")
    assert [version.is_current for version in found] == [False, False, True]
    assert all(version.size > 10_000 and version.manifest for version in found)
    with pytest.raises(bundle_errors.BundleMissing):
        versions_of(root, "mana")
    with pytest.raises(bundle_errors.BadCityId):
        versions_of(root, "../town")


def test_an_older_version_can_be_used_again_and_is_whole(root: Path) -> None:
    first, second, third = (version.name for version in versions_of(root, "town"))
    use_version(root, "town", second)
    bundle = open_bundle(root, "town")
    bundle.verify()
    assert bundle.manifest.version == second
    assert "Jalan Baru" in bundle.roads().arrays.names()
    use_version(root, "town", third)
    assert open_bundle(root, "town").manifest.version == third
    for wrong in ("", "..", "20200101T000000Z-abcdef", f"../town/{first}"):
        with pytest.raises(bundle_errors.BundleMissing):
            use_version(root, "town", wrong)


def test_pruning_keeps_the_newest_and_the_one_in_use(tmp_path: Path) -> None:
    root = tmp_path / "cities"
    names = [built(root, grid(3), day).manifest.version for day in (1, 2, 3, 4)]
    use_version(root, "town", names[0])
    with only_builder(root / "town"), pytest.raises(bundle_errors.BundleBusy):
        prune(root, "town", keep=1)
    gone = prune(root, "town", keep=1)
    assert [version.name for version in gone] == names[1:3]
    assert [version.name for version in versions_of(root, "town")] == [names[0], names[3]]
    assert prune(root, "town", keep=1) == []
    open_bundle(root, "town").verify()


def test_a_damaged_version_before_is_no_obstacle(tmp_path: Path) -> None:
    root = tmp_path / "cities"
    first = built(root, grid(3), 1)
    (first.path / "roads.npz").write_bytes(b"")
    second = built(root, grid(3), 2)
    assert second.changes() is None
    second.verify()
