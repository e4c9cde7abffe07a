"""The private page of one report: what happened, when the crew comes, and whether it is fixed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Any
from urllib.parse import parse_qs, quote, urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup, escape
from starlette.responses import Response

from dispatch.core import tickets
from dispatch.core.errors import Conflict, Invalid, TooLate, WrongStatus
from dispatch.system import City, Step, System
from web import limits, tracking
from web.auth import TheCity, TheSystem
from web.pages import moments
from web.pages.rendering import PageRoute, full_link, render, render_part, texts_for
from web.pages.texts import Texts
from web.tracking import Opened

router = APIRouter(include_in_schema=False, route_class=PageRoute)

COURSE = ("received", "verified", "dispatched", "en_route", "on_scene", "cleared", "closed")
_ENDS = frozenset({"postponed", "not_our_authority", "archived", "closed", "cancelled"})
_TONES = {
    "en_route": "way",
    "acknowledged": "way",
    "on_scene": "way",
    "cleared": "ok",
    "closed": "ok",
    "postponed": "quiet",
    "not_our_authority": "quiet",
    "archived": "quiet",
    "cancelled": "quiet",
}


@dataclass(frozen=True, slots=True)
class StepLine:
    """One line of the report's course; `state` is done, current or coming."""

    words: str
    state: str
    at: moments.Moment | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Eta:
    """When the crew is expected: soonest (P50) and latest (P90), and how long that is from now."""

    soonest: moments.Moment
    latest: moments.Moment | None
    left: str


@dataclass(frozen=True, slots=True)
class Seen:
    """When the crew was last seen, as a sentence too."""

    age_s: int
    text: str


@dataclass(frozen=True, slots=True)
class Reader:
    """What turns times into words here: language, zone, and now."""

    t: Texts
    zone: ZoneInfo
    now: datetime

    def clock(self, iso: str) -> moments.Moment:
        return moments.clock(moments.read(iso), now=self.now, zone=self.zone, t=self.t)

    def sentence(self, name: str, iso: str, **values: object) -> Markup:
        """A text about one time, which the page's script writes anew like every other time."""
        before, after = self.t(name, time="\0", **values).split("\0")
        at = self.clock(iso)
        time = Markup('<time datetime="{}" data-show="{}">{}</time>').format(
            at.iso, at.show, at.text
        )
        return escape(before) + time + escape(after)

    def as_of(self) -> str:
        """When the page was made, with the zone that all its times are in."""
        time = self.clock(moments.iso(self.now)).text
        zone = moments.zone_name(self.now, self.zone)
        return self.t("track.refresh_hint", time=f"{time} {zone}")


@router.get("/{city}/r/{ticket}")
def track(request: Request, city: TheCity, system: TheSystem, ticket: str, k: str = "") -> Response:
    limits.check(request, "track")
    opened = tracking.find(system, city, ticket, k)
    if opened is None:
        return find_page(request, city, locked=True, ticket=ticket, status=404)
    return _page(request, system, city, opened, token=k)


@router.get("/{city}/r/{ticket}/live")
def live(request: Request, city: TheCity, system: TheSystem, ticket: str, k: str = "") -> Response:
    """The changing part alone, for the page's script."""
    limits.check(request, "track")
    opened = tracking.find(system, city, ticket, k)
    if opened is None:
        return Response(status_code=404)
    values = page_values(request, system, city, opened, token=k)
    part = render_part(request, "live.html", city=city, **values)
    return HTMLResponse(part, headers={"Cache-Control": "no-store"})


