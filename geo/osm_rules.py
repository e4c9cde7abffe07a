"""Which OpenStreetMap ways a crew's vehicle may drive, in which direction and how fast."""

import re
from collections.abc import Mapping

Tags = Mapping[str, str]

USUAL_KMH: Mapping[str, float] = {
    "motorway": 90,
    "motorway_link": 45,
    "trunk": 85,
    "trunk_link": 40,
    "primary": 65,
    "primary_link": 30,
    "secondary": 55,
    "secondary_link": 25,
    "tertiary": 40,
    "tertiary_link": 20,
    "unclassified": 25,
    "residential": 25,
    "living_street": 10,
    "service": 15,
    "road": 25,
    "track": 12,
}
"""What is driven where no limit is tagged, km/h; a way of no such class is not driven.

The `speeds` of OSRM's car profile, before turns and lights; `road` and `track`, which it leaves
out, are ours. Together with DRIVEN_SHARE this is the cold start, until crews have driven enough.
"""

RIDDEN_KMH: Mapping[str, float] = {
    "path": 12,
    "cycleway": 12,
    "bridleway": 12,
    "footway": 8,
    "pedestrian": 8,
}
"""Ways that only motorbikes may ride, where the map says so: the gang between two walls. km/h.

The speeds are ours: no car goes there, and OSRM has no profile for motorbikes.
"""

ROAD_CLASSES = (
    "unknown",
    "motorway",
    "trunk",
    "primary",
    "secondary",
    "tertiary",
    "unclassified",
    "residential",
    "living_street",
    "service",
    "alley",
    "track",
    "road",
    "path",
)
"""What `edge_class` of RoadArrays points into: OpenStreetMap's `highway`, links with their roads.

An alley is a service road tagged so: in Indonesia mostly the paved lane between two houses. A path
is what is laid out for people on foot or bicycles and open to motorbikes. `unknown` is every road
of a city that was imported before classes were kept.
"""

LIMITS = ("low", "narrow", "weak", "no_trucks", "no_cars", "no_motorbikes")
"""What else a vehicle may be unable to use, bits 1, 2, 4, 8, 16, 32 of `edge_limit` of RoadArrays.

`low`: under LOW_M high; `narrow`: under NARROW_M wide; `weak`: bears under WEAK_T; `no_trucks`,
`no_cars`, `no_motorbikes`: closed to these (hgv=no; motorcar=no, a gang; motorcycle=no), or leading
nowhere for them. A truck with a bucket is about 3.4 m high, 2.3 m wide and weighs 7 t.
"""

LOW_M, NARROW_M, WEAK_T = 3.5, 2.4, 7.5

DRIVEN_SHARE = 0.8
"""The share of a tagged limit that is driven (`speed_reduction` of OSRM's car profile)."""

_MPH = 1.609344
_KNOTS = 1.852
_SPEED = re.compile(r"^(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph|knots)?$")
_AMOUNT = re.compile(r"(\d{1,9}(?:[.,]\d{1,9})?)\s*([a-z]*)")
_FEET = re.compile(r"(\d{1,3})'(?:(\d{1,2})\"?)?")
_WALKING_KMH = 6.0
_NAMED_KMH = {"walk": _WALKING_KMH, "urban": 50.0, "rural": 80.0, "motorway": 110.0}

# The most specific word about motor vehicles wins.
_ACCESS_KEYS = ("motorcar", "motor_vehicle", "vehicle", "access")
FORBIDDEN = {
    "no",
    "private",
    "agricultural",
    "forestry",
    "emergency",
    "psv",
    "military",
    "use_sidepath",
}
_MINOR_SERVICE = {"parking_aisle", "driveway", "drive-through", "emergency_access"}

_FORWARD = {"yes", "true", "1"}
_BACKWARD = {"-1", "reverse"}
_LEFT_OPEN = {"no", "false", "0"}


def is_drivable(tags: Tags, *, keys: tuple[str, ...] = _ACCESS_KEYS) -> bool:
    """May a car use this way at all? `keys` name another vehicle, the most telling first."""
    if tags.get("highway") not in USUAL_KMH or tags.get("area") == "yes":
        return False
    if tags.get("service") in _MINOR_SERVICE or tags.get("oneway") == "reversible":
        return False
    value = next((tags[key] for key in keys if key in tags), None)
    return value not in FORBIDDEN


