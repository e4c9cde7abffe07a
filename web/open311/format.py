"""How Open311 writes its answers: the same content as XML and as JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from xml.etree import ElementTree as ET

import orjson
from fastapi import Response

Format = Literal["xml", "json"]

# XML 1.0 has no way at all to write these.
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(slots=True)
class Element:
    """An XML element: text, or fields (one element each, in order), then children."""

    name: str
    text: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)


def answer(kind: Format, tree: Element, body: Any, *, status: int = 200) -> Response:
    """The answer in the format that the address ended with."""
    if kind == "json":
        return Response(
            orjson.dumps(body),
            status_code=status,
            media_type="application/json; charset=utf-8",
            headers={"Cache-Control": "no-store"},
        )
    return Response(
        write(tree),
        status_code=status,
        media_type="text/xml; charset=utf-8",
        headers={"Cache-Control": "no-store"},
    )


def faults(kind: Format, status: int, descriptions: Sequence[str]) -> Response:
    """GeoReport v2 errors: a list of {code, description}."""
    listed = [{"code": status, "description": words} for words in descriptions]
    tree = Element("errors", children=[Element("error", fields=each) for each in listed])
    return answer(kind, tree, listed, status=status)


def write(tree: Element) -> bytes:
    """The tree as an XML document in UTF-8."""
    root = _element(tree)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _element(source: Element) -> ET.Element:
    element = ET.Element(source.name)
    element.text = _UNWRITABLE.sub("", source.text) or None
    for name, value in source.fields.items():
        child = ET.SubElement(element, name)
        child.text = _text(value)
    element.extend(_element(child) for child in source.children)
    return element


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return _UNWRITABLE.sub("", str(value))


def table(name: str, each: str, rows: Sequence[dict[str, Any]]) -> Element:
    """A list of rows: each becomes an element of its fields."""
    return Element(name, children=[Element(each, fields=row) for row in rows])
