"""Keeps the collector of garbage away from what lives as long as the process."""

from __future__ import annotations

import gc

AFTER = (20_000, 20, 20)
"""So many more things made than freed begin a look at the youngest; the default is 700, 10, 10."""


def settle() -> None:
    """Look for garbage once, and never again among all that is left.

    A city's roads, names and routes are a million objects. The collector looked through them all
    at every turn, which cost more than the positions that made it turn. What is not in a circle is
    freed as ever; what is stays until this is called again, as it is when a newer map came. What
    is new is looked through less often than by default: a city at work makes much and keeps little.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*AFTER)


def settle_again() -> None:
    """The same, where it was done before."""
    if gc.get_freeze_count():
        settle()
