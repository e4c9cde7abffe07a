"""A city's front page: the report form, complete without JavaScript, and its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import segno
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import Response

from dispatch.core.errors import Conflict, Invalid, NotFound
from dispatch.core.policy import Policy, Service
from dispatch.system import MOST_RADIUS_M, City, System, asset_of, numbered_kinds
from geo.geocoding import ACCEPT, Candidate
from geo.point import Point
from web import intake, limits, photo_rows, public_reports, tracking
from web.auth import TheCity, TheSystem, the_city, the_system
from web.pages import form as forms
from web.pages import moments
from web.pages.form import Form
from web.pages.rendering import PageRoute, full_link, remember, render, render_part, texts_for
from web.pages.texts import Texts
from web.photos import MAX_BYTES, read_picture
from web.public_reports import Question

router = APIRouter(include_in_schema=False, route_class=PageRoute)

NEAR_M = 150.0
SIMILAR_WINDOW = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Choice:
    """A proposed place as the form shows it."""

    value: str
    label: str
    area: str


@dataclass(frozen=True, slots=True)
class Alike:
    """A report near the reader's spot that may speak of the same problem."""

    ticket: str
    icon: str
    service: str
    place: str
    distance_m: int
    received: moments.Moment


@router.get("/{city}/")
def home(request: Request, city: TheCity, system: TheSystem) -> Response:
    return _page(request, system, city, forms.fresh())


@router.get("/{city}")
def without_slash(city: TheCity) -> Response:
    return RedirectResponse(f"/{city.id}/", status_code=308)


@router.post("/{city}/")
async def send(request: Request, city: str) -> Response:
    """Every button of the form lands here; all but "send" show it again as it was typed."""
    # Read by hand: FastAPI would refuse what it cannot parse, a person's words must come back.
    async with request.form(max_files=20, max_fields=200, max_part_size=64 * 1024) as data:
        form, files = forms.read(data), forms.uploads(data)
        pressed = {name: str(data.get(name, "")) for name in _BUTTONS}
        return await run_in_threadpool(_sent, request, city, form, files, pressed)


_BUTTONS = ("do", "lang", "theme", "remove", "me_too")


def _sent(
    request: Request,
    city_id: str,
    form: Form,
    files: Sequence[UploadFile],
    pressed: dict[str, str],
) -> Response:
    system, t = the_system(request), texts_for(request)
    city = the_city(city_id, system)
    form, photo_problems, digests = _with_photos(request, system, city, form, files, t)
    form = _with_choice(city, _with_number(city, form), t)
    if pressed["lang"] or pressed["theme"]:
        return _switch(request, system, city, form, pressed)
    if pressed["remove"]:
        kept = tuple(each for each in form.photo_ids if str(each) != pressed["remove"])
        return _page(request, system, city, replace(form, photo_ids=kept), errors=photo_problems)
    if pressed["me_too"]:
        return _page(request, system, city, _me_too(system, city, form, pressed["me_too"], t))
    if pressed["do"] == "unpin":
        return _page(request, system, city, form.unpinned(), errors=photo_problems)
    if pressed["do"] == "place":
        return _look_up(request, system, city, form)
    errors = {**forms.problems(form, city, t), **photo_problems}
    if errors:
        return _page(request, system, city, form, errors=errors, status=422)
    return _receive(request, system, city, form, digests)


def _receive(
    request: Request, system: System, city: City, form: Form, photos: Sequence[str]
) -> Response:
    t = texts_for(request)
    wait_s = request.app.state.buckets.take("report", limits.client_of(request))
    if wait_s > 0:
        errors = {"report": t("error.too_fast", seconds=int(wait_s) + 1)}
        return _page(request, system, city, form, errors=errors, status=429)
    wish = form.wish()
    step = intake.step_of(wish, key=form.key, door=f"POST /{city.id}/", photos=tuple(photos))
    try:
        done = intake.receive(system, city, wish, step=step)
    except Invalid as error:
        errors = forms.refusal(error, form, city, t)
        return _page(request, system, city, form, errors=errors, status=422)
    except Conflict:
        # Sent before, then changed: a fresh key makes the next press a report of its own.
        again = replace(form, key=forms.fresh().key, photo_ids=())
        errors = {"report": t("error.changed")}
        return _page(request, system, city, again, errors=errors, status=409)
    ticket, token = done.body["ticket"], done.body["token"]
    response = RedirectResponse(f"/{city.id}/sent/{ticket}?k={quote(token)}", status_code=303)
    response.headers["Cache-Control"] = "no-store"
    return response


