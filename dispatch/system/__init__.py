"""A running Sigap: `build` chooses the adapters, `System` is what everybody above uses."""

from dispatch.storage.answers import Request as Step
from dispatch.system.build import Settings, build
from dispatch.system.cities import City
from dispatch.system.places import (
    MOST_RADIUS_M,
    Place,
    asset_of,
    numbered_kinds,
    place_of_asset,
)
from dispatch.system.roads import RoadChoice
from dispatch.system.system import Done, System, token_hash

__all__ = [
    "MOST_RADIUS_M",
    "City",
    "Done",
    "Place",
    "RoadChoice",
    "Settings",
    "Step",
    "System",
    "asset_of",
    "build",
    "numbered_kinds",
    "place_of_asset",
    "token_hash",
]
