"""The screens as they were built: asked anew, while what they name is kept for a year."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.story.small_city import Stand, stand
from web import screens


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("static")
    (folder / "ui" / "assets").mkdir(parents=True)
    for name in ("console", "crew", "evaluation", "agency", "devices", "replay", "signin"):
        (folder / "ui" / f"{name}.html").write_text(f"<title>{name}</title>")
    (folder / "ui" / "assets" / "console-4f2a.js").write_text("export {};\n" * 1000)
    return folder


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Iterator[Stand]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(screens, "STATIC", built)
        patch.setattr(screens, "SCREENS", built / "ui")
        with stand(tmp_path_factory.mktemp("screens")) as running:
            yield running


@pytest.mark.parametrize(
    "name", ["console", "crew", "evaluation", "agency", "devices", "replay", "signin"]
)
def test_each_screen_is_served(city: Stand, name: str) -> None:
    answer = city.visitor().client.get(f"/kota/{name}")
    assert answer.text == f"<title>{name}</title>"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert city.visitor().client.get(f"/nowhere/{name}").status_code == 404


def test_a_screen_that_was_not_built_says_what_to_run(
    city: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screens, "SCREENS", tmp_path)
    answer = city.visitor().client.get("/kota/console")
    assert (answer.status_code, answer.json()["code"]) == (503, "screens_not_built")


def test_fingerprinted_files_are_kept_and_squeezed(city: Stand) -> None:
    client = city.visitor().client
    path = "/static/ui/assets/console-4f2a.js"
    answer = client.get(path)
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.text.startswith("export")
    part = client.get(path, headers={"Range": "bytes=0-5"})
    assert (part.status_code, part.content) == (206, b"export")
    assert client.get("/static/ui/console.html").headers["Cache-Control"] == "no-cache"


def test_no_file_outside_the_folder_is_served(city: Stand, built: Path) -> None:
    (built.parent / "secret.txt").write_text("no")
    client = city.visitor().client
    for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/ui/..%2f..%2fsecret.txt"):
        assert client.get(f"/static{path}").status_code == 404
