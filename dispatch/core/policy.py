"""A city's numbers: who does what, how urgent it is, how long things may take."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, get_args, get_origin, get_type_hints

from dispatch.core.errors import BadPolicy, Invalid


@dataclass(frozen=True, slots=True)
class Service:
    """A kind of problem (Open311 *service*); `priority` 1 is the most urgent.

    `duplicate_radius_m` and `duplicate_window_h` bound what may be the same incident.
    """

    service_code: str
    name: str
    name_en: str
    agency_id: str
    priority: int
    group: str
    skills: tuple[str, ...] = ()
    crews: int = 1
    icon: str = "other"
    duplicate_radius_m: float = 75.0
    duplicate_window_h: float = 12.0
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Agency:
    """A body responsible for some services."""

    agency_id: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A code a person picks from a list; `outcome` is fixed, not_fixed, false or other."""

    code: str
    name: str
    name_en: str
    outcome: str = "other"


@dataclass(frozen=True, slots=True)
class Promise:
    """The promise and its warning: seconds."""

    target_s: float = 1200.0


@dataclass(frozen=True, slots=True)
class Offers:
    """How a crew is asked. Seconds, except where named."""

    expires_s: float = 60.0
    decline_pause_s: float = 900.0
    undo_s: float = 10.0
    automatic_priorities: tuple[int, ...] = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Matching:
    """The parameters of the deadline-aware assignment; see `dispatch.core.matching`.

    `weights` by priority 1, 2, 3; `late` is A, `tardiness` B, `travel` alpha, `skill_price` s,
    `leave` M (the price of leaving an incident without a crew while one could go);
    `sigma` is the standard deviation of the log of the ETA error; times in seconds.
    """

    weights: tuple[float, ...] = (10.0, 3.0, 1.0)
    late: float = 1.0
    tardiness: float = 0.5
    travel: float = 0.3
    skill_price: float = 0.2
    leave: float = 50.0
    sigma: float = 0.3
    turnout_s: float = 60.0
    mean_service_s: float = 1800.0
    mean_travel_s: float = 480.0
    stale_fix_s: float = 300.0
    eta_slip_s: float = 180.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a crew counts as there: metres and seconds."""

    radius_m: float = 60.0
    dwell_s: float = 20.0
    far_m: float = 250.0
    moving_ms: float = 2.5


@dataclass(frozen=True, slots=True)
class Closing:
    """What follows from cleared work."""

    automatic: bool = True
    reopen_within_h: float = 168.0


@dataclass(frozen=True, slots=True)
class Triage:
    """How much each sign counts towards a report being genuine (log odds)."""

    prior: float = 1.4
    photo: float = 0.9
    precise_place: float = 0.6
    no_place: float = -0.8
    contact: float = 0.7
    anonymous: float = -0.4
    similar: float = 1.3
    short_text: float = -0.7
    shouting: float = -0.5
    repeated: float = -1.2
    keywords: float = 0.6
    call_112: float = -0.5


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything a city decides for itself; see `policy.toml` for what each number means."""

    services: Mapping[str, Service]
    agencies: Mapping[str, Agency]
    dispositions: Mapping[str, Choice]
    declines: Mapping[str, Choice]
    promise: Promise = Promise()
    offers: Offers = Offers()
    matching: Matching = Matching()
    arrival: Arrival = Arrival()
    closing: Closing = Closing()
    triage: Triage = Triage()

    def service(self, service_code: str) -> Service:
        """The service. Raises Invalid when the city does not know it."""
        try:
            return self.services[service_code]
        except KeyError:
            known = ", ".join(sorted(self.services))
            raise Invalid(
                f"There is no category “{service_code}”. Choose one of: {known}.",
                field="service_code",
            ) from None

    def weight(self, priority: int) -> float:
        """How much one late arrival of this priority counts (w of the cost)."""
        weights = self.matching.weights
        return weights[min(max(priority, 1), len(weights)) - 1]


def parse_policy(document: Mapping[str, Any]) -> Policy:
    """The policy in a parsed TOML document. Raises BadPolicy with the key and the reason."""
    known = {
        "service",
        "agency",
        "disposition",
        "decline",
        *(field.name for field in fields(Policy)),
    } - {"services", "agencies", "dispositions", "declines"}
    for key in document:
        if key not in known:
            raise BadPolicy(f"Unknown table [{key}]; known are {', '.join(sorted(known))}.")
    agencies = _keyed(document, "agency", Agency, "agency_id")
    services = _keyed(document, "service", Service, "service_code")
    if not services:
        raise BadPolicy("The policy has no [[service]]: citizens would have nothing to choose.")
    for service in services.values():
        _check_service(service, agencies)
    sections: dict[str, Any] = {
        field.name: _section(document.get(field.name, {}), field.type_, f"[{field.name}]")
        for field in _sections()
    }
    policy = Policy(
        services=services,
        agencies=agencies,
        dispositions=_choices(document, "disposition"),
        declines=_choices(document, "decline"),
        **sections,
    )
    _check_ranges(policy)
    return policy


@dataclass(frozen=True, slots=True)
class _Section:
    name: str
    type_: type[Any]


def _sections() -> Sequence[_Section]:
    hints = get_type_hints(Policy)
    return [_Section(f.name, hints[f.name]) for f in fields(Policy) if f.default is not MISSING]


