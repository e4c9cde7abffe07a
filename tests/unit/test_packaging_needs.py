"""What a machine lacks is skipped by name and said last; what CI requires is never skipped."""

import pytest

SUITE = """
import pytest

@pytest.mark.needs("chromium")
def test_screen():
    pass

@pytest.mark.needs("chromium")
@pytest.mark.parametrize("role", ["citizen", "crew"])
def test_role(role):
    pass

def test_rule():
    pass
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A suite of four tests, three of which want a browser that is not there."""
    monkeypatch.setenv("SIGAP_TEST_CHROMIUM", "/nowhere/chromium")
    monkeypatch.delenv("SIGAP_REQUIRE", raising=False)
    pytester.makepyfile(test_suite=SUITE)
    return pytester


def run(suite: pytest.Pytester, *args: str) -> pytest.RunResult:
    return suite.runpytest_subprocess("-p", "tests.needs", "-p", "xdist.plugin", "-ra", *args)


@pytest.fixture(autouse=True)
def importable(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(request.config.rootpath))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.mark.parametrize("workers", ["0", "2"])
def test_absent_is_skipped_by_name_and_told_last(suite: pytest.Pytester, workers: str) -> None:
    result = run(suite, "-n", workers)
    result.assert_outcomes(passed=1, skipped=3)
    said = [line for line in result.outlines if line.startswith("skipped for want of")]
    assert said == [
        "skipped for want of chromium: 3 tests — install chromium, or set SIGAP_TEST_CHROMIUM"
    ]
    assert result.outlines.index(said[0]) == len(result.outlines) - 2


def test_required_but_absent_fails(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGAP_REQUIRE", "chromium,nats")
    result = run(suite)
    result.assert_outcomes(passed=1, errors=3)
    result.stdout.fnmatch_lines(["*chromium is required but absent: install chromium*"])
    assert result.ret != 0


def test_unknown_requirement_is_refused(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGAP_REQUIRE", "postgres")
    result = run(suite)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*SIGAP_REQUIRE names postgres; it knows postgis*"])


def test_unknown_need_is_refused(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        test_typo="import pytest\n@pytest.mark.needs('chrome')\ndef test_one(): pass\n"
    )
    result = run(suite)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*test_typo.py::test_one needs 'chrome'*"])


def test_present_is_run(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGAP_TEST_CHROMIUM", __file__)
    run(suite).assert_outcomes(passed=4)
