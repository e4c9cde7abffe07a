"""Every refusal leaves in one shape: problem details (RFC 9457), in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from dispatch.core.errors import SigapError
from geo.network import RoadsUnavailable
from web.logs import FAILURES
from web.sentences import OWN, STATUSES, THINGS, Language, Sentence, translated
from web.shapes import ProblemDetails

MEDIA_TYPE = "application/problem+json"
LANGUAGE_COOKIE = "sigap_lang"

DOCUMENTED: dict[str, Any] = {
    "model": ProblemDetails,
    "description": "Refused; `detail` is a sentence that says what to do (RFC 9457)",
}

STATUS_OF: Mapping[str, int] = {
    "not_found": 404,
    "forbidden": 403,
    "wrong_status": 409,
    "conflict": 409,
    "too_late": 409,
    "invalid": 422,
    "bad_policy": 500,
}


class Problem(HTTPException):
    """A refusal of the web floor: a status, a stable code, and values for its sentence."""

    def __init__(
        self,
        status: int,
        code: str,
        *,
        headers: Mapping[str, str] | None = None,
        sentence: Sentence | None = None,
        **values: object,
    ) -> None:
        super().__init__(status, code, dict(headers or {}))
        self.code = code
        self.sentence = sentence or OWN[code]
        self.values = values

    def say(self, language: Language) -> str:
        """The sentence a person reads."""
        return self.sentence.say(language, **self.values)


def language(request: Any) -> Language:
    """The reader's language: the cookie's, else the browser's first known, else Indonesian.

    Takes a request or a websocket.
    """
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in ("id", "en"):
        return cast(Language, chosen)
    return preferred(request.headers.get("accept-language", ""))


def preferred(accept: str) -> Language:
    """The best of `id` and `en` in an Accept-Language header (RFC 9110, 12.5.4)."""
    best: tuple[float, Language] = (0.0, "id")
    for part in accept.split(","):
        tag, _, parameter = part.strip().partition(";")
        short = tag.strip().lower().split("-")[0]
        weight = _weight(parameter)
        if short in ("id", "in", "en") and weight > best[0]:
            best = (weight, "en" if short == "en" else "id")
    return best[1]


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer itself: {type, title, status, detail, code, errors?}."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if errors:
        body["errors"] = list(errors)
    return JSONResponse(
        body,
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def sentence_of(error: SigapError, language: Language) -> str:
    """What a person reads when a rule refused their wish."""
    kind, status = error.fields.get("kind"), error.fields.get("status")
    if error.code == "wrong_status" and kind in THINGS and status in STATUSES:
        thing = THINGS[str(kind)].say(language)
        return OWN["wrong_status"].say(
            language, thing=thing, status=STATUSES[str(status)].say(language)
        )
    if error.code == "not_found" and kind in THINGS:
        return OWN["no_such_thing"].say(language, thing=THINGS[str(kind)].say(language))
    return translated(error.detail, language)


def refusal(error: SigapError, language: Language) -> JSONResponse:
    """A rule's refusal as problem details."""
    detail = sentence_of(error, language)
    field = error.fields.get("field")
    if error.fields.get("reason") == "idempotency_mismatch":
        return problem(422, "idempotency_mismatch", detail)
    wrong = {"field": str(field), "message": detail}
    if "flag" in error.fields:
        wrong["flag"] = str(error.fields["flag"])
    errors = [wrong] if field else []
    return problem(STATUS_OF.get(error.code, 400), error.code, detail, errors=errors)


# --- what a request's shape can get wrong ---------------------------------------

_WRONG: Mapping[str, Sentence] = {
    "missing": Sentence("is missing", "belum diisi"),
    "extra_forbidden": Sentence("is not known here", "tidak dikenal di sini"),
    "string_too_short": Sentence(
        "is too short: at least {min_length}", "terlalu pendek: paling sedikit {min_length}"
    ),
    "string_too_long": Sentence(
        "is too long: at most {max_length}", "terlalu panjang: paling banyak {max_length}"
    ),
    "too_long": Sentence("has more than {max_length}", "terlalu banyak: {max_length}"),
    "too_short": Sentence("has too few: at least {min_length}", "kurang: minimal {min_length}"),
    "literal_error": Sentence("must be {expected}", "harus {expected}"),
    "greater_than_equal": Sentence("must be at least {ge}", "paling kecil {ge}"),
    "less_than_equal": Sentence("must be at most {le}", "paling besar {le}"),
    "finite_number": Sentence("must be a finite number", "harus bilangan terhingga"),
    "json_invalid": Sentence("is not readable JSON", "bukan JSON yang terbaca"),
    "timezone_aware": Sentence("needs a time zone", "harus menyebut zona waktu"),
}
_SHAPES: Sequence[tuple[str, Sentence]] = (
    ("uuid", Sentence("must be an identifier (UUID)", "harus berupa pengenal (UUID)")),
    ("int", Sentence("must be a whole number", "harus bilangan bulat")),
    ("float", Sentence("must be a number", "harus bilangan")),
    ("bool", Sentence("must be true or false", "harus true atau false")),
    ("date", Sentence("must be a time like 2026-11-22T08:00:00Z", "harus waktu ISO 8601")),
    ("timezone", Sentence("must be a time like 2026-11-22T08:00:00Z", "harus waktu ISO 8601")),
    ("string", Sentence("must be text", "harus berupa teks")),
    ("list", Sentence("must be a list", "harus berupa daftar")),
)
_NOT_RIGHT = Sentence("is not right", "belum benar")