def _keyed(document: Mapping[str, Any], table: str, type_: type[Any], key: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    entries = document.get(table, [])
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise BadPolicy(f"[[{table}]] must be a list of tables: write its name in two brackets.")
    for entry in entries:
        item = _section(entry, type_, f"[[{table}]] {entry.get(key, '')}".strip())
        if getattr(item, key) in found:
            raise BadPolicy(f"[[{table}]] {getattr(item, key)} is there twice.")
        found[getattr(item, key)] = item
    return found


def _choices(document: Mapping[str, Any], table: str) -> dict[str, Choice]:
    found: dict[str, Choice] = _keyed(document, table, Choice, "code")
    if not found:
        raise BadPolicy(f"The policy has no [[{table}]]: crews would have nothing to choose.")
    for choice in found.values():
        if choice.outcome not in OUTCOMES:
            raise BadPolicy(
                f"[[{table}]] {choice.code}: outcome is “{choice.outcome}”, "
                f"but must be one of {', '.join(OUTCOMES)}."
            )
    return found


def _check_service(service: Service, agencies: Mapping[str, Agency]) -> None:
    where = f"[[service]] {service.service_code}"
    if service.agency_id not in agencies:
        raise BadPolicy(f"{where}: agency_id “{service.agency_id}” is not an [[agency]].")
    if service.priority not in PRIORITIES:
        raise BadPolicy(f"{where}: priority must be 1, 2 or 3.")
    for name, low, high in (
        ("crews", 1, 50),
        ("duplicate_radius_m", 1.0, 10_000.0),
        ("duplicate_window_h", 0.1, 8760.0),
    ):
        _check_range(f"{where}: {name}", getattr(service, name), low, high)


def _section(entry: Any, type_: type[Any], where: str) -> Any:
    if not isinstance(entry, Mapping):
        raise BadPolicy(f"{where} is {entry!r}, but should be a table.")
    hints = get_type_hints(type_)
    values: dict[str, Any] = {}
    for key, value in entry.items():
        if key not in hints:
            raise BadPolicy(f"{where}: unknown key “{key}”; known are {', '.join(sorted(hints))}.")
        values[key] = _value(value, hints[key], f"{where}: {key}")
    missing = [
        f.name
        for f in fields(type_)
        if f.default is MISSING and f.default_factory is MISSING and f.name not in values
    ]
    if missing:
        raise BadPolicy(f"{where}: missing {', '.join(missing)}.")
    return type_(**values)


def _value(value: Any, wanted: Any, where: str) -> Any:
    if wanted is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if wanted in (int, str, bool) and type(value) is wanted:
        return value
    if get_origin(wanted) is tuple and isinstance(value, list):
        return tuple(_value(item, get_args(wanted)[0], where) for item in value)
    should = _KINDS[get_origin(wanted) or wanted]
    raise BadPolicy(f"{where} is {value!r}, but should be {should}.")


_KINDS: Mapping[Any, str] = {
    float: "a number",
    int: "a whole number",
    str: "a text in quotes",
    bool: "true or false",
    tuple: "a list in brackets",
}
OUTCOMES = ("fixed", "not_fixed", "false", "other")
PRIORITIES = (1, 2, 3)

_RANGES: Sequence[tuple[str, str, float, float]] = (
    ("promise", "target_s", 60.0, 86400.0),
    ("offers", "expires_s", 5.0, 3600.0),
    ("offers", "decline_pause_s", 0.0, 86400.0),
    ("offers", "undo_s", 0.0, 600.0),
    ("matching", "sigma", 0.01, 2.0),
    ("matching", "skill_price", 0.0, 100.0),
    ("matching", "mean_service_s", 1.0, 86400.0),
    ("matching", "mean_travel_s", 1.0, 86400.0),
    ("matching", "eta_slip_s", 1.0, 86400.0),
    ("matching", "late", 0.0, 100.0),
    ("matching", "tardiness", 0.0, 100.0),
    ("matching", "travel", 0.0, 100.0),
    ("matching", "leave", 1.0, 1e6),
    ("matching", "turnout_s", 0.0, 3600.0),
    ("matching", "stale_fix_s", 10.0, 86400.0),
    ("arrival", "radius_m", 5.0, 1000.0),
    ("arrival", "dwell_s", 0.0, 600.0),
    ("arrival", "far_m", 5.0, 10000.0),
    ("arrival", "moving_ms", 0.1, 50.0),
    ("closing", "reopen_within_h", 0.0, 87600.0),
)


def _check_ranges(policy: Policy) -> None:
    for section, name, low, high in _RANGES:
        _check_range(f"[{section}]: {name}", getattr(getattr(policy, section), name), low, high)
    if not set(policy.offers.automatic_priorities) <= set(PRIORITIES):
        raise BadPolicy("[offers]: automatic_priorities may hold 1, 2 and 3 only.")
    if len(policy.matching.weights) != 3 or min(policy.matching.weights) <= 0:
        raise BadPolicy("[matching]: weights must be three positive numbers, for priority 1, 2, 3.")


def _check_range(where: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise BadPolicy(f"{where} is {value:g}, but must be {low:g} to {high:g}.")
