"""Fetch OSRM's programs into `.venv/osrm`, where the tests and `sigap bench road` find them.

They come inside a wheel for Python 3.12 and newer, but need no Python themselves: the wheel is
unpacked, not installed. With nothing changed it takes a fraction of a second.
"""

import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
PIP = next(HERE.glob("pip-*.whl")) / "pip"
LOCK = HERE / "osrm.txt"
TARGET = HERE.parents[1] / ".venv/osrm"
STAMP = TARGET / "locked.txt"


def main() -> None:
    lock = LOCK.read_text("utf-8")
    if STAMP.is_file() and STAMP.read_text("utf-8") == lock:
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(PIP), "download", "--quiet", "--no-deps", "--require-hashes"]
        command += ["--only-binary=:all:", "--python-version", "3.12", "--abi", "abi3"]
        command += ["--platform", f"manylinux_2_28_{platform.machine()}"]
        if subprocess.run([*command, "-d", folder, "-r", str(LOCK)], check=False).returncode:
            sys.exit("osrm: the programs could not be fetched; see what pip said above")
        shutil.rmtree(TARGET, ignore_errors=True)
        unpack(next(Path(folder).glob("*.whl")))
    STAMP.write_text(lock, "utf-8")
    print(f"osrm: programs in {TARGET / 'bin'}")


def unpack(wheel: Path) -> None:
    """The wheel's `osrm/bin` and `osrm/share` as `bin` and `share`, programs made executable."""
    with zipfile.ZipFile(wheel) as stored:
        for name in stored.namelist():
            if name.startswith(("osrm/bin/", "osrm/share/")) and not name.endswith("/"):
                path = TARGET / name.removeprefix("osrm/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(stored.read(name))
                if path.parent.name == "bin":
                    path.chmod(0o755)


if __name__ == "__main__":
    main()
