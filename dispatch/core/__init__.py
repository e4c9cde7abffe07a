"""The rules of dispatching: pure functions and frozen facts, with no clock, chance or I/O."""
