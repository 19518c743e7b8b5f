"""All addresses: each context's pages and its part of the API."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, path
from django.views.defaults import bad_request, page_not_found, server_error

from fairway.accounts.web import problem_response
from fairway.interfaces.contract import every, openapi, router
from fairway.kernel.errors import Malformed, NotFound, Problem
from fairway.kernel.routing import Ways
from fairway.ui.urls import urlpatterns as styleguide


def nowhere(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer an address that there is not: below /api/ in the API's words, else with the page."""
    if request.path_info.startswith("/api/"):
        return problem_response(
            NotFound(f"There is no {request.path[:100]}; see /api/v1/openapi.json."), request
        )
    return page_not_found(request, exception)


def unreadable(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer what is refused before anything reads it, such as a name that this server does not go by."""
    if request.path_info.startswith("/api/"):
        told = "The request cannot be read, or its Host is no name of this server (FAIRWAY_HOSTS)."
        return problem_response(Malformed(told), request)
    return bad_request(request, exception)


def broken(request: HttpRequest) -> HttpResponseBase:
    """Answer where we failed."""
    if request.path_info.startswith("/api/"):
        told = "Something broke on our side; tell whoever runs this server when that was, and try again."
        return problem_response(Problem(told, code="broken", title="Broken"), request)
    return server_error(request)


handler400, handler404, handler500 = unreadable, nowhere, broken
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/openapi.json", openapi, name="openapi"),
    Ways(router.prefix, router.urls, app="api"),
    Ways("", [*every("pages", "urlpatterns"), *(styleguide if settings.DEBUG else ())]),
]