@router.get("/{city}/sent/{ticket}")
def sent(request: Request, city: TheCity, system: TheSystem, ticket: str, k: str = "") -> Response:
    """The ticket, the private link, and what happens next."""
    opened = tracking.find(system, city, ticket, k)
    if opened is None:
        raise NotFound("There is nothing at this address.")
    link = f"/{city.id}/r/{opened.ticket}?k={quote(k)}"
    return render(
        request,
        "sent.html",
        city=city,
        private=True,
        ticket=opened.ticket,
        link=link,
        full_link=full_link(request, link),
        qr=segno.make(full_link(request, link), error="m").svg_data_uri(scale=4, border=2),
        view=opened.view,
    )


@router.get("/{city}/similar")
def similar(
    request: Request,
    city: TheCity,
    system: TheSystem,
    lon: float,
    lat: float,
    service: str = "",
) -> Response:
    """Who was here before: the same hint as in the page, for its script."""
    limits.check(request, "geocode")
    form = replace(forms.fresh(), service_code=service, lon=str(lon), lat=str(lat))
    alike = _alike(system, city, form, texts_for(request))
    part = render_part(request, "similar.html", city=city, similar=alike) if alike else ""
    return HTMLResponse(part, headers={"Cache-Control": "no-store"})


# --- photos -----------------------------------------------------------------------


def _with_photos(
    request: Request,
    system: System,
    city: City,
    form: Form,
    files: Sequence[UploadFile],
    t: Texts,
) -> tuple[Form, dict[str, str], list[str]]:
    """The form with the new photos kept, what was wrong with others, and all fingerprints.

    A form sent twice names photos that its first sending has given away: they stay named, so that
    the second sending is known as the same.
    """
    with system.reading(city.id) as connection:
        known = photo_rows.sent_with(connection, city.id, form.photo_ids, upload_token=form.key)
    kept, digests = [each.id for each in known], [each.sha256 for each in known]
    problem = t("error.photo_gone") if len(kept) < len(form.photo_ids) else ""
    for file in files:
        if len(kept) >= photo_rows.MOST:
            problem = t("error.photo_too_many")
            break
        wait_s = request.app.state.buckets.take("photo", limits.client_of(request))
        if wait_s > 0:
            problem = t("error.too_fast", seconds=int(wait_s) + 1)
            break
        try:
            picture = read_picture(file.file.read(MAX_BYTES + 1))
        except Invalid as error:
            problem = forms.photo_problem(error, file.filename or "", t)
            continue
        photo = photo_rows.keep(system, city.id, picture, upload_token=form.key)
        kept.append(photo.id)
        digests.append(photo.sha256)
    return replace(form, photo_ids=tuple(kept)), {"photos": problem} if problem else {}, digests


# --- places -----------------------------------------------------------------------


def _look_up(request: Request, system: System, city: City, form: Form) -> Response:
    """Show what the typed place may be, to choose from."""
    t = texts_for(request)
    limits.check(request, "geocode")
    number, form = form.asset_code, form.unpinned()
    if number.strip():
        return _numbered(request, system, city, replace(form, asset_code=number))
    wrong = forms.problems(form, city, t).get("place_typed")
    if wrong:
        return _page(request, system, city, form, errors={"place_typed": wrong}, status=422)
    try:
        system.place_of(city.id, lon=None, lat=None, typed=form.place_typed)
    except Invalid as error:
        errors = forms.refusal(error, form, city, t)
        return _page(request, system, city, form, errors=errors, status=422)
    found = city.geocoder.search(form.place_typed[:200], limit=5, language=t.language)
    candidates = _choices(city, found)
    if candidates and found[0].confidence >= ACCEPT:
        form = replace(form, choice=candidates[0].value)
    return _page(
        request,
        system,
        city,
        form,
        candidates=candidates,
        place_message=_how_sure(found, candidates, t),
    )


def _how_sure(found: Sequence[Candidate], shown: Sequence[Choice], t: Texts) -> str:
    """What the list of proposals says first: how sure it is, and what to do next."""
    if not shown:
        return t("form.place_unsure")
    best, count = found[0], t("form.place_found", count=len(shown))
    if best.confidence < ACCEPT:
        return f"{count} {t('form.place_doubt')}"
    if best.radius_m <= MOST_RADIUS_M:
        return f"{count} {t('form.place_sure')}"
    return f"{count} {t('form.place_wide', metres=round(best.radius_m))}"


def _numbered(request: Request, system: System, city: City, form: Form) -> Response:
    """The form with the pin on the thing whose number was typed, or what is wrong with it."""
    t = texts_for(request)
    try:
        asset = asset_of(city, form.asset_code.strip(), service=_service(city, form))
    except Invalid as error:
        errors = forms.refusal(error, form, city, t)
        return _page(request, system, city, form, errors=errors, status=422)
    pinned = form.pinned(asset.point, t.place(asset.label) or "")
    return _page(request, system, city, replace(pinned, asset_code=asset.text))


def _with_number(city: City, form: Form) -> Form:
    """A number counts only for what is about numbered things; else the field is not seen."""
    service = city.policy.services.get(form.service_code)
    return form if service is None or service.assets else replace(form, asset_code="")


