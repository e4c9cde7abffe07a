"""Arrays are mapped, not read, and the file stays one that numpy knows."""

import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from geo.arraysfile import map_arrays, write_arrays
from geo.roadarrays import RoadArrays
from tests.maps import helsinki_roads


def test_what_was_written_is_mapped(tmp_path: Path) -> None:
    roads, path = helsinki_roads(), tmp_path / "roads.npz"
    roads.save(path)
    again = RoadArrays.load(path)
    with np.load(path, allow_pickle=False) as plain:
        for name in (f.name for f in fields(RoadArrays)):
            mapped = getattr(again, name)
            assert np.array_equal(mapped, getattr(roads, name)), name
            assert np.array_equal(mapped, plain[name]), name
            assert mapped.flags.aligned, name
            assert not mapped.flags.owndata, name
            assert not mapped.flags.writeable, name


def test_older_files_are_read(tmp_path: Path) -> None:
    """Bundles made before arrays were aligned, and compressed ones."""
    numbers = {"some": np.arange(7), "none": np.zeros(0), "one": np.array(3.5)}
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = tmp_path / f"{compression}.npz"
        with zipfile.ZipFile(path, "w", compression) as stored:
            for name, array in numbers.items():
                with stored.open(f"{name}.npy", "w") as out:
                    np.lib.format.write_array(out, array, allow_pickle=False)
        found = map_arrays(path)
        assert {name: array.tolist() for name, array in found.items()} == {
            name: array.tolist() for name, array in numbers.items()
        }


def test_a_mapping_outlives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_arrays(path, {"a": np.arange(1_000_000)})
    found = map_arrays(path)["a"]
    path.unlink()
    assert int(found.sum()) == 499_999_500_000


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"a\.npz|empty"):
        map_arrays(path)
    path.write_bytes(b"PK no archive" * 20)
    with pytest.raises(ValueError, match=r"a\.npz holds no arrays"):
        map_arrays(path)
    write_arrays(path, {"a": np.arange(1_000)})
    whole = path.read_bytes()
    path.write_bytes(whole[:500] + whole[4_000:])
    with pytest.raises((ValueError, OSError)):
        map_arrays(path)
    with zipfile.ZipFile(path, "w") as stored:
        stored.writestr("a.npy", b"not numbers")
    with pytest.raises(ValueError, match="magic"):
        map_arrays(path)
    with path.open("wb") as out:
        np.savez(out, a=np.array([object()]))
    with pytest.raises(ValueError, match="objects"):
        map_arrays(path)
