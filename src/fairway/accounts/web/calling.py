"""Who calls: by token, or by the session of a page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.http import urlencode
from dmr import Controller
from dmr.endpoint import Endpoint
from dmr.metadata import EndpointMetadata
from dmr.openapi.objects import SecurityRequirement, SecurityScheme
from dmr.security.base import SyncAuth

from fairway.accounts import limits, queries
from fairway.accounts.models import User
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Forbidden, Unauthenticated
from fairway.kernel.refs import uuid7

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class ActorMiddleware:
    """Names every request, for the log too. What is answered to somebody is kept from shared caches."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response["X-Request-ID"] = request_id(request)
        if hasattr(request, "fairway_actor"):
            response.setdefault("Cache-Control", "private, no-cache")  # for this reader alone
        return response


def request_id(request: HttpRequest) -> str:
    """Return the request's name for the log: the caller's `X-Request-ID`, else one of ours."""
    known: str | None = getattr(request, "fairway_id", None)
    if known is None:
        given = request.META.get("HTTP_X_REQUEST_ID", "")  # not `headers`, which would be made for it
        known = given if 0 < len(given) <= 64 and given.isascii() and given.isprintable() else str(uuid7())
        request.fairway_id = known  # type: ignore[attr-defined]
    return known


def way_back(request: HttpRequest) -> str:
    """Return the path that takes back what this request did, for the toast that tells of it."""
    return f"/undo?{urlencode({'request': request_id(request)})}"


def actor_of(request: HttpRequest) -> Actor | None:
    """Return who calls by session, or None; found once per request."""
    if not hasattr(request, "fairway_actor"):
        user = getattr(request, "user", None)  # missing where it was refused before anybody asked who calls
        found = None
        if isinstance(user, User) and user.may_sign_in(datetime.now(UTC)):
            found = queries.person(user, request_id=request_id(request))
        request.fairway_actor = found  # type: ignore[attr-defined]
    actor: Actor | None = request.fairway_actor  # type: ignore[attr-defined]
    return actor


def caller(request: HttpRequest) -> Actor:
    """Return who calls a page.

    :raises Unauthenticated: nobody is signed in.
    """
    actor = actor_of(request)
    if actor is None:
        raise Unauthenticated("Sign in first.")
    return actor


def zone_of(actor: Actor | None) -> ZoneInfo:
    return ZoneInfo(actor.zone if actor else "UTC")


class BearerOrSession(SyncAuth):
    """A token in `Authorization: Bearer`, or the session of a page together with its CSRF token."""

    __slots__ = ()
    www_authenticate_challenge = "Bearer"

    def security_schemes(self, metadata: EndpointMetadata, controller_cls: Any) -> dict[str, Any]:
        return {"bearer": SecurityScheme(type="http", scheme="bearer", description="A Fairway token")}

    def security_requirements(
        self, metadata: EndpointMetadata, controller_cls: Any
    ) -> list[SecurityRequirement]:
        return [{"bearer": []}]

    def __call__(self, endpoint: Endpoint, controller: Controller[Any]) -> Self | None:
        """Find who calls; reads need the permission that the endpoint declares.

        Writes are refused by their commands, which leave a denial.

        :raises Forbidden: the CSRF token is missing, or the permission.
        """
        actor = authenticated(controller.request)
        if actor is None:
            return None
        access = queries.access(actor)  # found here, before any transaction, it is kept for all
        if controller.request.method not in UNSAFE:
            permission = str((endpoint.metadata.x_extensions or {}).get("x-permission", ""))
            if permission and not access.may(permission, None):
                queries.require(actor, permission, at=None)
        return self


def token_of(request: HttpRequest) -> str:
    """Return the token that a request brings, or nothing."""
    scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def authenticated(request: HttpRequest) -> Actor | None:
    """Return who calls the API, None for nobody.

    :raises Forbidden: by session, and the CSRF token is missing.
    """
    secret = token_of(request)
    if secret:
        actor = queries.bearer(secret, at=datetime.now(UTC), request_id=request_id(request))
    else:
        actor = actor_of(request)
        if actor is not None and request.method in UNSAFE:
            _check_csrf(request)
    if actor is not None:
        request.fairway_actor = actor  # type: ignore[attr-defined]
        if not hasattr(request, "fairway_limits"):  # counted once a request
            request.fairway_limits = limits.take(actor)  # type: ignore[attr-defined]
    return actor


def _check_csrf(request: HttpRequest) -> None:
    """Pages call the API with their session: then the CSRF token must come along.

    :raises Forbidden: it did not.
    """
    request.csrf_processing_done = False  # type: ignore[attr-defined]
    refusal = CsrfViewMiddleware(lambda _: HttpResponse()).process_view(request, _checked, (), {})
    if refusal is not None:
        raise Forbidden("The form's security token is missing or old; load the page again.", code="csrf")


def _checked(request: HttpRequest) -> HttpResponse:
    raise AssertionError("never called: only its not being exempt matters")
