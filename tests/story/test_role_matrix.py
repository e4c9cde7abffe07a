"""Who may knock at which door: one table for every route and every channel, tried by everybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import uuid4

import pytest
from fastapi.routing import iter_route_contexts
from starlette.websockets import WebSocketDisconnect

from tests.story.small_city import Desk, Stand, stand

ROLES = ("dispatcher", "supervisor", "administrator", "officer", "crew")
EVERYBODY = frozenset({"nobody", "stranger", *ROLES})
"""`stranger` is an administrator of another city."""
SIGNED_IN = EVERYBODY - {"nobody"}
DISPATCH = frozenset({"dispatcher", "administrator"})
WATCH = DISPATCH | {"supervisor"}
CREW = frozenset({"crew"})
OFFICER = frozenset({"officer", "administrator"})

OWNERS: Mapping[str, frozenset[str]] = {
    # the server itself
    "GET /openapi.json": EVERYBODY,
    "GET /asyncapi.json": EVERYBODY,
    "GET /healthz": EVERYBODY,
    "GET /readyz": EVERYBODY,
    # from this machine or with a token; none of these has either
    "GET /metrics": frozenset(),
    "GET /tiles/{city}/{version}.pmtiles": EVERYBODY,
    "GET /static": EVERYBODY,
    "GET /static/pages/{name}": EVERYBODY,
    "GET /favicon.ico": EVERYBODY,
    "GET /robots.txt": EVERYBODY,
    # trackers: no session, each device opens its door with its own secret
    "GET /osmand/{city}": EVERYBODY,
    "POST /osmand/{city}": EVERYBODY,
    "GET /osmand/{city}/{secret}": EVERYBODY,
    "POST /osmand/{city}/{secret}": EVERYBODY,
    "POST /owntracks/{city}": EVERYBODY,
    "POST /owntracks/{city}/{secret}": EVERYBODY,
    "POST /traccar/{city}": EVERYBODY,
    "POST /traccar/{city}/{secret}": EVERYBODY,
    # signing in and out
    "POST /api/session": EVERYBODY,
    "POST /api/crew-session": EVERYBODY,
    "GET /api/session": SIGNED_IN,
    "DELETE /api/session": SIGNED_IN,
    # what everybody may know, and the citizen's doors; private reports open with their own key
    "GET /api/cities": EVERYBODY,
    "GET /api/{city}": EVERYBODY,
    "GET /api/{city}/geocode": EVERYBODY,
    "GET /api/{city}/reverse": EVERYBODY,
    "GET /api/{city}/assets": EVERYBODY,
    "GET /api/{city}/assets/{code}": EVERYBODY,
    "GET /api/{city}/public/reports": EVERYBODY,
    "POST /api/{city}/reports": EVERYBODY,
    "POST /api/{city}/photos": EVERYBODY,
    "GET /api/{city}/photos/{photo_id}": EVERYBODY,
    "GET /api/{city}/track/{ticket}": EVERYBODY,
    "POST /api/{city}/track/{ticket}/answer": EVERYBODY,
    "GET /open311/v2/discovery.{ending}": EVERYBODY,
    "GET /open311/v2/services.{ending}": EVERYBODY,
    "GET /open311/v2/services/{service_code}.{ending}": EVERYBODY,
    "POST /open311/v2/requests.{ending}": EVERYBODY,
    "GET /open311/v2/requests.{ending}": EVERYBODY,
    "GET /open311/v2/requests/{service_request_id}.{ending}": EVERYBODY,
    "GET /open311/v2/tokens/{token}.{ending}": EVERYBODY,
    # pages: the screens ask for what they show, and are refused there
    "GET /": EVERYBODY,
    "GET /{city}": EVERYBODY,
    "GET /{city}/": EVERYBODY,
    "POST /{city}/": EVERYBODY,
    "GET /{city}/sent/{ticket}": EVERYBODY,
    "GET /{city}/r/{ticket}": EVERYBODY,
    "GET /{city}/r/{ticket}/live": EVERYBODY,
    "POST /{city}/r/{ticket}/answer": EVERYBODY,
    "GET /{city}/find": EVERYBODY,
    "POST /{city}/find": EVERYBODY,
    "GET /{city}/map": EVERYBODY,
    "GET /{city}/similar": EVERYBODY,
    "GET /{city}/console": EVERYBODY,
    "GET /{city}/crew": EVERYBODY,
    "GET /{city}/evaluation": EVERYBODY,
    "GET /{city}/agency": EVERYBODY,
    "GET /{city}/devices": EVERYBODY,
    "GET /{city}/replay": EVERYBODY,
    "GET /{city}/signin": EVERYBODY,
    # dispatching
    "POST /api/{city}/reports/{report_id}/verify": DISPATCH,
    "POST /api/{city}/reports/{report_id}/join": DISPATCH,
    "POST /api/{city}/reports/{report_id}/postpone": DISPATCH,
    "POST /api/{city}/reports/{report_id}/refuse": DISPATCH,
    "POST /api/{city}/reports/{report_id}/archive": DISPATCH,
    "POST /api/{city}/reports/{report_id}/undo": DISPATCH,
    "POST /api/{city}/reports/{report_id}/locate": DISPATCH,
    "POST /api/{city}/reports/{report_id}/remember-place": DISPATCH,
    "POST /api/{city}/reports/{report_id}/forget-place": DISPATCH,
    "GET /api/{city}/reports/{report_id}/similar": WATCH,
    "GET /api/{city}/incidents/{incident_id}": WATCH,
    "GET /api/{city}/incidents/{incident_id}/candidates": WATCH,
    "POST /api/{city}/incidents/{incident_id}/send": DISPATCH,
    "POST /api/{city}/incidents/{incident_id}/close": DISPATCH,
    "POST /api/{city}/incidents/{incident_id}/cancel": DISPATCH,
    "POST /api/{city}/incidents/{incident_id}/reopen": DISPATCH,
    "POST /api/{city}/incidents/{incident_id}/reprioritise": DISPATCH,
    "POST /api/{city}/incidents/{incident_id}/alarm": DISPATCH,
    "POST /api/{city}/assignments/{assignment_id}/withdraw": DISPATCH,
    "POST /api/{city}/crews/{crew_id}/code": DISPATCH,
    "POST /api/{city}/crews/{crew_id}/shift": WATCH,
    "POST /api/{city}/crews/{crew_id}/staff": CREW | WATCH,
    "POST /api/{city}/crews/{crew_id}/equipment": WATCH,
    "POST /api/{city}/crews/{crew_id}/out-of-service": CREW | WATCH,
    "POST /api/{city}/crews/{crew_id}/back-in-service": CREW | WATCH,
    "GET /api/{city}/evaluation": WATCH,
    "GET /api/{city}/after-actions": WATCH,
    "POST /api/{city}/crews/{crew_id}/move-up": DISPATCH,
    "GET /api/{city}/coverage": WATCH,
    "GET /api/{city}/reach": WATCH,
    "POST /api/{city}/crews/{crew_id}/post": CREW,
    "GET /api/{city}/incidents/{incident_id}/why": WATCH,
    # devices: whoever watches sees why one is silent; who dispatches sets them up
    "GET /api/{city}/devices": WATCH,
    "POST /api/{city}/devices": DISPATCH,
    "GET /api/{city}/devices/{device_id}": WATCH,
    "POST /api/{city}/devices/{device_id}/secret": DISPATCH,
    "POST /api/{city}/devices/{device_id}/crew": DISPATCH,
    "POST /api/{city}/devices/{device_id}/retire": DISPATCH,
    # where the crews are and were
    "GET /api/{city}/positions": WATCH,
    "GET /api/{city}/crews/{crew_id}/history": WATCH,
    "GET /api/{city}/crews/{crew_id}/history.{ending}": WATCH,
    "GET /api/{city}/incidents/{incident_id}/history": WATCH,
    "GET /api/{city}/incidents/{incident_id}/history.{ending}": WATCH,
    "POST /api/{city}/crews/{crew_id}/position-trouble": CREW,
    # closures: whoever drives or watches must know; who watches may close and open
    "GET /api/{city}/closures": WATCH | {"officer", "crew"},
    "GET /api/{city}/closures/preview": WATCH,
    "POST /api/{city}/closures": WATCH,
    "POST /api/{city}/closures/{closure_id}/lift": WATCH,
    # rounds: whoever watches may plan them, for nothing begins without a crew that is free
    "GET /api/{city}/rounds": WATCH,
    "POST /api/{city}/rounds/plan": WATCH,
    "GET /api/{city}/rounds/plan/{plan_id}": WATCH,
    "POST /api/{city}/rounds/plan/{plan_id}/cancel": WATCH,
    "GET /api/{city}/rounds/{round_id}": WATCH,
    "POST /api/{city}/rounds/{round_id}/start": WATCH,
    "POST /api/{city}/rounds/{round_id}/cancel": WATCH,
    # the crew's own work
    "POST /api/{city}/assignments/{assignment_id}/acknowledge": CREW,
    "POST /api/{city}/assignments/{assignment_id}/decline": CREW,
    "POST /api/{city}/assignments/{assignment_id}/en-route": CREW,
    "POST /api/{city}/assignments/{assignment_id}/on-scene": CREW,
    "POST /api/{city}/assignments/{assignment_id}/note": CREW,
    "POST /api/{city}/assignments/{assignment_id}/photos": CREW,
    "POST /api/{city}/assignments/{assignment_id}/clear": CREW,
    "GET /api/{city}/assignments/{assignment_id}/route": CREW | WATCH,
    "POST /api/{city}/crews/{crew_id}/status": CREW | DISPATCH,
    "POST /api/{city}/crews/{crew_id}/fixes": CREW,
    # agencies
    "POST /api/{city}/referrals/{referral_id}/accept": OFFICER,
    "POST /api/{city}/referrals/{referral_id}/refuse": OFFICER,
    "POST /api/{city}/referrals/{referral_id}/finish": OFFICER,
    # the socket opens for everybody; each channel has its owner below
    "WS /ws/{city}": EVERYBODY,
}

CHANNELS: Mapping[str, frozenset[str]] = {
    "city/kota": WATCH,
    "city/tetangga": frozenset(),
    "crew/{own}": WATCH | CREW,
    "crew/{other}": WATCH,
    "agency/bpbd": WATCH | {"officer"},
    "agency/dlh": WATCH,
    "report/{ticket}": WATCH,
    "report/{ticket} with its token": EVERYBODY,
    "report/{ticket} with another token": frozenset(),
    "weather/kota": frozenset(),
}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("roles")) as running:
        yield running


def somebody(city: Stand, who: str) -> Desk:
    if who == "nobody":
        return city.visitor()
    if who == "stranger":
        desk = city.staff("administrator", "tetangga")
        desk.city = "kota"
        return desk
    return city.crew() if who == "crew" else city.staff(who)


def doors(city: Stand) -> set[str]:
    found = set()
    for context in iter_route_contexts(city.app.routes):
        methods = set(getattr(context, "methods", None) or {"WS"}) - {"HEAD"}
        if context.path == "/static":
            methods = {"GET"}
        found |= {f"{method} {context.path}" for method in methods}
    return found


def test_every_route_has_an_owner(city: Stand) -> None:
    assert doors(city) == set(OWNERS)


def address(city: Stand, path: str) -> str:
    values = {
        "city": "kota",
        "crew_id": str(city.crew_id),
        "version": "v1",
        "ending": "json",
        "ticket": "KTA-2222-2",
        "token": "x",
        "name": "x.css",
        "service_code": "waste",
        "service_request_id": "KTA-2222-2",
    }
    parts = path.split("{")
    filled = [parts[0]]
    for part in parts[1:]:
        name, _, rest = part.partition("}")
        filled.append(values.get(name, str(uuid4())) + rest)
    return "".join(filled)


@pytest.mark.parametrize("who", sorted(EVERYBODY))
def test_each_door_opens_for_its_owners_only(city: Stand, who: str) -> None:
    desk = somebody(city, who)
    wrong = []
    for door, owners in OWNERS.items():
        method, _, path = door.partition(" ")
        if method == "WS" or door == "DELETE /api/session":
            continue
        answer = desk.client.request(
            method,
            address(city, path),
            headers={"Idempotency-Key": str(uuid4())},
            follow_redirects=False,
            **({"json": {}} if method == "POST" else {}),
        )
        shut = answer.status_code in (401, 403)
        if shut == (who in owners):
            wrong.append((door, answer.status_code))
        assert answer.status_code < 500, (door, answer.text)
    assert wrong == []


def test_nobody_is_told_to_sign_in_and_others_that_they_may_not(city: Stand) -> None:
    path = f"/reports/{uuid4()}/archive"
    nobody = city.visitor().post(path, {"reason": "x"})
    assert (nobody.status_code, nobody.json()["code"]) == (401, "not_signed_in")
    officer = city.staff("officer").post(path, {"reason": "x"})
    assert (officer.status_code, officer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("door", sorted(d for d, o in OWNERS.items() if o < SIGNED_IN))
def test_another_site_cannot_make_a_browser_write(city: Stand, door: str) -> None:
    method, _, path = door.partition(" ")
    if method != "POST":
        return
    desk = city.crew() if "crew" in OWNERS[door] else city.staff("administrator")
    headers = {"Idempotency-Key": str(uuid4()), "Origin": "https://evil.example"}
    answer = desk.client.post(address(city, path), json={}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")


@pytest.mark.parametrize("who", sorted(EVERYBODY))
def test_each_channel_is_heard_by_its_owners_only(city: Stand, who: str) -> None:
    ticket, token, _ = city.report(secret=True)
    _, another, _ = city.report()
    desk = somebody(city, who)
    with desk.client.websocket_connect("/ws/kota") as socket:
        for channel, owners in CHANNELS.items():
            name, _, how = channel.partition(" ")
            name = name.format(own=city.crew_id, other=city.other_crew_id, ticket=ticket)
            question = {"sub": name}
            if how:
                question["token"] = token if how == "with its token" else another
            socket.send_json(question)
            answer = heard(socket, name)
            assert ("error" not in answer) == (who in owners), (channel, answer)
            socket.send_json({"unsub": name})


def heard(socket: object, name: str) -> dict[str, object]:
    """The answer to the subscription, past pings and messages of channels left meanwhile."""
    while True:
        message: dict[str, object] = socket.receive_json()  # type: ignore[attr-defined]
        if message.get("ch") == name and ("recovered" in message or "error" in message):
            return message


def test_another_site_cannot_open_a_socket(city: Stand) -> None:
    desk = city.staff("dispatcher")
    foreign = {"Origin": "https://evil.example"}
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        desk.client.websocket_connect("/ws/kota", headers=foreign),
    ):
        pass
    assert refused.value.code == 1008


def test_a_crew_reads_and_changes_only_its_own_work(city: Stand) -> None:
    desk = city.staff("dispatcher")
    _, incident_id, assignment_id = city.offered(desk)
    stranger = city.crew(city.other_crew_id)
    work = f"/assignments/{assignment_id}"
    for verb, body in (
        ("acknowledge", {}),
        ("decline", {"reason": "too_far"}),
        ("en-route", {}),
        ("on-scene", {}),
        ("note", {"text": "x"}),
        ("photos", {"photo_id": str(uuid4()), "kind": "after"}),
        ("clear", {"disposition_code": "05"}),
    ):
        assert stranger.post(f"{work}/{verb}", body).status_code == 404, verb
    assert stranger.get(f"{work}/route?lon=111.52&lat=-7.63").status_code == 404
    fixes = {"fixes": [{"lon": 111.5, "lat": -7.6, "fix_time": city.system.clock().isoformat()}]}
    assert stranger.post(f"/crews/{city.crew_id}/fixes", fixes).status_code == 403
    status = stranger.post(f"/crews/{city.crew_id}/status", {"status": "not_available"})
    assert status.status_code == 403
    desk.post(f"/incidents/{incident_id}/cancel", {"reason": "uji"})
