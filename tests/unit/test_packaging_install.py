"""A bare checkout installs itself: the right Python, the user's index, one clear sentence."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
BOOTSTRAP = ROOT / ".ci/bootstrap"


def load_install() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", BOOTSTRAP / "install.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


install = load_install()


def fake_python(directory: Path, name: str, version: tuple[int, int]) -> None:
    """A program that answers version questions as that Python would."""
    program = directory / name
    program.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -c "import sys; sys.version_info = {version}; '
        'exec(sys.argv[2])" "$@"\n',
        "utf-8",
    )
    program.chmod(0o755)


def find_python(path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(BOOTSTRAP / "python.sh")],
        env={"PATH": str(path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        ({"python3": (3, 12)}, "python3"),
        ({"python3": (3, 12), "python3.14": (3, 14)}, "python3"),
        ({"python3": (3, 9), "python3.11": (3, 11), "python3.13": (3, 13)}, "python3.13"),
        ({"python3": (3, 15), "python3.13": (3, 13)}, "python3.13"),
        ({"python3": (3, 15)}, "python3"),
    ],
)
def test_the_right_python_is_found(
    tmp_path: Path, there: Mapping[str, tuple[int, int]], chosen: str
) -> None:
    for name, version in there.items():
        fake_python(tmp_path, name, version)
    found = find_python(tmp_path)
    assert found.stdout.strip() == str(tmp_path / chosen)


@pytest.mark.parametrize("there", [{}, {"python3": (3, 10), "python": (2, 7)}])
def test_no_python_is_one_sentence(tmp_path: Path, there: Mapping[str, tuple[int, int]]) -> None:
    for name, version in there.items():
        fake_python(tmp_path, name, version)
    found = find_python(tmp_path)
    assert found.returncode == 1
    assert found.stderr.startswith("sigap: needs Python 3.11 or newer")
    assert found.stderr.count("\n") == 1


def test_a_named_python_is_taken_or_refused(tmp_path: Path) -> None:
    fake_python(tmp_path, "python3", (3, 11))
    fake_python(tmp_path, "mine", (3, 14))
    fake_python(tmp_path, "old", (3, 8))
    assert find_python(tmp_path, PYTHON="mine").stdout.strip() == str(tmp_path / "mine")
    refused = find_python(tmp_path, PYTHON="old")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "PYTHON=old is not a Python 3.11 or newer" in refused.stderr


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """An environment in which nobody told pip anything."""
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}


def settings(environment: dict[str, str]) -> dict[str, str]:
    told: dict[str, str] = install.uv_settings(Path(sys.executable), environment)
    told.pop("UV_INDEX_STRATEGY")
    return told


def test_pip_told_nothing(bare: dict[str, str]) -> None:
    assert settings(bare) == {}


def test_what_pip_is_told_holds_for_uv(bare: dict[str, str]) -> None:
    mirror = "https://mirror.city.example/simple"
    told = settings(
        bare
        | {
            "PIP_INDEX_URL": mirror,
            "PIP_EXTRA_INDEX_URL": "https://a.example/simple https://b.example/simple",
            "PIP_CERT": "/etc/city.pem",
            "PIP_TRUSTED_HOST": "mirror.city.example",
            "PIP_DEFAULT_TIMEOUT": "60",
        }
    )
    assert told == {
        "UV_DEFAULT_INDEX": mirror,
        "UV_INDEX": "https://a.example/simple https://b.example/simple",
        "SSL_CERT_FILE": "/etc/city.pem",
        "UV_INSECURE_HOST": "mirror.city.example",
        "UV_HTTP_TIMEOUT": "60",
    }


def test_pip_configuration_file_holds_for_uv(bare: dict[str, str], tmp_path: Path) -> None:
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://one.example/simple\nproxy = http://proxy.example:3128\n"
        "[install]\nindex-url = https://two.example/simple\n",
        "utf-8",
    )
    told = settings(bare | {"PIP_CONFIG_FILE": str(config)})
    # This machine's own /etc/pip.conf may say more.
    assert told["UV_DEFAULT_INDEX"] == "https://two.example/simple"
    assert told["ALL_PROXY"] == "http://proxy.example:3128"


def test_what_uv_is_told_stays(bare: dict[str, str]) -> None:
    told = settings(
        bare
        | {
            "PIP_INDEX_URL": "https://one.example/simple",
            "UV_DEFAULT_INDEX": "https://uv.example/simple",
        }
    )
    assert told == {}


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("[Errno 28] No space left on device", "The disk is full"),
        ("Failed to fetch: dns error: failed to lookup address", "cannot be reached"),
        ("NewConnectionError: [Errno 101] Network is unreachable", "cannot be reached"),
        ("SSLError: CERTIFICATE_VERIFY_FAILED", "certificate is not trusted"),
        ("invalid peer certificate: UnknownIssuer", "certificate is not trusted"),
        ("HTTP status client error (403 Forbidden)", "refused access"),
        ("ERROR: No matching distribution found for uv==0.13.9", "lacks a locked package"),
    ],
)
def test_a_known_cause_is_one_sentence(output: str, sentence: str) -> None:
    told = install.explain(f"error: something\n{output}\n")
    assert sentence in told
    assert "\n" not in told


def test_an_unknown_cause_is_not_guessed() -> None:
    assert install.explain("error: expected a comma") is None


def test_a_full_disk_is_told_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(install, "NEEDED_BYTES", {"up": 10**18})
    with pytest.raises(SystemExit, match=r"MB free on this disk and Sigap needs about"):
        install.ensure_venv("up")
    assert not (tmp_path / ".venv").exists()


def test_a_place_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(install, "VENV", tmp_path / "file/.venv")
    with pytest.raises(SystemExit, match=r"cannot make .*\.venv: Not a directory"):
        install.ensure_venv("up")


def test_the_environment_is_made_without_ensurepip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "VENV", tmp_path / ".venv")
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    python: Path = install.ensure_venv("up")
    pip = [str(python), str(install.PIP_WHEEL / "pip"), "--version"]
    told = subprocess.run(pip, capture_output=True, text=True, check=True).stdout
    assert str(install.PIP_WHEEL) in told
    assert install.ensure_venv("up") == python


def test_the_fingerprint_follows_lock_and_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(install, "LOCKS", tmp_path)
    seen = set()
    for lock, project in (("a==1", "x"), ("a==2", "x"), ("a==2", "y")):
        (tmp_path / "up.txt").write_text(lock)
        (tmp_path / "pyproject.toml").write_text(project)
        seen.add(install.fingerprint("up", Path("python")))
        seen.add(install.fingerprint("up", Path("python")))
    assert len(seen) == 3
