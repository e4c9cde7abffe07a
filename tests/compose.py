"""Read docker-compose.yml as the container engine would: variables filled in, shape checked."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import compose_spec
import yaml

FILE = Path(__file__).parent.parent / "docker-compose.yml"
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<how>[?-])(?P<rest>[^}]*))?\}")


class ComposeError(Exception):
    """The file cannot be started as it is; the message is what the engine would say."""


def interpolate(text: str, environment: Mapping[str, str]) -> str:
    """Fill in `${NAME}`, `${NAME:-default}` and `${NAME:?message}`. Raises `ComposeError`."""

    def value(match: re.Match[str]) -> str:
        found = environment.get(match["name"], "")
        if found or match["how"] is None:
            return found
        if match["how"] == "?":
            raise ComposeError(f"{match['name']}: {match['rest']}")
        return match["rest"]

    return VARIABLE.sub(value, text)


def load(text: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """The file as plain data. Raises `ComposeError` where the Compose Specification is broken."""
    document: dict[str, Any] = fill(yaml.safe_load(text), environment)
    try:
        compose_spec.PyCompose.from_json(json.dumps(document)).validate()
    except ValueError as error:
        raise ComposeError(str(error)) from error
    check_references(document)
    return document


def fill(node: Any, environment: Mapping[str, str]) -> Any:
    """Interpolate every string; after parsing, so that an empty value stays an empty string."""
    if isinstance(node, dict):
        return {key: fill(value, environment) for key, value in node.items()}
    if isinstance(node, list):
        return [fill(item, environment) for item in node]
    return interpolate(node, environment) if isinstance(node, str) else node


def check_references(document: dict[str, Any]) -> None:
    """Services and volumes that are referred to exist. Raises `ComposeError`."""
    services = document["services"]
    for name, service in services.items():
        for other in service.get("depends_on", {}):
            if other not in services:
                raise ComposeError(f"{name} waits for {other}, which is no service")
            if "healthcheck" not in services[other]:
                raise ComposeError(f"{name} waits for the health of {other}, which has no check")
        for mount in service.get("volumes", []):
            source = mount.partition(":")[0]
            if source not in document["volumes"]:
                raise ComposeError(f"{name} mounts {source}, which is no named volume")