def _field(location: Sequence[int | str]) -> str:
    parts = [str(part) for part in location if part not in ("body", "query", "path", "header")]
    return ".".join(parts) or str(location[0] if location else "body")


def _message(error: Mapping[str, Any], language: Language) -> str:
    kind = str(error.get("type", ""))
    sentence = _WRONG.get(kind)
    if sentence is None:
        sentence = next((s for prefix, s in _SHAPES if kind.startswith(prefix)), _NOT_RIGHT)
    return sentence.say(language, **(error.get("ctx") or {}))


def validation_problem(error: RequestValidationError, language: Language) -> JSONResponse:
    """Which fields are wrong, each with its own message; what was sent is not echoed."""
    errors = [
        {"field": _field(found["loc"]), "message": _message(found, language)}
        for found in error.errors()
    ]
    fields = "; ".join(f"{each['field']} {each['message']}" for each in errors[:5])
    detail = OWN["invalid"].say(language, fields=fields)
    return problem(422, "invalid", detail, errors=errors)


_HTTP_CODES: Mapping[int, str] = {
    400: "bad_request",
    401: "not_signed_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    429: "too_many",
    503: "unavailable",
}


def http_problem(error: HTTPException, language: Language, *, method: str) -> JSONResponse:
    """Any HTTP refusal, the framework's own ones too, in the one shape."""
    headers = dict(error.headers or {})
    if isinstance(error, Problem):
        return problem(error.status_code, error.code, error.say(language), headers=headers)
    code = _HTTP_CODES.get(error.status_code, "bad_request")
    detail = OWN[code].say(language, method=method)
    return problem(error.status_code, code, detail, headers=headers)


def is_away(error: Exception) -> bool:
    """Whether the database went away, or ended the session, rather than refused what we said."""
    if isinstance(error, DBAPIError):
        return isinstance(error, OperationalError) or error.connection_invalidated
    return isinstance(error, PoolTimeout | TimeoutError)


Page = Callable[[Request, SigapError | HTTPException], Response]

_FOR_PROGRAMS = (
    "/api/",
    "/open311/",
    "/osmand/",
    "/owntracks/",
    "/static/",
    "/tiles/",
    "/traccar/",
)


def install(app: FastAPI, *, page: Page | None = None) -> None:
    """Teach the app to refuse in this shape, and with a `page` whoever opened an address."""

    def shown(
        request: Request, error: SigapError | HTTPException, otherwise: JSONResponse
    ) -> Response:
        wants_page = "text/html" in request.headers.get("accept", "")
        if page is None or not wants_page or request.url.path.startswith(_FOR_PROGRAMS):
            return otherwise
        return page(request, error)

    @app.exception_handler(SigapError)
    async def _rule(request: Request, error: SigapError) -> Response:
        return shown(request, error, refusal(error, language(request)))

    @app.exception_handler(RequestValidationError)
    async def _shape(request: Request, error: RequestValidationError) -> JSONResponse:
        return validation_problem(error, language(request))

    @app.exception_handler(DBAPIError)
    @app.exception_handler(PoolTimeout)
    @app.exception_handler(TimeoutError)
    async def _away(request: Request, error: Exception) -> Response:
        if not is_away(error):
            raise error
        FAILURES.error("the database does not answer", exc_info=error)
        return shown(
            request,
            Problem(503, "unavailable", headers={"Retry-After": "2"}),
            problem(
                503,
                "unavailable",
                OWN["unavailable"].say(language(request)),
                headers={"Retry-After": "2"},
            ),
        )

    @app.exception_handler(RoadsUnavailable)
    async def _roads(request: Request, error: RoadsUnavailable) -> Response:
        FAILURES.error("the roads cannot be asked: %s", error)
        sentence = OWN["roads_away"].say(language(request))
        headers = {"Retry-After": "10"}
        return shown(
            request,
            Problem(503, "roads_away", headers=headers),
            problem(503, "roads_away", sentence, headers=headers),
        )

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        return shown(request, error, http_problem(error, language(request), method=request.method))
