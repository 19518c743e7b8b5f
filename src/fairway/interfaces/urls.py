"""All addresses: each context's pages and its part of the API."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, path
from django.views.defaults import page_not_found

from fairway.accounts.web import problem_response
from fairway.interfaces.contract import every, openapi, router
from fairway.kernel.errors import NotFound
from fairway.kernel.routing import Ways
from fairway.ui.urls import urlpatterns as styleguide


def nowhere(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer an address that there is not: below /api/ in the API's words, else with the page."""
    if request.path_info.startswith("/api/"):
        return problem_response(
            NotFound(f"There is no {request.path[:100]}; see /api/v1/openapi.json."), request
        )
    return page_not_found(request, exception)


handler404 = nowhere
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/openapi.json", openapi, name="openapi"),
    Ways(router.prefix, router.urls, app="api"),
    Ways("", [*every("pages", "urlpatterns"), *(styleguide if settings.DEBUG else ())]),
]
