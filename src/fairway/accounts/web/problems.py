"""What went wrong, as the API tells it (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import DataError, IntegrityError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from dmr import HeaderSpec
from dmr.exceptions import (
    NotAcceptableError,
    NotAuthenticatedError,
    RequestSerializationError,
    ValidationError,
)

from fairway.accounts.web.shapes import decision_view
from fairway.audit.commands import invalid
from fairway.kernel.actor import Actor
from fairway.kernel.errors import (
    Busy,
    Conflict,
    FieldError,
    Invalid,
    Malformed,
    NotAcceptable,
    Problem,
    Refused,
    TooLarge,
    Unauthenticated,
    UnsupportedMedia,
)

PROBLEMS = {
    400: "The request cannot be read",
    401: "No or no valid token",
    403: "Not permitted",
    404: "No such thing, or not for the caller",
    406: "No such media type to answer with",
    409: "Not in this state, or refused by a decision",
    412: "The record changed since it was read",
    413: "Too large",
    415: "No such media type to read",
    422: "A field is wrong",
    428: "If-Match is needed",
    429: "Too many requests",
    503: "Too busy; try again",
}
PROBLEM_HEADERS = {
    401: {"WWW-Authenticate": HeaderSpec(required=False, description="How to authenticate")},
    429: {
        "Retry-After": HeaderSpec(required=False, description="Seconds to wait"),
        "RateLimit": HeaderSpec(required=False, description="Calls left (r), seconds till all are back (t)"),
        "RateLimit-Policy": HeaderSpec(required=False, description="Calls at once (q), in how many s (w)"),
    },
    503: {"Retry-After": HeaderSpec(required=False, description="Seconds to wait")},
}
JSON, PROBLEM_JSON = "application/json", "application/problem+json"
NDJSON, CSV, STREAM = "application/x-ndjson", "text/csv", "text/event-stream"


def problem_of(exc: Exception) -> Problem | None:
    """Return the problem that an exception stands for, or None for a fault of ours."""
    if isinstance(exc, Problem):
        return exc
    if isinstance(exc, ValidationError):
        errors = [_field_error(entry) for entry in exc.payload]
        return Invalid.fields(errors)
    if isinstance(exc, RequestSerializationError):
        text = str(exc.args[0]) if exc.args else "The request cannot be read."
        if "content type" in text.lower():
            return UnsupportedMedia("Send application/json.")
        return Malformed(text)
    if isinstance(exc, NotAuthenticatedError):
        return unauthenticated()
    if isinstance(exc, NotAcceptableError):
        return NotAcceptable("This answers application/json.")
    if isinstance(exc, RequestDataTooBig):
        return too_large()
    if isinstance(exc, MultiPartParserError | TooManyFilesSent | TooManyFieldsSent):
        return Malformed(f"The form cannot be read: {exc}"[:300])
    if isinstance(exc, RecursionError):
        return Malformed("The document is nested too deeply.")
    if isinstance(exc, OperationalError) and "locked" in str(exc):
        return Busy("Many are writing at this moment; try again.", headers={"Retry-After": "2"})
    if isinstance(exc, IntegrityError):
        return Conflict(
            "Somebody else wrote the same at this moment; read it again.", code="written-meanwhile"
        )
    if isinstance(exc, DataError):
        return Invalid("A value is out of range.")
    return None


def unauthenticated() -> Unauthenticated:
    return Unauthenticated(
        "Sign in, or send “Authorization: Bearer” with a valid token.", headers={"WWW-Authenticate": "Bearer"}
    )


def too_large() -> TooLarge:
    return TooLarge(f"A request holds at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20} MiB.")


def _field_error(entry: Mapping[str, Any]) -> FieldError:
    """Turn the library's entry into ours: the field without the name of the part that it stands in."""
    first = invalid(msgspec.ValidationError(entry["msg"])).errors[0]
    part, _, name = first.field.partition(".")
    if not part.startswith("parsed_"):
        return first
    return FieldError(name or part.removeprefix("parsed_"), first.message)


def problem_response(problem: Problem, request: HttpRequest) -> HttpResponse:
    """Return the problem details document; a refusal tells the findings that the caller may see."""
    document = problem.document()
    actor: Actor | None = getattr(request, "fairway_actor", None)
    if isinstance(problem, Refused) and problem.decision is not None and actor is not None:
        document["findings"] = decision_view(problem.decision, actor).findings
        document["decision"] = decision_view(problem.decision, actor)
    return HttpResponse(
        msgspec.json.encode(document),
        status=problem.status,
        content_type=PROBLEM_JSON,
        headers=problem.headers,
    )
