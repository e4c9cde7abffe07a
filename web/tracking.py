"""Opens one report for whoever holds its private key, and for nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dispatch import actions
from dispatch.core import tickets
from dispatch.core.errors import Invalid
from dispatch.core.events import Actor
from dispatch.core.log import plain
from dispatch.core.reports import Report
from dispatch.core.world import World
from dispatch.storage.documents import report_view
from dispatch.system import City, Done, Step, System


@dataclass(frozen=True, slots=True)
class Opened:
    """A report with the view its reporter gets (see the contract of the sockets)."""

    report_id: UUID
    ticket: str
    view: dict[str, Any]


def find(system: System, city: City, ticket: str, token: str | None) -> Opened | None:
    """The report, or None: the same whether the ticket, the key or both are wrong."""
    report_id = _holds(system, city, ticket, token)
    if report_id is None:
        return None
    with system.looking(city.id) as world:
        known = world.report(report_id)
        view = report_view(world, known, system.clock())
    return Opened(report_id, known.ticket, _promised(view, city, system.clock()))


def _promised(view: dict[str, Any], city: City, now: datetime) -> dict[str, Any]:
    """The view with the promise counted from the first word, even before somebody verified it."""
    if view["due_at"] or view["status"] not in ("received", "under_verification"):
        return view
    received = datetime.fromisoformat(view["received_at"])
    due = received + timedelta(seconds=city.policy.promise.target_s)
    return {**view, "due_at": plain(due), "overdue": now > due}


def _holds(system: System, city: City, ticket: str, token: str | None) -> UUID | None:
    if not token or len(token) > 200:
        return None
    try:
        printed = tickets.parse(ticket)
    except Invalid:
        return None
    return system.report_of(city.id, printed, token)


def answer(
    system: System,
    city: City,
    opened: Opened,
    *,
    answer: str,
    text: str | None,
    step: Step | None,
) -> Done:
    """The reporter says "satisfied" or "reopen". Raises WrongStatus, TooLate or Invalid."""

    def action(world: World, now: datetime) -> Report:
        said = "reopened" if answer == "reopen" else answer
        return actions.answer_report(
            world, now, Actor("citizen"), opened.report_id, answer=said, text=text
        )

    def shown(world: World, known: Report) -> dict[str, Any]:
        return report_view(world, known, system.clock())

    return system.do(city.id, Actor("citizen"), action, step=step, render=shown)


def photos_of(view: dict[str, Any]) -> frozenset[str]:
    """The photos a reporter may look at: the own ones, and those of the result."""
    result = view["result"] or {"photo_ids": []}
    return frozenset([*view["photo_ids"], *result["photo_ids"]])
