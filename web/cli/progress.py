"""A bar for long work on the terminal, plain lines where there is none."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Bars:
    """Satisfies `geo.progress.Progress`; use it as a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[memory]}"),
            console=console,
            transient=False,
        )
        self._task: TaskID | None = None
        self._begun = time.monotonic()
        self._name = ""

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if kind is None:
            self._finish()
        if self._console.is_terminal:
            self._bars.stop()

    def stage(self, name: str, total: int | None) -> None:
        """The next stage begins; `total` None when nobody knows how much it is."""
        self._finish()
        self._begun, self._name = time.monotonic(), name
        if self._console.is_terminal:
            self._task = self._bars.add_task(name, total=total, memory="")
        else:
            self._console.print(f"  {name} …")

    def advance(self, n: int) -> None:
        """So much more is done."""
        if self._task is not None:
            self._bars.advance(self._task, n)

    def _finish(self) -> None:
        if self._task is not None:
            task = self._bars.tasks[self._bars.task_ids.index(self._task)]
            total = task.total or 1
            self._bars.update(self._task, total=total, completed=total, memory=_memory())
            self._task = None
        elif self._name:
            self._console.print(f"    {time.monotonic() - self._begun:,.1f} s, at most {_memory()}")
        self._name = ""


def peak_mb() -> float | None:
    """The most memory this process has used, in MB (10^6 bytes); None where nobody counts it."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # kilobytes on Linux, bytes on macOS
    return peak / 1e6 if sys.platform == "darwin" else peak * 1_024 / 1e6


def _memory() -> str:
    peak = peak_mb()
    return "" if peak is None else f"{peak:,.0f} MB"