def _service(city: City, form: Form) -> str | None:
    return form.service_code if form.service_code in city.policy.services else None


def _with_choice(city: City, form: Form, t: Texts) -> Form:
    """A proposal that was picked becomes the pin, so that nothing later loses it."""
    chosen = forms.chosen_point(form.choice)
    if chosen is None:
        return form
    found = city.geocoder.search(form.place_typed[:200], limit=5, language=t.language)
    named = {forms.choice_of(each): each.label for each in found}
    label = named.get(form.choice, f"{chosen.lat:.5f}, {chosen.lon:.5f}")
    return replace(form.pinned(chosen, label), choice="")


def _choices(city: City, found: Sequence[Candidate]) -> list[Choice]:
    """Proposals inside the city, each name once."""
    shown: dict[tuple[str, str], Choice] = {}
    for candidate in found:
        choice = _choice(candidate)
        if city.areas.covers(candidate.point):
            shown.setdefault((choice.label, choice.area), choice)
    return list(shown.values())


def _choice(candidate: Candidate) -> Choice:
    named = (candidate.ward, candidate.district)
    area = ", ".join(part for part in named if part and part not in candidate.label)
    return Choice(forms.choice_of(candidate), candidate.label, area)


def _me_too(system: System, city: City, form: Form, ticket: str, t: Texts) -> Form:
    """The form filled from a report of somebody else: its place, its kind, and a word about it."""
    with system.reading(city.id) as connection:
        found = public_reports.listed(
            connection, city.id, Question(tickets=(ticket,), on_map=True), limit=1
        )
    if not found:
        return form
    other, said = found[0], t("form.me_too_text", ticket=found[0].ticket)
    words = form.description.strip()
    if other.lon is None or other.lat is None:
        return form
    return replace(
        form.pinned(Point(other.lon, other.lat), other.place_label or ""),
        service_code=form.service_code or other.service_code,
        description=words if said in words else f"{said} {words}".strip(),
        choice="",
    )


def _alike(system: System, city: City, form: Form, t: Texts) -> list[Alike]:
    """Open public reports near the chosen spot, nearest first."""
    wish = form.wish()
    if wish.lon is None or wish.lat is None or not -180 <= wish.lon <= 180:
        return []
    if not -90 <= wish.lat <= 90:
        return []
    now = system.clock()
    question = Question(
        service_codes=(form.service_code,) if form.service_code else (),
        open=True,
        since=now - SIMILAR_WINDOW,
        near=Point(wish.lon, wish.lat),
        within_m=NEAR_M,
        on_map=True,
    )
    with system.reading(city.id) as connection:
        found = public_reports.listed(connection, city.id, question, limit=20)
    return [
        Alike(
            ticket=each.ticket,
            icon=service.icon,
            service=t.name(service),
            place=t.place(each.place_label) or each.ward or city.name,
            distance_m=round(each.distance_m or 0.0),
            received=moments.ago(each.received_at, now=now, t=t),
        )
        for each in found[:3]
        if (service := city.policy.services.get(each.service_code)) is not None
    ]


# --- the page ---------------------------------------------------------------------


def _switch(
    request: Request, system: System, city: City, form: Form, pressed: dict[str, str]
) -> Response:
    """The same form in the chosen language or appearance."""
    request.state.chosen_language = pressed["lang"] if pressed["lang"] in ("id", "en") else None
    request.state.chosen_theme = pressed["theme"] or None
    response = _page(request, system, city, form)
    remember(request, response, lang=pressed["lang"], theme=pressed["theme"])
    return response


def _page(
    request: Request,
    system: System,
    city: City,
    form: Form,
    *,
    errors: dict[str, str] | None = None,
    candidates: Sequence[Choice] = (),
    place_message: str = "",
    status: int = 200,
) -> Response:
    t = texts_for(request)
    values: dict[str, Any] = {
        "form": form,
        "errors": errors or {},
        "groups": groups(city.policy, t),
        "numbered": {code for code in city.policy.services if numbered_kinds(city, code)},
        "limits": forms.LIMITS,
        "candidates": candidates,
        "place_message": place_message,
        "similar": _alike(system, city, form, t),
        "target_minutes": round(city.policy.promise.target_s / 60),
        "script_texts": t.for_scripts("form.", "error.photo", "error.asset", "error.place_short"),
    }
    # The empty form may be gone back to; one that holds somebody's words is kept by nobody.
    private = request.method == "POST"
    return render(
        request, "home.html", city=city, status=status, tab="report", private=private, **values
    )


def groups(policy: Policy, t: Texts) -> list[tuple[str, list[Service]]]:
    """The services by group, in the order of the policy."""
    found: dict[str, list[Service]] = {}
    for service in policy.services.values():
        found.setdefault(service.group, []).append(service)
    return [(t.find(f"group.{name}", name), services) for name, services in found.items()]
