"""A lifecycle is a table; nothing else decides which status follows which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dispatch.core.errors import WrongStatus

ANY = "*"
SAME = "="


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Which fact takes a thing from which status to which.

    `table` maps (status, fact name) to the next status. The status `ANY` stands for every
    status without an entry of its own; the next status `SAME` keeps it. `first` maps the
    facts that begin a life to its first status.
    """

    kind: str
    first: Mapping[str, str]
    table: Mapping[tuple[str, str], str]
    final: frozenset[str] = frozenset()

    def after(self, status: str | None, fact: str) -> str:
        """The status after `fact`. Raises WrongStatus when the table has no such step."""
        if status is None:
            following = self.first.get(fact)
        else:
            following = self.table.get((status, fact)) or self.table.get((ANY, fact))
        if following is None:
            raise WrongStatus(
                f"{fact} is not possible for a {self.kind} that is {status or 'not there'}.",
                kind=self.kind,
                status=status,
                fact=fact,
            )
        return following if following != SAME else (status or "")

    def allows(self, status: str | None, fact: str) -> bool:
        """Whether the table has this step."""
        try:
            self.after(status, fact)
        except WrongStatus:
            return False
        return True

    def statuses(self) -> frozenset[str]:
        """Every status the table can reach."""
        reached = {*self.first.values(), *self.final}
        reached |= {status for status, _ in self.table if status != ANY}
        reached |= {status for status in self.table.values() if status != SAME}
        return frozenset(reached)
