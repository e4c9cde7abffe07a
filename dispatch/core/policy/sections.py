"""A city's numbers: who does what, how urgent it is, how long things may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dispatch.core.errors import Invalid
from dispatch.core.policy.responsibility import Responsibility


@dataclass(frozen=True, slots=True)
class Service:
    """A kind of problem (Open311 *service*); `priority` 1 is the most urgent.

    `duplicate_radius_m` and `duplicate_window_h` bound what may be the same incident. A verified
    incident of a service with `closes_road_m` closes the roads within that many metres. `assets`
    are the kinds of numbered things it is about, words of `geo.asset_words` or the city's own.
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
    closes_road_m: float = 0.0
    assets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Agency:
    """A body responsible for some services."""

    agency_id: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Slot:
    """What one crew must bring: skills and equipment."""

    skills: tuple[str, ...] = ()
    equipment: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CardSlot:
    """So many crews of one kind on a run card."""

    skills: tuple[str, ...] = ()
    equipment: tuple[str, ...] = ()
    crews: int = 1


@dataclass(frozen=True, slots=True)
class RunCard:
    """The crews that an alarm level of a service adds to the level below it."""

    service_code: str
    slot: tuple[CardSlot, ...]
    alarm_level: int = 1


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A kind of vehicle and the roads it cannot use.

    `avoids` are ROAD_CLASSES and LIMITS of `geo.osm_rules`; a place farther than `reach_m` metres
    from every road left is out of its reach. A crew drives the first vehicle whose `kind` is what
    stands there as its vehicle, or one of whose `keywords` stands in it.
    """

    kind: str
    name: str
    name_en: str
    avoids: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    reach_m: float = 150.0


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
    """How a crew is asked. Seconds, except where named.

    A second crew is asked at the same moment when asking one alone would bring the chance of
    keeping the promise below `parallel_below`; `accept_s` and `decline_share` say how long crews
    take to answer and how often they decline.
    """

    expires_s: float = 60.0
    decline_pause_s: float = 900.0
    undo_s: float = 10.0
    automatic_priorities: tuple[int, ...] = (1, 2, 3)
    parallel_below: float = 0.0
    parallel_gain: float = 0.005
    accept_s: float = 30.0
    decline_share: float = 0.1


@dataclass(frozen=True, slots=True)
class Matching:
    """The parameters of the deadline-aware assignment; see `dispatch.core.matching`.

    `weights` by priority 1, 2, 3; `late` is A, `tardiness` B, `travel` alpha, `skill_price` s,
    `leave` M (the price of leaving an incident without a crew while one could go);
    `sigma` is the standard deviation of the log of the ETA error; times in seconds.
    """

    weights: tuple[float, ...] = (4.0, 2.0, 1.0)
    late: float = 1.0
    tardiness: float = 0.1
    travel: float = 0.3
    skill_price: float = 0.2
    coverage_loss: float = 0.25
    leave: float = 50.0
    fair_after_s: float = 14400.0
    sigma: float = 0.3
    turnout_s: float = 60.0
    mean_service_s: float = 1800.0
    mean_travel_s: float = 480.0
    stale_fix_s: float = 300.0
    eta_slip_s: float = 180.0
    rule: str = "deadline"


RULES = ("closest_first", "closest_by_priority", "nearest_pair", "least_travel", "deadline")
"""How crews are matched: `deadline` is the product's own, the others are its baselines."""


@dataclass(frozen=True, slots=True)
class Diversion:
    """Who may be turned round on the way to one incident for another.

    An incident loses at most `most_per_incident` crews to others.

    A crew with less than `lock_s` seconds left is never turned round; `switch` is the price
    (kappa) of giving a job to another crew than the one on its way. `priorities` are those a crew
    may be diverted from; `conditional_for` are those for which a conditionally available crew
    is asked at all.
    """

    enabled: bool = True
    lock_s: float = 180.0
    switch: float = 0.1
    most_per_incident: int = 5
    priorities: tuple[int, ...] = (1, 2, 3)
    conditional_for: tuple[int, ...] = (1,)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Where free crews wait, so that the next incident finds one near.

    `move_up` is off, suggest or automatic; `busy_share` is q, the share of time a crew is bound,
    as much believed as `busy_prior` crews
    that are seen now;
    `moves_per_crew_h` caps move-ups; `least_gain` is what a move must add to the expected share
    of incidents reached in time; `travel_price` is lost per minute of driving to a post.
    """

    move_up: str = "suggest"
    busy_share: float = 0.35
    busy_prior: float = 5.0
    threshold_s: float = 0.0
    moves_per_crew_h: float = 1.0
    least_gain: float = 0.004
    travel_price: float = 0.001


MOVE_UPS = ("off", "suggest", "automatic")


@dataclass(frozen=True, slots=True)
class Gates:
    """Who may be sent at all: seconds, hours and people.

    A crew is not sent on work that would likely end after its shift plus `overtime_s`; after
    `longest_duty_h` on duty it rests `rest_h`; with fewer than `least_members` it stays.
    `shift_h` is what a crew is proposed when it signs on.
    """

    shift_h: float = 8.0
    overtime_s: float = 1800.0
    longest_duty_h: float = 12.0
    rest_h: float = 8.0
    least_members: int = 1


@dataclass(frozen=True, slots=True)
class Rounds:
    """Routine work driven as rounds: which services, how many stops, how long (hours).

    `work_s` seconds are reckoned for the work at one stop; `search_s` is how long better tours are
    searched for at most.
    """

    services: tuple[str, ...] = ()
    most_stops: int = 25
    longest_h: float = 6.0
    work_s: float = 900.0
    search_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a likely miss is told before it happens: below `alarm_below`, seconds between checks."""

    enabled: bool = True
    alarm_below: float = 0.5
    clear_above: float = 0.7


