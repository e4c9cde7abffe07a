"""What was played is kept, one run a line, so that a broken-off night goes on where it stopped."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from dispatch.core.log import plain
from dispatch.simulator.outcome import Outcome, Served, Worked

PACKAGE = Path(__file__).parent.parent
RULES = ("dispatch/core", "dispatch/actions", "dispatch/dispatcher", "dispatch/simulator", "geo")
# these tell of runs and change none
TELLING = ("calibration", "figures", "pictures", "report", "results", "runs", "statistics")
DECIMALS = {"lon": 6, "lat": 6}
SECONDS_DECIMALS = 3
NAMES = {fact: tuple(field.name for field in fields(fact)) for fact in (Served, Worked)}


@dataclass(frozen=True, slots=True)
class Kept:
    """A line read back: the key it was kept under, what was asked for, and the outcome."""

    key: str
    parameters: Mapping[str, Any]
    outcome: Outcome


@cache
def code_digest() -> str:
    """A hash of the source of rules, dispatcher and engine: other code is another experiment."""
    digest = hashlib.blake2b(digest_size=8)
    root = PACKAGE.parent
    for room in RULES:
        for path in sorted((root / room).rglob("*.py")):
            if path.parent.name == "simulator" and path.stem.startswith(TELLING):
                continue
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def key_of(parameters: Mapping[str, Any], *, policy: object, code: str) -> str:
    """Sixteen letters that change with any parameter, any number of the policy, and the code.

    `parameters` are plain values; `policy` is the `Policy` the run is played under.
    """
    said = msgspec.json.encode([_spelt(parameters), _spelt(policy), code])
    return hashlib.blake2b(said, digest_size=8).hexdigest()


def encode(key: str, parameters: Mapping[str, Any], outcome: Outcome) -> bytes:
    """One line, without its end: incidents and crews in columns."""
    whole = {
        name: value for name, value in asdict(outcome).items() if name not in ("served", "crews")
    }
    whole["decision_ms"] = [round(ms, 3) for ms in outcome.decision_ms]
    whole["served"] = _columns(outcome.served, NAMES[Served])
    whole["crews"] = _columns(outcome.crews, NAMES[Worked])
    return msgspec.json.encode({"key": key, "parameters": plain(parameters), "outcome": whole})


def decode(line: bytes) -> Kept:
    """The run of a line. Raises ValueError when the line is torn or of another shape."""
    try:
        said = msgspec.json.decode(line)
        whole: dict[str, Any] = said["outcome"]
        served = [
            Served(**{**row, "response_s": _never(row["response_s"])})
            for row in _rows(whole.pop("served"))
        ]
        crews = [Worked(**{**row, "skills": tuple(row["skills"])}) for row in _rows(whole["crews"])]
        whole |= {
            "served": tuple(served),
            "crews": tuple(crews),
            "decision_ms": tuple(whole["decision_ms"]),
        }
        return Kept(said["key"], said["parameters"], Outcome(**whole))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a kept run: {error}") from error


@dataclass(frozen=True, slots=True)
class Results:
    """A folder of runs: a file for each policy, city, load, scenario and friction.

    One process writes; any number may read. A line that was torn by a stop is passed over, so
    its run is played again.
    """

    folder: Path

    def append(self, key: str, parameters: Mapping[str, Any], outcome: Outcome) -> Path:
        """Keep a run durably; a torn line before it is closed first. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / file_name(outcome)
        line = encode(key, parameters, outcome) + b"\n"
        with path.open("ab+", buffering=0) as file:
            if file.seek(0, 2):
                file.seek(-1, 2)
                if file.read(1) != b"\n":
                    line = b"\n" + line
            _write_all(file, line)
        return path

    def lines(self) -> Iterator[tuple[Path, bytes]]:
        """Every line of every file, files by name, lines as written."""
        for path in sorted(self.folder.glob("*.jsonl")):
            with path.open("rb") as file:
                for line in file:
                    yield path, line

    def keys(self) -> set[str]:
        """The keys of whole lines, read without building their runs."""
        return {found for _, line in self.lines() if (found := _key(line)) is not None}

    def runs(self, keys: set[str] | None = None) -> Iterator[Kept]:
        """The runs under these keys, or all, one at a time, each key once; torn lines are not."""
        told: set[str] = set()
        for _, line in self.lines():
            key = _key(line)
            if key is None or key in told or (keys is not None and key not in keys):
                continue
            told.add(key)
            yield decode(line)


def file_name(outcome: Outcome) -> str:
    """Where the outcome is kept: F-madiun-0.35-plain-frictions.jsonl."""
    with_frictions = "frictions" if outcome.frictions else "smooth"
    parts = (outcome.policy, outcome.city, f"{outcome.load:g}", outcome.scenario, with_frictions)
    return "-".join(_tame(part) for part in parts) + ".jsonl"


def _spelt(value: object) -> Any:
    """The value as lists of text and numbers that are the same in every process."""
    if is_dataclass(value) and not isinstance(value, type):
        return [[field.name, _spelt(getattr(value, field.name))] for field in fields(value)]
    if isinstance(value, Mapping):
        return sorted(([repr(key), _spelt(one)] for key, one in value.items()), key=repr)
    if isinstance(value, frozenset | set):
        return sorted((_spelt(one) for one in value), key=repr)
    if isinstance(value, list | tuple):
        return [_spelt(one) for one in value]
    return value if isinstance(value, int | float | bool | None) else str(value)


def _tame(part: str) -> str:
    return "".join(c if c.isalnum() or c in "._=" else "_" for c in part)


class _Key(msgspec.Struct):
    key: str


_KEY = msgspec.json.Decoder(_Key)


def _key(line: bytes) -> str | None:
    """The line's key, None when the line is torn."""
    if not line.endswith(b"\n"):
        return None
    try:
        return _KEY.decode(line).key
    except msgspec.DecodeError:
        return None


def _write_all(file: Any, line: bytes) -> None:
    """One append, on the disk before it returns."""
    left = memoryview(line)
    while left:
        left = left[file.write(left) :]
    os.fsync(file.fileno())


def _columns(rows: tuple[Served, ...] | tuple[Worked, ...], names: tuple[str, ...]) -> Any:
    return {name: [_short(name, getattr(row, name)) for row in rows] for name in names}


def _short(name: str, value: object) -> object:
    if isinstance(value, float):
        # JSON knows no infinity: an incident that nobody reached has no response time
        return round(value, DECIMALS.get(name, SECONDS_DECIMALS)) if math.isfinite(value) else None
    return value


def _rows(columns: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    names = list(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _never(response_s: float | None) -> float:
    return math.inf if response_s is None else response_s
