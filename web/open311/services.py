"""What can be reported here, and where this service is."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from dispatch.core.policy import Service
from web import errors
from web.auth import TheSystem
from web.errors import Problem
from web.open311.doors import SAY, Ending, Jurisdiction, Open311Route, jurisdiction
from web.open311.format import Element, answer, table
from web.pages.rendering import full_link
from web.sentences import Language

router = APIRouter(route_class=Open311Route)


@router.get("/discovery.{ending}")
def discovery(request: Request, ending: Ending) -> Response:
    """Where this service is and what it speaks (Open311 service discovery)."""
    formats = ["text/xml", "application/json"]
    endpoint = {
        "specification": "http://wiki.open311.org/GeoReport_v2",
        "url": full_link(request, "/open311/v2"),
        "changeset": "2026-11-22T00:00:00Z",
        "type": "production",
        "formats": formats,
    }
    body = {
        "changeset": "2026-11-22T00:00:00Z",
        "contact": "",
        "key_service": "",
        "endpoints": [endpoint],
    }
    tree = Element("discovery", fields={k: v for k, v in body.items() if k != "endpoints"})
    tree.children.append(
        Element(
            "endpoints",
            children=[
                Element(
                    "endpoint",
                    fields={k: v for k, v in endpoint.items() if k != "formats"},
                    children=[
                        Element(
                            "formats", children=[Element("format", text=each) for each in formats]
                        )
                    ],
                )
            ],
        )
    )
    return answer(ending, tree, body)


@router.get("/services.{ending}")
def services(
    request: Request, ending: Ending, system: TheSystem, jurisdiction_id: Jurisdiction = ""
) -> Response:
    """The kinds of problem that can be reported."""
    city = jurisdiction(system, jurisdiction_id)
    language = errors.language(request)
    listed = [_service(each, language) for each in city.policy.services.values()]
    return answer(ending, table("services", "service", listed), listed)


@router.get("/services/{service_code}.{ending}")
def service_definition(
    request: Request,
    service_code: str,
    ending: Ending,
    system: TheSystem,
    jurisdiction_id: Jurisdiction = "",
) -> Response:
    """What one kind of problem asks beside the usual; here none asks more."""
    city = jurisdiction(system, jurisdiction_id)
    if service_code not in city.policy.services:
        raise Problem(404, "service_unknown", sentence=SAY["service_unknown"])
    tree = Element(
        "service_definition",
        fields={"service_code": service_code},
        children=[Element("attributes")],
    )
    return answer(ending, tree, {"service_code": service_code, "attributes": []})


def _service(service: Service, language: Language) -> dict[str, Any]:
    name = service.name_en if language == "en" else service.name
    return {
        "service_code": service.service_code,
        "service_name": name,
        "description": name,
        "metadata": False,
        "type": "realtime",
        "keywords": ",".join(service.keywords),
        "group": service.group,
    }
