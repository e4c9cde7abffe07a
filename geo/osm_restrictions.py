"""Reads turn restrictions: who may not, or must, turn from which way over which onto which."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from geo.osm_access import CAR, EVERYBODY, MOTORBIKE, NOBODY, TRUCK
from geo.osm_rules import Tags

RESTRICTION_KEYS = tuple(
    f"restriction{suffix}"
    for suffix in ("", ":motorcar", ":motor_vehicle", ":vehicle", ":motorcycle", ":hgv")
)
_KEYS = {
    CAR: ("restriction:motorcar", "restriction:motor_vehicle", "restriction:vehicle"),
    MOTORBIKE: ("restriction:motorcycle", "restriction:motor_vehicle", "restriction:vehicle"),
    TRUCK: ("restriction:hgv", "restriction:motor_vehicle", "restriction:vehicle"),
}
_EXEMPT = {
    CAR: {"motorcar", "motor_vehicle", "vehicle"},
    MOTORBIKE: {"motorcycle", "motor_vehicle", "vehicle"},
    TRUCK: {"hgv", "goods", "motor_vehicle", "vehicle"},
}
_AT_TIMES = {"hour_on", "hour_off", "day_on", "day_off"}


@dataclass(frozen=True, slots=True)
class Restriction:
    """A turn restriction over one node, or over one or more ways in the order of driving.

    `only` = whoever comes so may go on no other way than `to_way`. `barred` are the vehicles that
    it binds, as bits of VEHICLES.
    """

    from_way: int
    to_way: int
    only: bool
    barred: int = EVERYBODY
    via_node: int | None = None
    via_ways: tuple[int, ...] = ()


@dataclass(slots=True)
class Restrictions:
    """What was read, and how many are left aside: `conditional` are in force at times only."""

    found: list[Restriction] = field(default_factory=list)
    aside: Counter[str] = field(default_factory=Counter)

    def take(self, relation: Any) -> None:
        """Read a relation if it is a restriction."""
        tags = dict(relation.tags)
        conditional = any(
            key.startswith("restriction") and key.endswith(":conditional") for key in tags
        )
        kinds = _kinds(tags)
        if conditional or (kinds and _AT_TIMES & tags.keys()):
            self.aside["conditional"] += 1
        if not kinds or _AT_TIMES & tags.keys():
            return
        members = [(m.role, m.type, m.ref) for m in relation.members]
        read = [each for kind in kinds.items() for each in _restrictions(kind, members)]
        if not read:
            self.aside["incomplete"] += 1
        self.found.extend(read)


def _kinds(tags: Tags) -> dict[str, int]:
    """The vehicles bound by each kind of restriction the relation speaks of."""
    exempt = set(tags.get("except", "").replace(" ", "").split(";"))
    kinds: dict[str, int] = {}
    for vehicle, keys in _KEYS.items():
        kind = next((tags[key] for key in (*keys, "restriction") if key in tags), "")
        if kind.startswith(("no_", "only_")) and not exempt & _EXEMPT[vehicle]:
            kinds[kind] = kinds.get(kind, NOBODY) | vehicle
    return kinds


def _restrictions(
    kind: tuple[str, int], members: Sequence[tuple[str, str, int]]
) -> Iterator[Restriction]:
    """`no_entry` may have several ways from, `no_exit` several to; each pair is one restriction."""
    name, barred = kind
    only = name.startswith("only_")
    froms = [ref for role, sort, ref in members if (role, sort) == ("from", "w")]
    tos = [ref for role, sort, ref in members if (role, sort) == ("to", "w")]
    nodes = [ref for role, sort, ref in members if (role, sort) == ("via", "n")]
    ways = tuple(ref for role, sort, ref in members if (role, sort) == ("via", "w"))
    if only and len(tos) > 1:
        return
    for a, b in product(froms, tos):
        if len(nodes) == 1 and not ways:
            yield Restriction(a, b, only, barred, via_node=nodes[0])
        elif ways and not nodes:
            yield Restriction(a, b, only, barred, via_ways=ways)
