"""Faults under steady load, and an audit after each round: `make chaos`."""