@dataclass(frozen=True, slots=True)
class Closures:
    """When an incident closes its road by itself: its place is surely known to `precise_m` metres.

    Whatever is less sure waits for a dispatcher, who draws the closure.
    """

    precise_m: float = 60.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a crew counts as there: metres and seconds.

    Within `radius_m` it is there as the crow flies, unless by road it is `apart_m` away; or within
    `road_m` by road, if no farther than `far_m` off. `dwell_s` is the stay that makes an arrival.
    A gap of at most `gap_s` between two fixes may hide one, if a drive past at `pass_ms` leaves so
    much time. `confirm_s` is how soon after a button positions must confirm it, and `photo_s` how
    far from the arrival a photo that proves it may be taken.
    """

    radius_m: float = 60.0
    road_m: float = 60.0
    apart_m: float = 400.0
    dwell_s: float = 20.0
    far_m: float = 250.0
    moving_ms: float = 2.5
    pass_ms: float = 8.0
    gap_s: float = 900.0
    confirm_s: float = 180.0
    photo_s: float = 1800.0


@dataclass(frozen=True, slots=True)
class Positions:
    """What is believed of a position, how long it counts as live, and how long it is kept.

    `live_s` and `lost_s` are ages after which a position is shown as old and as lost; `jump_ms`,
    `ahead_s`, `oldest_h` and `outside_m` bound what is believed at all; after `agree` fixes that
    agree a jump is believed. `smooth_ms`, `snap_m` and `still_m` are those of `geo.locate`.
    After `thin_after_h` hours one fix each `thin_s` seconds is kept, after `keep_days` none.
    """

    live_s: float = 30.0
    lost_s: float = 900.0
    low_battery: float = 0.15
    jump_ms: float = 70.0
    ahead_s: float = 60.0
    oldest_h: float = 48.0
    outside_m: float = 30_000.0
    agree: int = 3
    smooth_ms: float = 1.5
    snap_m: float = 35.0
    still_m: float = 25.0
    keep_days: float = 30.0
    thin_after_h: float = 24.0
    thin_s: float = 15.0


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
    verified: float = 2.2


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything a city decides for itself; see `policy.toml` for what each number means."""

    services: Mapping[str, Service]
    agencies: Mapping[str, Agency]
    dispositions: Mapping[str, Choice]
    declines: Mapping[str, Choice]
    run_cards: Mapping[tuple[str, int], RunCard] = field(default_factory=dict)
    vehicles: Mapping[str, Vehicle] = field(default_factory=dict)
    responsibilities: tuple[Responsibility, ...] = field(default_factory=tuple)
    promise: Promise = Promise()
    offers: Offers = Offers()
    matching: Matching = Matching()
    positions: Positions = Positions()
    arrival: Arrival = Arrival()
    closing: Closing = Closing()
    diversion: Diversion = Diversion()
    coverage: Coverage = Coverage()
    gates: Gates = Gates()
    rounds: Rounds = Rounds()
    forecast: Forecast = Forecast()
    closures: Closures = Closures()
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

    def agency_for(
        self,
        service: Service,
        *,
        lon: float,
        lat: float,
        ward: str | None = None,
        district: str | None = None,
    ) -> str:
        """The id of the agency that answers there: the first that fits, else the category's."""
        for each in self.responsibilities:
            areas = (ward, district)
            if each.answers_for(service.service_code, lon=lon, lat=lat, areas=areas):
                return each.agency_id
        return service.agency_id

    def vehicle_of(self, written: str) -> Vehicle | None:
        """The vehicle meant by what stands at a crew; None for one that no table names."""
        words = written.casefold()
        for vehicle in self.vehicles.values():
            if words == vehicle.kind or any(word in words for word in vehicle.keywords):
                return vehicle
        return None

    def weight(self, priority: int) -> float:
        """How much one late arrival of this priority counts (w of the cost)."""
        weights = self.matching.weights
        return weights[min(max(priority, 1), len(weights)) - 1]
