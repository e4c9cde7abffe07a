"""Photos are kept once, whole or not at all, and only by their fingerprint."""

from pathlib import Path

import pytest

from dispatch.blobs import Blobs
from dispatch.core.errors import NotFound


def test_same_picture_is_kept_once(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    first = blobs.put("helsinki", full=b"picture", thumb=b"small")
    second = blobs.put("helsinki", full=b"picture", thumb=b"small")
    assert first == second
    assert blobs.read("helsinki", first) == b"picture"
    assert blobs.read("helsinki", first, "thumb") == b"small"
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dispatch.blobs.os.fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        Blobs(tmp_path).put("helsinki", full=b"picture", thumb=b"small")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("digest", ["../../etc/passwd", "0" * 63, "0" * 64, "A" * 64, ""])
def test_what_was_never_kept_is_not_found(tmp_path: Path, digest: str) -> None:
    with pytest.raises(NotFound):
        Blobs(tmp_path).path("helsinki", digest)


def test_a_city_cannot_climb_out_of_its_folder(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        Blobs(tmp_path / "photos").put("../other", full=b"a", thumb=b"b")
    assert not list(tmp_path.rglob("*"))


def test_one_city_does_not_see_the_photos_of_another(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    digest = blobs.put("helsinki", full=b"picture", thumb=b"small")
    with pytest.raises(NotFound):
        blobs.path("madiun", digest)


def test_deleting_forgets_both_sizes_and_may_be_repeated(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    digest = blobs.put("helsinki", full=b"picture", thumb=b"small")
    blobs.delete("helsinki", digest)
    blobs.delete("helsinki", digest)
    with pytest.raises(NotFound):
        blobs.path("helsinki", digest, "thumb")
