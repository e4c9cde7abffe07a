"""What a place that somebody described may be: proposals to choose from, never a correction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from geo.point import Point

Kind = Literal[
    "street", "address", "poi", "crossing", "ward", "coordinates", "link", "alias", "asset"
]
Language = Literal["id", "en"]

ACCEPT = 0.5
"""Below this confidence nobody should be sent without a person looking at the place first.

`sigap bench geocode` measures what it costs: nine of ten right answers are above it, and about one
of forty answers about absent places.
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One proposal for a described place.

    `radius_m` says how far from `point` the real place may lie (half the length of a street, the
    size of a ward). `confidence` (0 to 1) is the chance that this is the place meant; `reason`
    says in words why it is proposed and what speaks against it.
    """

    point: Point
    label: str
    kind: Kind
    radius_m: float
    confidence: float
    reason: str
    ward: str | None
    district: str | None


@dataclass(frozen=True, slots=True)
class Phrase:
    """A place in words a crew understands; `distance_m` is the way to the street it names."""

    text: str
    street: str | None
    ward: str | None
    district: str | None
    distance_m: float | None


class Geocoder(Protocol):
    """Finds described places, and describes found ones."""

    def search(
        self,
        text: str,
        *,
        near: Point | None = None,
        limit: int = 5,
        language: Language = "id",
    ) -> Sequence[Candidate]:
        """At most `limit` proposals, best first; none when nothing resembles the text."""

    def reverse(self, p: Point, *, language: Language = "id") -> Phrase | None:
        """The place in words, or None where there is neither a street nor a ward."""
