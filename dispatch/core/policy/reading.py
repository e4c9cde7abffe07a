"""Reads a city's numbers and refuses what cannot be meant, naming the key and the reason."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from dispatch.core.errors import BadPolicy
from dispatch.core.policy.responsibility import Responsibility
from dispatch.core.policy.sections import (
    MOVE_UPS,
    RULES,
    Agency,
    Choice,
    Policy,
    RunCard,
    Service,
    Vehicle,
)
from geo.osm_rules import LIMITS, ROAD_CLASSES

Where = tuple[str | int, ...]
"""The way to a value in the document: names of tables and keys, numbers of list entries."""

AVOIDABLE = (*ROAD_CLASSES[1:], *LIMITS)
"""What a vehicle may be unable to use."""


def parse_policy(document: Mapping[str, Any]) -> Policy:
    """The policy in a parsed TOML document.

    Raises BadPolicy with the key and the reason; `fields["path"]` is the way to the culprit.
    """
    known = {*_TABLES, *(section.name for section in _sections())}
    for key in document:
        if key not in known:
            raise _bad((key,), f"Unknown table [{key}]; known are {', '.join(sorted(known))}.")
    agencies = _keyed(document, "agency", Agency, "agency_id")
    services = _keyed(document, "service", Service, "service_code")
    if not services:
        raise _bad((), "The policy has no [[service]]: citizens would have nothing to choose.")
    for i, service in enumerate(services.values()):
        _check_service(service, agencies, ("service", i))
    sections: dict[str, Any] = {
        section.name: _section(
            document.get(section.name, {}), section.type_, f"[{section.name}]", (section.name,)
        )
        for section in _sections()
    }
    policy = Policy(
        services=services,
        agencies=agencies,
        dispositions=_choices(document, "disposition"),
        declines=_choices(document, "decline"),
        run_cards=_run_cards(document, services),
        vehicles=_vehicles(document),
        responsibilities=_responsibilities(document, agencies, services),
        **sections,
    )
    _check_ranges(policy)
    return policy


_TABLES = ("service", "agency", "disposition", "decline", "run_card", "vehicle", "responsibility")


def _bad(path: Where, detail: str) -> BadPolicy:
    return BadPolicy(detail, path=path)


@dataclass(frozen=True, slots=True)
class _Section:
    name: str
    type_: type[Any]


def _sections() -> Sequence[_Section]:
    hints = get_type_hints(Policy)
    return [_Section(f.name, hints[f.name]) for f in fields(Policy) if f.default is not MISSING]


def _entries(document: Mapping[str, Any], table: str) -> Sequence[Mapping[str, Any]]:
    entries = document.get(table, [])
    if isinstance(entries, list) and all(isinstance(entry, Mapping) for entry in entries):
        return entries
    detail = f"[[{table}]] must be a list of tables: write its name in two brackets."
    raise _bad((table,), detail)


def _keyed(document: Mapping[str, Any], table: str, type_: type[Any], key: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for i, entry in enumerate(_entries(document, table)):
        item = _section(entry, type_, f"[[{table}]] {entry.get(key, '')}".strip(), (table, i))
        if getattr(item, key) in found:
            raise _bad((table, i, key), f"[[{table}]] {getattr(item, key)} is there twice.")
        found[getattr(item, key)] = item
    return found


def _choices(document: Mapping[str, Any], table: str) -> dict[str, Choice]:
    found: dict[str, Choice] = _keyed(document, table, Choice, "code")
    if not found:
        raise _bad((), f"The policy has no [[{table}]]: crews would have nothing to choose.")
    for i, choice in enumerate(found.values()):
        if choice.outcome not in OUTCOMES:
            raise _bad(
                (table, i, "outcome"),
                f"[[{table}]] {choice.code}: outcome is “{choice.outcome}”, "
                f"but must be one of {', '.join(OUTCOMES)}.",
            )
    return found


def _vehicles(document: Mapping[str, Any]) -> dict[str, Vehicle]:
    found: dict[str, Vehicle] = _keyed(document, "vehicle", Vehicle, "kind")
    for i, vehicle in enumerate(found.values()):
        where = f"[[vehicle]] {vehicle.kind}"
        for name in vehicle.avoids:
            if name not in AVOIDABLE:
                detail = f"{where}: avoids “{name}”, but may hold {', '.join(AVOIDABLE)}."
                raise _bad(("vehicle", i, "avoids"), detail)
        _check_range(where, vehicle, "reach_m", (1.0, 1000.0), ("vehicle", i))
    return found


def _responsibilities(
    document: Mapping[str, Any], agencies: Mapping[str, Agency], services: Mapping[str, Service]
) -> tuple[Responsibility, ...]:
    found = []
    for i, entry in enumerate(_entries(document, "responsibility")):
        path: Where = ("responsibility", i)
        where = f"[[responsibility]] {entry.get('agency_id', '')}".strip()
        item: Responsibility = _section(entry, Responsibility, where, path)
        if item.agency_id not in agencies:
            detail = f"{where}: agency_id “{item.agency_id}” is not an [[agency]]."
            raise _bad((*path, "agency_id"), detail)
        for code in item.services:
            if code not in services:
                detail = f"{where}: services names “{code}”, which is not a [[service]]."
                raise _bad((*path, "services"), detail)
        if not (item.services or item.wards or item.polygons):
            raise _bad(path, f"{where} fits everything: name services, wards or polygons.")
        for n, ring in enumerate(item.polygons):
            if len(ring) < 3 or any(not _is_place(corner) for corner in ring):
                detail = f"{where}: polygon {n + 1} needs three corners or more, each [lon, lat]."
                raise _bad((*path, "polygons"), detail)
        found.append(item)
    return tuple(found)


def _is_place(corner: Sequence[float]) -> bool:
    return len(corner) == 2 and abs(corner[0]) <= 180 and abs(corner[1]) <= 90


def _run_cards(
    document: Mapping[str, Any], services: Mapping[str, Service]
) -> dict[tuple[str, int], RunCard]:
    found: dict[tuple[str, int], RunCard] = {}
    for i, entry in enumerate(_entries(document, "run_card")):
        path: Where = ("run_card", i)
        where = f"[[run_card]] {entry.get('service_code', '')}".strip()
        card: RunCard = _section(entry, RunCard, where, path)
        _check_card(card, services, path)
        key = (card.service_code, card.alarm_level)
        if key in found:
            detail = f"{where}: alarm level {card.alarm_level} is there twice."
            raise _bad((*path, "alarm_level"), detail)
        found[key] = card
    for i, (code, level) in enumerate(found):
        if level > 2 and (code, level - 1) not in found:
            detail = f"[[run_card]] {code}: alarm level {level} has no level {level - 1} below it."
            raise _bad(("run_card", i, "alarm_level"), detail)
    return found


def _check_card(card: RunCard, services: Mapping[str, Service], path: Where) -> None:
    where = f"[[run_card]] {card.service_code}"
    if card.service_code not in services:
        detail = f"[[run_card]]: service_code “{card.service_code}” is not a [[service]]."
        raise _bad((*path, "service_code"), detail)
    if not card.slot:
        raise _bad(path, f"{where}: without a [[run_card.slot]] it would ask for nobody.")
    _check_range(where, card, "alarm_level", (1, 9), path)
    for i, slot in enumerate(card.slot):
        _check_range(f"{where}: slot", slot, "crews", (1, 50), (*path, "slot", i))


def _check_service(service: Service, agencies: Mapping[str, Agency], path: Where) -> None:
    where = f"[[service]] {service.service_code}"
    if service.agency_id not in agencies:
        detail = f"{where}: agency_id “{service.agency_id}” is not an [[agency]]."
        raise _bad((*path, "agency_id"), detail)
    if service.priority not in PRIORITIES:
        raise _bad((*path, "priority"), f"{where}: priority must be 1, 2 or 3.")
    for name, low, high in _SERVICE_RANGES:
        _check_range(where, service, name, (low, high), path)


def _section(entry: Any, type_: type[Any], where: str, path: Where) -> Any:
    if not isinstance(entry, Mapping):
        raise _bad(path, f"{where} is {entry!r}, but should be a table.")
    hints = get_type_hints(type_)
    values: dict[str, Any] = {}
    for key, value in entry.items():
        if key not in hints:
            known = ", ".join(sorted(hints))
            raise _bad((*path, key), f"{where}: unknown key “{key}”; known are {known}.")
        values[key] = _value(value, hints[key], f"{where}: {key}", (*path, key))
    missing = [
        f.name
        for f in fields(type_)
        if f.default is MISSING and f.default_factory is MISSING and f.name not in values
    ]
    if missing:
        raise _bad(path, f"{where}: missing {', '.join(missing)}.")
    return type_(**values)


def _value(value: Any, wanted: Any, where: str, path: Where) -> Any:
    if wanted is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if wanted in (int, str, bool) and type(value) is wanted:
        return value
    if isinstance(wanted, type) and is_dataclass(wanted):
        return _section(value, wanted, where, path)
    if get_origin(wanted) is tuple and isinstance(value, list):
        type_ = get_args(wanted)[0]
        return tuple(_value(item, type_, where, (*path, i)) for i, item in enumerate(value))
    should = _KINDS[get_origin(wanted) or wanted]
    raise _bad(path, f"{where} is {value!r}, but should be {should}.")


_KINDS: Mapping[Any, str] = {
    float: "a number",
    int: "a whole number",
    str: "a text in quotes",
    bool: "true or false",
    tuple: "a list in brackets",
}
OUTCOMES = ("fixed", "not_fixed", "false", "other")
PRIORITIES = (1, 2, 3)

_SERVICE_RANGES: Sequence[tuple[str, float, float]] = (
    ("crews", 1, 50),
    ("duplicate_radius_m", 1.0, 10_000.0),
    ("duplicate_window_h", 0.1, 8760.0),
    ("closes_road_m", 0.0, 500.0),
)

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
    ("matching", "coverage_loss", 0.0, 100.0),
    ("matching", "fair_after_s", 60.0, 1e6),
    ("matching", "leave", 1.0, 1e6),
    ("matching", "turnout_s", 0.0, 3600.0),
    ("matching", "stale_fix_s", 10.0, 86400.0),
    ("arrival", "radius_m", 5.0, 1000.0),
    ("arrival", "dwell_s", 0.0, 600.0),
    ("arrival", "far_m", 5.0, 10000.0),
    ("arrival", "moving_ms", 0.1, 50.0),
    ("arrival", "road_m", 5.0, 1000.0),
    ("arrival", "apart_m", 20.0, 10000.0),
    ("arrival", "pass_ms", 1.0, 50.0),
    ("arrival", "gap_s", 0.0, 86400.0),
    ("arrival", "confirm_s", 0.0, 3600.0),
    ("arrival", "photo_s", 0.0, 86400.0),
    ("positions", "live_s", 1.0, 3600.0),
    ("positions", "lost_s", 1.0, 86400.0),
    ("positions", "low_battery", 0.0, 1.0),
    ("positions", "jump_ms", 5.0, 1000.0),
    ("positions", "ahead_s", 0.0, 3600.0),
    ("positions", "oldest_h", 0.1, 8760.0),
    ("positions", "outside_m", 0.0, 1e6),
    ("positions", "agree", 1, 100),
    ("positions", "smooth_ms", 0.1, 50.0),
    ("positions", "snap_m", 0.0, 250.0),
    ("positions", "still_m", 1.0, 500.0),
    ("positions", "keep_days", 0.04, 3650.0),
    ("positions", "thin_after_h", 0.0, 87600.0),
    ("positions", "thin_s", 0.0, 3600.0),
    ("offers", "parallel_below", 0.0, 1.0),
    ("offers", "parallel_gain", 0.0, 1.0),
    ("offers", "accept_s", 0.0, 3600.0),
    ("offers", "decline_share", 0.0, 1.0),
    ("diversion", "lock_s", 0.0, 86400.0),
    ("diversion", "switch", 0.0, 100.0),
    ("diversion", "most_per_incident", 0, 100),
    ("coverage", "busy_share", 0.01, 0.95),
    ("coverage", "busy_prior", 0.1, 1e6),
    ("coverage", "threshold_s", 0.0, 86400.0),
    ("coverage", "moves_per_crew_h", 0.0, 60.0),
    ("coverage", "least_gain", 0.0, 1.0),
    ("coverage", "travel_price", 0.0, 1.0),
    ("gates", "shift_h", 1.0, 24.0),
    ("gates", "overtime_s", 0.0, 86400.0),
    ("gates", "longest_duty_h", 1.0, 48.0),
    ("gates", "rest_h", 0.0, 48.0),
    ("gates", "least_members", 1, 50),
    ("rounds", "most_stops", 1, 500),
    ("rounds", "longest_h", 0.1, 24.0),
    ("rounds", "work_s", 1.0, 86400.0),
    ("rounds", "search_s", 1.0, 600.0),
    ("forecast", "alarm_below", 0.0, 1.0),
    ("forecast", "clear_above", 0.0, 1.0),
    ("closures", "precise_m", 1.0, 1000.0),
    ("closing", "reopen_within_h", 0.0, 87600.0),
)


_PRIORITY_LISTS = (
    ("offers", "automatic_priorities"),
    ("diversion", "priorities"),
    ("diversion", "conditional_for"),
)
_WORDS: Sequence[tuple[str, str, Sequence[str]]] = (
    ("matching", "rule", RULES),
    ("coverage", "move_up", MOVE_UPS),
)


def _check_ranges(policy: Policy) -> None:
    for section, name, low, high in _RANGES:
        _check_range(f"[{section}]", getattr(policy, section), name, (low, high), (section,))
    for section, name in _PRIORITY_LISTS:
        if not set(getattr(getattr(policy, section), name)) <= set(PRIORITIES):
            raise _bad((section, name), f"[{section}]: {name} may hold 1, 2 and 3 only.")
    for section, name, known in _WORDS:
        word = getattr(getattr(policy, section), name)
        if word not in known:
            detail = f"[{section}]: {name} is “{word}”, but must be {', '.join(known)}."
            raise _bad((section, name), detail)
    for i, code in enumerate(policy.rounds.services):
        if code not in policy.services:
            detail = f"[rounds]: services names “{code}”, which is not a [[service]]."
            raise _bad(("rounds", "services", i), detail)
    if len(policy.matching.weights) != 3 or min(policy.matching.weights) <= 0:
        detail = "[matching]: weights must be three positive numbers, for priority 1, 2, 3."
        raise _bad(("matching", "weights"), detail)


def _check_range(
    where: str, table: Any, name: str, range_: tuple[float, float], path: Where
) -> None:
    value, (low, high) = getattr(table, name), range_
    if not low <= value <= high:
        detail = f"{where}: {name} is {value:g}, but must be {low:g} to {high:g}."
        raise _bad((*path, name), detail)
