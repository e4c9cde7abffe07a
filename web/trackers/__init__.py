"""The doors of phones and trackers: each speaks its own protocol, all end in the same pipeline."""

from web.trackers.doors import first, router

__all__ = ["first", "router"]
