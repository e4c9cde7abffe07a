"""What queueing theory says of cities too small to be true; nothing here comes from Sigap."""

import itertools
import math
from collections.abc import Sequence

import numpy as np

Group = tuple[float, tuple[int, ...]]
"""Arrivals per hour from a place, and the servers in the order in which they are preferred."""


def erlang_c(servers: int, offered: float) -> float:
    """P(wait) of M/M/c with `offered` = λ/μ (Erlang 1917)."""
    tail = offered**servers / math.factorial(servers) * servers / (servers - offered)
    return tail / (sum(offered**k / math.factorial(k) for k in range(servers)) + tail)


def mean_wait_mmc(servers: int, *, rate: float, service: float) -> float:
    """Mean wait in the queue of M/M/c."""
    return erlang_c(servers, rate * service) / (servers / service - rate)


def mean_wait_mg1(*, rate: float, service: float, cv: float) -> float:
    """Mean wait in the queue of M/G/1 (Pollaczek 1930, Khinchine 1932)."""
    load = rate * service
    return load / (1 - load) * (1 + cv * cv) / 2 * service


def hypercube(groups: Sequence[Group], servers: int) -> list[float]:
    """Exact workloads with μ = 1 and an infinite FIFO queue (Larson & Odoni 1981, §5.4).

    Servers are told apart while one is free; the queue behind all busy is a birth–death tail.
    """
    rate = sum(arrivals for arrivals, _ in groups)
    states = list(itertools.product((0, 1), repeat=servers))
    number = {state: k for k, state in enumerate(states)}
    flow = np.zeros((len(states), len(states)))

    def move(state: tuple[int, ...], server: int, speed: float) -> None:
        other = (*state[:server], 1 - state[server], *state[server + 1 :])
        flow[number[other], number[state]] += speed
        flow[number[state], number[state]] -= speed

    for state in states:
        for arrivals, preferred in groups:
            free = [server for server in preferred if not state[server]]
            if free:
                move(state, free[0], arrivals)
        for server in range(servers):
            if state[server]:
                move(state, server, 1.0)
    flow[-1] = 1.0
    shares = np.linalg.solve(flow, np.eye(len(states))[-1])
    queued = shares[-1] * (rate / servers) / (1 - rate / servers)
    shares, queued = shares / (1 + queued), queued / (1 + queued)
    return [
        float(sum(shares[number[state]] for state in states if state[server]) + queued)
        for server in range(servers)
    ]


def first_come(
    groups: Sequence[Group],
    servers: int,
    *,
    at: Sequence[float],
    where: Sequence[int],
    work: Sequence[float],
) -> tuple[list[float], list[int]]:
    """Wait and server of each arrival: the first preferred free one, else the first to be free.

    A queue in the order of arrival, by arithmetic alone; no drives.
    """
    free_at = [0.0] * servers
    waits, whom = [], []
    for moment, group, needed in zip(at, where, work, strict=True):
        free = [server for server in groups[group][1] if free_at[server] <= moment]
        server = free[0] if free else min(range(servers), key=free_at.__getitem__)
        begins = max(moment, free_at[server])
        free_at[server] = begins + needed
        waits.append(begins - moment)
        whom.append(server)
    return waits, whom
