"""All addresses: each context's pages and its part of the API."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import include, path
from django.views.defaults import page_not_found
from dmr.openapi import OpenAPIConfig, build_schema
from dmr.openapi.views import OpenAPIJsonView
from dmr.routing import Router

from fairway.accounts.web import problem_response
from fairway.kernel.errors import NotFound
from fairway.ui.urls import urlpatterns as styleguide

CONTEXTS = (
    "accounts",
    "workspace",
    "catalog",
    "environments",
    "calendars",
    "claims",
    "changes",
    "exchange",
    "interfaces",
)
"""Contexts that have doors to the outside, in the order of their addresses."""


def _all(room: str, name: str) -> list[Any]:
    found: list[Any] = []
    for context in CONTEXTS:
        module = f"fairway.{context}.{room}"
        if find_spec(module):
            found += getattr(import_module(module), name)
    return found


def nowhere(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer an address that there is not: below /api/ in the API's words, else with the page."""
    if request.path_info.startswith("/api/"):
        return problem_response(
            NotFound(f"There is no {request.path[:100]}; see /api/v1/openapi.json."), request
        )
    return page_not_found(request, exception)


handler404 = nowhere
router = Router("api/v1/", _all("api", "urls"))
schema = build_schema(
    router,
    config=OpenAPIConfig(
        title="Fairway", version="1", description="Change, release and environment management"
    ),
)
# Addresses are tried one after the other: what pipelines ask again and again stands first.
addresses = sorted(router.urls, key=lambda address: getattr(address, "name", "") != "decide")
urlpatterns = [
    path("api/v1/openapi.json", OpenAPIJsonView.as_view(schema), name="openapi"),
    path(router.prefix, include((addresses, "api"))),
    *_all("pages", "urlpatterns"),
    *(styleguide if settings.DEBUG else ()),
]
