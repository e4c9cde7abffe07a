"""The same doors on PostGIS: a report comes in, a crew clears it, a screen recovers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.story import test_api_live as live
from tests.story import test_api_path as path
from tests.story.small_city import Stand, stand

pytestmark = pytest.mark.needs("postgis")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, postgis_database: str) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("postgis"), database_url=postgis_database) as running:
        yield running


@pytest.mark.parametrize(
    "story",
    [
        path.test_from_report_to_closed,
        path.test_every_decision_about_a_report,
        path.test_a_second_report_joins_the_incident,
        path.test_a_repeated_key_gets_the_same_answer_and_another_wish_does_not,
        path.test_the_evaluation_can_be_run_again_to_the_same_hash,
        live.test_a_screen_that_lost_the_network_shows_what_a_fresh_one_shows,
        live.test_a_secret_report_reaches_those_who_verify_and_its_reporter_only,
    ],
)
def test_on_postgis(city: Stand, story: object) -> None:
    story(city)  # type: ignore[operator]
