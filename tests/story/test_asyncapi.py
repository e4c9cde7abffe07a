"""The document of the socket is what the socket does: every message fits it, each one occurs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import httpx
import jsonschema
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect

from dispatch.storage.cities import begin_epoch
from geo.sql import writing
from realtime import messages
from tests.story.served import Served, served
from web import asyncapi

SENT = {each.__name__ for each in messages.FROM_SERVER}
HEARD = {each.__name__ for each in messages.FROM_CLIENT}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(scope="module")
def document(city: Served) -> Any:
    return httpx.get(f"{city.base}/asyncapi.json").json()


def test_the_file_is_what_is_served(document: Any) -> None:
    assert asyncapi.FILE.read_text("utf-8") == asyncapi.text(), "run python -m web.asyncapi"
    assert orjson.loads(asyncapi.text()) == document


def test_it_is_an_asyncapi_3_document(document: Any) -> None:
    """The parts that AsyncAPI 3.0.0 demands, and every reference leads somewhere."""
    assert document["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= document["info"].keys()
    for reference in references(document):
        assert resolve(document, reference) is not None, reference
    for channel in document["channels"].values():
        assert set(channel["parameters"]) == {"city"}
        assert "{city}" in channel["address"]
    for operation in document["operations"].values():
        assert operation["action"] in ("send", "receive")
        channel = resolve(document, operation["channel"]["$ref"])
        own = {f"#/channels/socket/messages/{name}" for name in channel["messages"]}
        assert {each["$ref"] for each in operation["messages"]} <= own
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft7Validator.check_schema(schema)
    told = {ref_name(each) for each in document["operations"]["tell"]["messages"]}
    heard = {ref_name(each) for each in document["operations"]["hear"]["messages"]}
    assert (told, heard) == (SENT, HEARD)


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for each in node.values():
            yield from references(each)
    elif isinstance(node, list):
        for each in node:
            yield from references(each)


def resolve(document: Any, reference: str) -> Any:
    found = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def ref_name(reference: Mapping[str, str]) -> str:
    return reference["$ref"].rpartition("/")[2]


class Judge:
    """Names each message by the only schema of the document that it fits."""

    def __init__(self, document: Any) -> None:
        self.seen: Counter[str] = Counter()
        self._validators = {
            name: jsonschema.Draft7Validator(
                {"$ref": f"#/components/schemas/{name}", "components": document["components"]},
                format_checker=jsonschema.FormatChecker(["uuid"]),
            )
            for name in SENT | HEARD
        }

    def sent(self, message: Mapping[str, Any]) -> str:
        return self._one(message, SENT)

    def said(self, message: Mapping[str, Any]) -> str:
        return self._one(message, HEARD)

    def fits(self, message: Mapping[str, Any], among: Iterable[str] = SENT) -> set[str]:
        """The names of the schemas that the message fits."""
        return {name for name in among if self._validators[name].is_valid(message)}

    def _one(self, message: Mapping[str, Any], among: set[str]) -> str:
        fits = self.fits(message, among)
        assert len(fits) == 1, f"{fits}: {message}"
        [name] = fits
        self.seen[name] += 1
        return name


class Line:
    """A socket whose every message, either way, is held against the document."""

    def __init__(self, socket: ClientConnection, judge: Judge) -> None:
        self._socket, self._judge = socket, judge

    async def say(self, message: Mapping[str, Any]) -> None:
        self._judge.said(message)
        await self._socket.send(orjson.dumps(message).decode())

    async def until(self, kind: str, **fields: Any) -> Mapping[str, Any]:
        async with asyncio.timeout(30):
            while True:
                message = orjson.loads(await self._socket.recv())
                found = self._judge.sent(message)
                if found == kind and fields.items() <= message.items():
                    return dict(message)


def report(city: Served, place: float = 111.53) -> dict[str, Any]:
    body = {
        "service_code": "fallen_tree",
        "description": "Pohon tumbang menutup jalan",
        "lon": place,
        "lat": -7.63,
    }
    answer = httpx.post(f"{city.base}/api/kota/reports", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_every_message_fits_and_every_documented_message_occurs(
    city: Served, document: Any
) -> None:
    judge = Judge(document)

    async def story() -> None:
        async with connect(city.url(), additional_headers=city.cookie()) as socket:
            line = Line(socket, judge)
            await line.say({"sub": "city/kota", "bbox": [111.4, -7.7, 111.6, -7.5]})
            snapshot = await line.until("Snapshot")
            sent = await asyncio.to_thread(report, city)
            await line.until("Durable", t="ReportReceived")
            await line.until("Positions")
            await line.say({"view": "city/kota"})
            since = {"epoch": snapshot["epoch"], "offset": snapshot["offset"]}
            await line.say({"sub": "city/kota", "since": since})
            recovered = await line.until("Recovered")
            assert recovered["events"]
            await line.say({"sub": f"report/{sent['ticket']}", "token": sent["token"]})
            await line.until("Snapshot", ch=f"report/{sent['ticket']}")
            await line.say({"unsub": f"report/{sent['ticket']}"})
            await line.say({"sub": "crew/nobody", "pos": False})
            await line.until("Error", ch="crew/nobody")
            await socket.send("nonsense")
            await line.until("Error", ch=None)
            await line.say({"ping": 4})
            assert await line.until("Pong") == {"pong": 4}
            # half a minute of silence, without waiting for it
            city.loop.call_soon_threadsafe(lambda: city.system.hub.tend(city.loop.time() + 30.0))
            await line.until("Ping")
            await line.say({"pong": 1})
            with writing(city.system.engine) as connection:
                begin_epoch(connection, "kota")
            city.system.bus.announce("kota")
            await line.until("Resync")
            await line.say({"sub": "city/kota", "since": since})
            assert (await line.until("Snapshot"))["epoch"] != snapshot["epoch"]

    asyncio.run(story())
    assert set(judge.seen) == SENT | HEARD
