"""How far a long piece of work has come, told to whoever watches it."""

from typing import Protocol


class Progress(Protocol):
    """One stage after the other; each `stage` ends the one before it."""

    def stage(self, name: str, total: int | None) -> None:
        """A new stage begins; `total` is its amount of work, None when it cannot be known."""

    def advance(self, n: int) -> None:
        """`n` more of the stage's work is done."""


class Silent:
    """Nobody is watching."""

    def stage(self, name: str, total: int | None) -> None:
        pass

    def advance(self, n: int) -> None:
        pass
