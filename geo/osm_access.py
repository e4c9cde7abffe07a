"""Which vehicles may use a way, or pass a barrier, and what a gate costs those who may."""

from geo.osm_rules import FORBIDDEN, LIMITS, RIDDEN_KMH, USUAL_KMH, Tags, is_drivable, metres

VEHICLES = ("car", "motorbike", "truck")
"""Who is told apart: bits 1, 2, 4 of every `barred` here and of `turn_barred` of RoadArrays.

A van is a car. A truck minds what is said of cars where nothing is said of goods vehicles.
"""
CAR, MOTORBIKE, TRUCK = 1, 2, 4
NOBODY, EVERYBODY = 0, CAR | MOTORBIKE | TRUCK

CAR_WIDTH_M = 1.9
"""A narrower way is no way for a car (`vehicle_width` of OSRM's car profile)."""

GATE_S = 60.0
"""To have a gate opened that says nothing of who may pass (`barrier_penalties`, same profile)."""
TOLL_S = 15.0
"""To pay at a booth (`toll_booth_cost` of Valhalla)."""

_KEYS = {
    CAR: ("motorcar", "motor_vehicle", "vehicle", "access"),
    MOTORBIKE: ("motorcycle", "motor_vehicle", "vehicle", "access"),
    TRUCK: ("hgv", "motorcar", "motor_vehicle", "vehicle", "access"),
}
_PERMITTED = {"yes", "designated", "permissive", "destination", "official"}

_PASSABLE_BARRIERS = {
    "arch",
    "border_control",
    "bump_gate",
    "cattle_grid",
    "checkpoint",
    "coupure",
    "entrance",
    "gate",
    "height_restrictor",
    "kerb",
    "lift_gate",
    "no",
    "sally_port",
    "sliding_gate",
    "speed_hump",
    "swing_gate",
    "toll_booth",
}
_GATES = {"gate", "lift_gate", "sliding_gate", "swing_gate"}


def barred_from_way(tags: Tags) -> int:
    """The vehicles that may not use a way, as bits of VEHICLES."""
    barred = NOBODY if _is_ridden(tags) else MOTORBIKE
    if _is_too_narrow(tags):
        return barred | CAR | TRUCK
    return barred | sum(
        vehicle for vehicle in (CAR, TRUCK) if not is_drivable(tags, keys=_KEYS[vehicle])
    )


def closed_to(barred: int) -> int:
    """The bits of LIMITS that say so of an edge."""
    names = ((CAR, "no_cars"), (MOTORBIKE, "no_motorbikes"), (TRUCK, "no_trucks"))
    return sum(1 << LIMITS.index(name) for vehicle, name in names if barred & vehicle)


def barred_at_node(tags: Tags) -> int:
    """The vehicles that a barrier on the road stops, as bits of VEHICLES.

    A bollard stops all that it does not name; a gate lets all pass that it does not name, unless
    it is locked. What a barrier for motorbikes stops, it stops wholly.
    """
    barrier = tags.get("barrier")
    if barrier is None:
        return NOBODY
    passable = barrier in _PASSABLE_BARRIERS or tags.get("bollard") == "rising"
    passable = passable and tags.get("locked") != "yes"
    return sum(
        vehicle for vehicle, keys in _KEYS.items() if not _is_allowed(tags, keys, default=passable)
    )


def delay_s(tags: Tags) -> float:
    """What a barrier costs those who may pass, seconds.

    As in OSRM a gate that names who may pass stands open to them.
    """
    barrier = tags.get("barrier")
    if barrier == "toll_booth":
        return TOLL_S
    if barrier not in _GATES or any(key in tags for key in _KEYS[CAR]):
        return 0.0
    return GATE_S


def _is_ridden(tags: Tags) -> bool:
    if tags.get("highway") in USUAL_KMH:
        return is_drivable(tags, keys=_KEYS[MOTORBIKE])
    if tags.get("highway") not in RIDDEN_KMH or tags.get("area") == "yes":
        return False
    named = tags.get("motorcycle") or tags.get("motor_vehicle")
    return named in _PERMITTED


def _is_too_narrow(tags: Tags) -> bool:
    width_m = metres(tags.get("maxwidth") or tags.get("width"))
    return width_m is not None and width_m < CAR_WIDTH_M


def _is_allowed(tags: Tags, keys: tuple[str, ...], *, default: bool) -> bool:
    value = next((tags[key] for key in keys if key in tags), None)
    return default if value is None else value not in FORBIDDEN