def road_class(tags: Tags) -> int:
    """The position of a way's class in ROAD_CLASSES."""
    if tags.get("highway") == "service" and tags.get("service") == "alley":
        return ROAD_CLASSES.index("alley")
    name = tags.get("highway", "").removesuffix("_link")
    if name in RIDDEN_KMH:
        name = "path"
    return ROAD_CLASSES.index(name) if name in ROAD_CLASSES else 0


def limits_of(tags: Tags) -> int:
    """The bits of LIMITS that its size and strength set for a way."""
    height, weight = metres(tags.get("maxheight")), tonnes(tags.get("maxweight"))
    width = metres(tags.get("maxwidth") or tags.get("width"))
    holds = (
        height is not None and height < LOW_M,
        width is not None and width < NARROW_M,
        weight is not None and weight < WEAK_T,
    )
    return sum(1 << n for n, it_does in enumerate(holds) if it_does)


def metres(text: str | None) -> float | None:
    """A length in metres: "3.5", "3,5 m", 11 feet 6 as in OpenStreetMap; None when it is none."""
    found = _FEET.fullmatch((text or "").strip().replace(" ", ""))
    if found:
        return round((int(found[1]) + int(found[2] or 0) / 12) * 0.3048, 3)
    return _number(text, {"": 1.0, "m": 1.0, "cm": 0.01, "ft": 0.3048})


def tonnes(text: str | None) -> float | None:
    """A weight in tonnes: "7.5", "3500 kg", "10 st"; None when it is none."""
    return _number(text, {"": 1.0, "t": 1.0, "kg": 0.001, "st": 0.907185, "lbs": 0.000453592})


def _number(text: str | None, units: Mapping[str, float]) -> float | None:
    found = _AMOUNT.fullmatch((text or "").strip().lower())
    if found is None or found[2] not in units:
        return None
    value = float(found[1].replace(",", ".")) * units[found[2]]
    return value if value > 0 else None


def directions(tags: Tags) -> tuple[bool, bool]:
    """(along the way, against it): may it be driven so?"""
    oneway = tags.get("oneway:motor_vehicle") or tags.get("oneway")
    if oneway in _FORWARD:
        return True, False
    if oneway in _BACKWARD:
        return False, True
    if oneway in _LEFT_OPEN:
        return True, True
    return True, not _is_oneway_by_nature(tags)


def is_roundabout(tags: Tags) -> bool:
    """Is the way (part of) a roundabout, so one-way by nature?"""
    return tags.get("junction") in ("roundabout", "circular")


def speeds_kmh(tags: Tags) -> tuple[float, float]:
    """(along, against) in km/h as driven, before turns and signals: at least walking pace."""
    plain = _driven_kmh(tags, tags.get("maxspeed"))
    along = tags.get("maxspeed:forward")
    against = tags.get("maxspeed:backward")
    return (
        _driven_kmh(tags, along) if along else plain,
        _driven_kmh(tags, against) if against else plain,
    )


def street_name(tags: Tags) -> str:
    """The name, else the road number, else an empty text."""
    return tags.get("name") or tags.get("ref") or ""


def signals(tags: Tags) -> tuple[bool, bool]:
    """(along, against): does a node of the road hold traffic with lights?"""
    if tags.get("highway") != "traffic_signals":
        return False, False
    facing = tags.get("traffic_signals:direction") or tags.get("direction")
    return facing != "backward", facing != "forward"


def limit_kmh(text: str | None) -> float | None:
    """A maxspeed value in km/h: "50", "30 mph", "ID:urban", "walk"; None when it is none."""
    if text is None:
        return None
    match = _SPEED.match(text.strip().lower())
    if match:
        value = float(match[1]) * {"mph": _MPH, "knots": _KNOTS}.get(match[2] or "", 1.0)
        return value if value > 0 else None
    return _NAMED_KMH.get(text.strip().lower().rpartition(":")[2])


def _driven_kmh(tags: Tags, maxspeed: str | None) -> float:
    usual, limit = _usual_kmh(tags["highway"]), limit_kmh(maxspeed)
    driven = usual if limit is None else limit * DRIVEN_SHARE
    # A yard or an alley is not driven at the limit somebody copied from the street.
    if tags["highway"] in RIDDEN_KMH or tags["highway"] in ("service", "living_street", "track"):
        driven = min(driven, usual)
    return max(driven, _WALKING_KMH)


def _usual_kmh(highway: str) -> float:
    return USUAL_KMH[highway] if highway in USUAL_KMH else RIDDEN_KMH[highway]


def _is_oneway_by_nature(tags: Tags) -> bool:
    return is_roundabout(tags) or tags["highway"] in ("motorway", "motorway_link")
