"""Skip by name what a machine lacks, say so last, and let nobody skip what CI requires.

`@pytest.mark.needs("postgis")` marks a test that talks to a server or a browser. Where it is
absent the test is skipped and counted; with `SIGAP_REQUIRE=postgis,chromium,nats` it fails.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from tests.services import SERVICES

WANT = "for want of "


def required() -> frozenset[str]:
    """The services that `SIGAP_REQUIRE` names. Raises `pytest.UsageError` for an unknown one."""
    named = {part.strip() for part in os.environ.get("SIGAP_REQUIRE", "").split(",")} - {""}
    unknown = sorted(named - SERVICES.keys())
    if unknown:
        raise pytest.UsageError(
            f"SIGAP_REQUIRE names {', '.join(unknown)}; it knows {', '.join(SERVICES)}."
        )
    return frozenset(named)


def want(name: str) -> None:
    """Go on when the service is there; else skip the test, or fail it when it is required."""
    service = SERVICES.get(name)
    if service is None:
        raise pytest.UsageError(f"needs({name!r}): known are {', '.join(SERVICES)}.")
    if service.found():
        return
    if name in required():
        pytest.fail(f"{name} is required but absent: {service.advice}", pytrace=False)
    pytest.skip(f"{WANT}{name}")


def pytest_configure(config: pytest.Config) -> None:
    required()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name in needed(item):
            if name not in SERVICES:
                raise pytest.UsageError(
                    f"{item.nodeid} needs {name!r}; known are {', '.join(SERVICES)}."
                )


def needed(item: pytest.Item) -> Iterable[str]:
    """The names in a test's `needs` markers."""
    return (str(name) for marker in item.iter_markers("needs") for name in marker.args)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for name in needed(item):
        want(name)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    yield  # pytest's own summary first: what is missing must not scroll away
    counts = Counter(
        match.group(1)
        for report in terminalreporter.stats.get("skipped", [])
        if (match := re.search(rf"{WANT}(\w+)", str(report.longrepr)))
    )
    for name, tests in sorted(counts.items()):
        plural = "" if tests == 1 else "s"
        terminalreporter.write_line(
            f"skipped {WANT}{name}: {tests} test{plural} — {SERVICES[name].advice}", yellow=True
        )
