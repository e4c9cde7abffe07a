"""A running Sigap, a browser, and the three people who use it at once."""

import fcntl
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from geo.bundle import Extract, build_bundle, installed_cities
from tests.e2e.people import LIVE_MS, People
from tests.e2e.served import CITY, Sigap, running
from tests.maps import helsinki_extract

ARTEFACTS = Path(__file__).resolve().parents[2] / "artefacts"
FAILED = pytest.StashKey[bool]()
FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Maps are drawn by WebGL; machines that test have no graphics card.
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)


@pytest.fixture(scope="session")
def demo_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of cities with the demo city in it, built once per run, whoever comes first."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    root = shared / "demo-cities"
    with (shared / "demo-cities.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed_cities(root):
            build_bundle(CITY, source=Extract(helsinki_extract()), root=root, name="Helsinki")
    return root


@pytest.fixture(scope="module")
def sigap(demo_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sigap]:
    """A server of this file's own, with nobody's reports in it yet."""
    data = tmp_path_factory.mktemp("sigap")
    shutil.copytree(demo_bundle, data / "cities", symlinks=True)
    with running(data) as server:
        yield server


# Playwright keeps an event loop running in this thread: it ends with the module, so that other
# tests of the same process may run their own.
@pytest.fixture(scope="module")
def browser(chromium_path: Path) -> Iterator[Browser]:
    expect.set_options(timeout=LIVE_MS)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium_path, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture
def people(browser: Browser, sigap: Sigap, request: pytest.FixtureRequest) -> Iterator[People]:
    """Opens screens for people; afterwards nobody's screen may have complained."""
    crowd = People(browser, sigap)
    yield crowd
    if request.node.stash.get(FAILED, False):
        crowd.photograph(ARTEFACTS / "failures" / request.node.name)
    crowd.leave()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember that a test failed, for those who clean up after it."""
    report = yield
    if call.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="session")
def screenshots() -> Callable[[str], Path]:
    """Where a screenshot of that name is kept for looking at."""
    folder = ARTEFACTS / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return lambda name: folder / f"{name}.png"
