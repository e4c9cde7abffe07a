"""A city's numbers: who does what, how urgent it is, how long things may take."""

from dispatch.core.policy.reading import parse_policy
from dispatch.core.policy.sections import (
    MOVE_UPS,
    RULES,
    Agency,
    Arrival,
    Choice,
    Closing,
    Coverage,
    Diversion,
    Forecast,
    Gates,
    Matching,
    Offers,
    Policy,
    Promise,
    Rounds,
    Service,
    Triage,
)

__all__ = [
    "MOVE_UPS",
    "RULES",
    "Agency",
    "Arrival",
    "Choice",
    "Closing",
    "Coverage",
    "Diversion",
    "Forecast",
    "Gates",
    "Matching",
    "Offers",
    "Policy",
    "Promise",
    "Rounds",
    "Service",
    "Triage",
    "parse_policy",
]
