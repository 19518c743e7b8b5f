"""The API's contract: its routes, and the document that tells them."""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from dmr.openapi import OpenAPIConfig, build_schema
from dmr.routing import Router

CONTEXTS = (
    "accounts",
    "workspace",
    "catalog",
    "environments",
    "calendars",
    "changes",
    "exchange",
    "interfaces",
)
"""Contexts that have doors to the outside, in the order of their addresses."""


def every(room: str, name: str) -> list[Any]:
    """Return what the rooms of this name hold under another, context after context."""
    found: list[Any] = []
    for context in CONTEXTS:
        module = f"fairway.{context}.{room}"
        if find_spec(module):
            found += getattr(import_module(module), name)
    return found


router = Router("api/v1/", every("api", "urls"))


@cache
def plain() -> dict[str, Any]:
    """Return the OpenAPI document as plain values.

    It is made when it is first asked for: that takes seconds, and most programs never ask.
    """
    config = OpenAPIConfig(
        title="Fairway", version="1", description="Change, release and environment management"
    )
    found: dict[str, Any] = json.loads(json.dumps(build_schema(router, config=config).convert()))
    return found


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """Hand out the document."""
    return HttpResponse(json.dumps(plain(), ensure_ascii=False), content_type="application/json")


def document() -> str:
    """Return the OpenAPI document, sorted and indented, so that a difference reads line by line."""
    return json.dumps(plain(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