@router.post("/{city}/r/{ticket}/answer")
def answer(
    request: Request,
    city: TheCity,
    system: TheSystem,
    ticket: str,
    k: Annotated[str, Form(max_length=200)] = "",
    answer: Annotated[str, Form(max_length=20)] = "",
    text: Annotated[str, Form(max_length=4000)] = "",
    key: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Fixed, or not: then the report opens again."""
    limits.check(request, "answer")
    opened = tracking.find(system, city, ticket, k)
    if opened is None:
        return find_page(request, city, locked=True, ticket=ticket, status=404)
    t = texts_for(request)
    step = Step(
        key=key or uuid4().hex,
        method_path=f"POST /{city.id}/r/{opened.ticket}/answer",
        body_hash=answer,
    )
    try:
        tracking.answer(system, city, opened, answer=answer, text=text[:2000], step=step)
    except TooLate:
        message = t("track.answer_late")
    except (WrongStatus, Conflict):
        message = t("track.answer_not_now")
    except Invalid as error:
        message = t("track.answer_refused", detail=error.detail)
    else:
        return RedirectResponse(_link(city, opened, k), status_code=303)
    opened = tracking.find(system, city, ticket, k) or opened
    return _page(request, system, city, opened, token=k, message=message, status=409)


def _link(city: City, opened: Opened, token: str) -> str:
    return f"/{city.id}/r/{opened.ticket}?k={quote(token)}"


def _page(
    request: Request,
    system: System,
    city: City,
    opened: Opened,
    *,
    token: str,
    message: str = "",
    status: int = 200,
) -> Response:
    values = page_values(request, system, city, opened, token=token)
    values["message"] = message
    values["script_texts"] = texts_for(request).for_scripts(
        "track.eta", "track.crew_", "track.map_label", "map.failed"
    )
    full = full_link(request, values["link"])
    return render(
        request, "track.html", city=city, private=True, status=status, full_link=full, **values
    )


def page_values(
    request: Request, system: System, city: City, opened: Opened, *, token: str
) -> dict[str, Any]:
    """Everything the changing part shows, in the reader's words."""
    view, t = opened.view, texts_for(request)
    reader = Reader(t, moments.zone_near(city.box.center), system.clock())
    return {
        "view": view,
        "service": city.policy.service(view["service_code"]),
        "token": token,
        "key": uuid4().hex,
        "link": _link(city, opened, token),
        "message": "",
        "headline": headline(view, t),
        "tone": "late" if view["overdue"] else _TONES.get(view["status"], "info"),
        "reason": _reason(view),
        "eta": eta_of(view, reader),
        "late": _late(view, reader),
        "target": _target(view, reader),
        "as_of": reader.as_of(),
        "crew_place": _crew_place(view),
        "crew_seen": seen_of(view, city, reader),
        "live_s": city.policy.positions.live_s,
        "stale_s": city.policy.matching.stale_fix_s,
        "steps": steps_of(view, reader),
        "outcome": _outcome(city, view, t),
        "place_found": t.place(view["place_label"])
        or _coordinates(view)
        or t("track.place_unknown"),
        "own_photos": _pictures(city, opened, view["photo_ids"], token),
        "result_photos": _pictures(
            city, opened, view["result"]["photo_ids"] if view["result"] else (), token
        ),
    }


def headline(view: dict[str, Any], t: Texts) -> str:
    """The report's state as one sentence."""
    status = view["status"]
    last = view["steps"][-1]["code"] if view["steps"] else ""
    if status == "verified" and last == "diverted":
        status = "diverted"
    elif status == "verified" and any(step["code"] == "reopened" for step in view["steps"]):
        status = "reopened"
    return t.find(f"track.state_{status}", t("track.state_verified"))


def steps_of(view: dict[str, Any], reader: Reader) -> list[StepLine]:
    """What happened with its times, then what is still to come."""
    t, happened = reader.t, view["steps"]
    over = view["status"] in _ENDS
    lines = []
    for number, step in enumerate(happened, start=1):
        current = number == len(happened) and not over
        lines.append(
            StepLine(
                words=t(f"track.step_{step['code']}"),
                state="current" if current else "done",
                at=reader.clock(step["at"]),
                # What a crew wrote stands with the result already.
                text=step["text"] if step["code"] not in ("closed", "cancelled") else None,
            )
        )
    if over:
        return lines
    last = happened[-1]["code"] if happened else ""
    begin = {"reopened": 2, "diverted": 2}.get(last)
    if begin is None:
        begin = COURSE.index(last) + 1 if last in COURSE else 1
    coming = [t(f"track.step_{code}") for code in COURSE[begin:]]
    return [*lines, *(StepLine(words=words, state="coming") for words in coming)]


def eta_of(view: dict[str, Any], reader: Reader) -> Eta | None:
    """The expected arrival as a range; None when nobody is on the way."""
    if not view["eta"]:
        return None
    soonest = moments.read(view["eta"])
    latest = moments.read(view["eta_latest"]) if view["eta_latest"] else soonest
    return Eta(
        soonest=reader.clock(view["eta"]),
        latest=reader.clock(view["eta_latest"]) if (latest - soonest).seconds >= 60 else None,
        left=time_left(soonest, latest, now=reader.now, t=reader.t),
    )


def time_left(soonest: datetime, latest: datetime, *, now: datetime, t: Texts) -> str:
    """How many minutes from now, never more exact than it is known."""
    # Whole minutes of the clock, so that the sentence agrees with the times beside it.
    this = int(now.timestamp() // 60)
    first = max(0, int(soonest.timestamp() // 60) - this)
    last = max(0, int(latest.timestamp() // 60) - this)
    if latest < now:
        return t("track.eta_past")
    if last <= 1:
        return t("track.eta_any")
    if first == last:
        return t("track.eta_about", minutes=last)
    return t("track.eta_minutes", **{"from": first, "to": last})


def _late(view: dict[str, Any], reader: Reader) -> str:
    if not view["due_at"]:
        return ""
    due = moments.read(view["due_at"])
    if view["overdue"]:
        minutes = max(1, int((reader.now - due).total_seconds() // 60))
        return reader.sentence("track.overdue_text", view["due_at"], minutes=minutes)
    arrived = next((step["at"] for step in view["steps"] if step["code"] == "on_scene"), None)
    reopened = any(step["code"] == "reopened" for step in view["steps"])
    if arrived and not reopened and moments.read(arrived) > due:
        return reader.sentence("track.overdue_done", view["due_at"])
    return ""


def _target(view: dict[str, Any], reader: Reader) -> str:
    """The promise, while it can still be kept."""
    waiting = view["status"] not in (*_ENDS, "on_scene", "cleared")
    if not view["due_at"] or not waiting:
        return ""
    return reader.sentence("track.target", view["due_at"])


def _reason(view: dict[str, Any]) -> str:
    if view["status"] not in ("postponed", "not_our_authority", "archived"):
        return ""
    return next((s["text"] for s in reversed(view["steps"]) if s["code"] == view["status"]), "")


def _outcome(city: City, view: dict[str, Any], t: Texts) -> str:
    if not view["result"]:
        return ""
    code = view["result"]["disposition_code"]
    known = city.policy.dispositions.get(code)
    return t.name(known) if known else t("track.state_closed")


def _crew_place(view: dict[str, Any]) -> str:
    crew = view["crew"]
    return f"{crew['lon']},{crew['lat']}" if crew and crew["lon"] is not None else ""


def seen_of(view: dict[str, Any], city: City, reader: Reader) -> Seen | None:
    """How old the crew's dot is; None where none is shown."""
    crew = view["crew"]
    if not crew or not crew["fix_time"]:
        return None
    at = moments.read(crew["fix_time"])
    age_s = max(0.0, (reader.now - at).total_seconds())
    name = "track.crew_old" if age_s > city.policy.matching.stale_fix_s else "track.crew_seen"
    ago = moments.ago(at, now=reader.now, t=reader.t).text
    return Seen(int(age_s), reader.t(name, ago=ago))


def _coordinates(view: dict[str, Any]) -> str:
    return f"{view['lat']:.5f}, {view['lon']:.5f}" if view["lon"] is not None else ""


def _pictures(city: City, opened: Opened, ids: Any, token: str) -> list[dict[str, str]]:
    key = f"ticket={opened.ticket}&k={quote(token)}"
    return [
        {
            "thumb": f"/api/{city.id}/photos/{photo_id}?size=thumb&{key}",
            "full": f"/api/{city.id}/photos/{photo_id}?size=full&{key}",
        }
        for photo_id in ids
    ]


# --- find my report ---------------------------------------------------------------


@router.get("/{city}/find")
def find(request: Request, city: TheCity) -> Response:
    return find_page(request, city)


@router.post("/{city}/find")
def open_found(
    request: Request,
    city: TheCity,
    link: Annotated[str, Form(max_length=500)] = "",
    ticket: Annotated[str, Form(max_length=100)] = "",
    k: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Lead to the report's page; only that page looks whether the key fits."""
    t = texts_for(request)
    found_ticket, token = read_link(link)
    found_ticket, token = found_ticket or ticket.strip(), token or read_link(k)[1] or k.strip()
    if not found_ticket or not token:
        errors = {"link": t("find.empty")}
        return find_page(request, city, errors=errors, link=link, ticket=ticket, status=422)
    try:
        printed = tickets.parse(found_ticket)
    except Invalid:
        errors = {"ticket": t("find.bad_ticket")}
        return find_page(request, city, errors=errors, link=link, ticket=found_ticket, status=422)
    token = token.removeprefix("k=")
    return RedirectResponse(f"/{city.id}/r/{printed}?k={quote(token)}", status_code=303)


def read_link(text: str) -> tuple[str, str]:
    """Ticket and key in a pasted private link; empty where there is none."""
    parts = urlsplit(text.strip())
    segments = [part for part in parts.path.split("/") if part]
    token = parse_qs(parts.query).get("k", [""])[0]
    for before, ticket in pairwise(segments):
        if before in ("r", "sent"):
            return ticket, token
    return "", token


def find_page(
    request: Request,
    city: City,
    *,
    locked: bool = False,
    errors: dict[str, str] | None = None,
    link: str = "",
    ticket: str = "",
    status: int = 200,
) -> Response:
    """The search form; after a wrong link the same page, whatever exists."""
    return render(
        request,
        "find.html",
        city=city,
        private=True,
        tab="find",
        status=status,
        locked=locked,
        errors=errors or {},
        form={"link": link, "ticket": ticket[:40]},
        example=tickets.make(city.ticket_prefix, 4711),
    )
