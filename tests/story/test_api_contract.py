"""The written description of the doors is true, and nothing anybody sends breaks the server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from tests.story.small_city import Desk, Stand, stand
from web.description import described
from web.openapi import FILE, text

SAMPLES = 4
# These would end the session that the samples are sent with.
LEFT_OUT = {("DELETE", "/api/session"), ("POST", "/api/session"), ("POST", "/api/crew-session")}


@pytest.fixture
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("contract")) as running:
        yield running


def test_the_file_for_the_screens_is_what_the_server_describes() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run: python -m web.openapi"


def test_the_server_serves_its_description(city: Stand) -> None:
    served = city.visitor().client.get("/openapi.json").json()
    assert served == described(city.app)
    for path, operations in served["paths"].items():
        for method, operation in operations.items():
            refused = operation["responses"].get("4XX", {}).get("content", {})
            assert "application/json" not in refused, (method, path)


def test_operations_have_names_of_their_own(city: Stand) -> None:
    names = [
        operation["operationId"]
        for operations in described(city.app)["paths"].values()
        for operation in operations.values()
    ]
    assert len(names) == len(set(names))


@pytest.mark.slow
@pytest.mark.parametrize("who", ["administrator", "crew", "nobody"])
def test_nothing_sent_breaks_the_server(city: Stand, who: str) -> None:
    """Anything the description allows, and anything it does not, by everybody."""
    desk = city.crew() if who == "crew" else city.visitor()
    if who == "administrator":
        desk = city.staff(who)
    report_id, incident_id, assignment_id = city.offered(city.staff("dispatcher"))
    real = {
        "report_id": report_id,
        "incident_id": incident_id,
        "assignment_id": assignment_id,
        "crew_id": city.crew_id,
    }
    schema = schemathesis.openapi.from_dict(described(city.app))
    tried = set()
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if (operation.method.upper(), operation.path) in LEFT_OUT:
            continue
        tried.add(operation.label)
        strategy = st.one_of(
            operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
            operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
        )
        settings(
            max_examples=SAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )(given(strategy)(lambda case: knock(desk, case, real)))()
    city.staff("dispatcher").post(f"/incidents/{incident_id}/cancel", {"reason": "uji"})
    assert len(tried) > 40


def knock(desk: Desk, case: schemathesis.Case[Any], real: Mapping[str, UUID]) -> None:
    """Send it, to things that are there wherever the path names things at all."""
    if "city" in case.path_parameters:
        case.path_parameters["city"] = "kota"
    for name in real.keys() & case.path_parameters.keys():
        with suppress(ValueError):
            UUID(str(case.path_parameters[name]))
            case.path_parameters[name] = str(real[name])
    case.headers["Idempotency-Key"] = str(uuid4())
    sent = case.as_transport_kwargs(base_url="http://testserver")
    sent.pop("cookies", None)
    sent["headers"] = {
        name: value for name, value in sent["headers"].items() if name.lower() != "cookie"
    }
    if isinstance(sent.get("data"), (bytes, str)):
        sent["content"] = sent.pop("data")
    answer = desk.client.request(**sent)
    assert answer.status_code < 500, (case.method, answer.url, sent, answer.text)
    if not case.path.startswith("/api"):
        return  # Open311 refuses in its own shape
    if answer.status_code >= 400:
        assert answer.json()["detail"]
    else:
        case.operation.validate_response(answer)
