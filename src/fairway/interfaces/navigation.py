"""The shell around a page, for whoever calls: the rail, the person, the reader's zone."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from fairway.accounts import queries
from fairway.accounts.web import actor_of
from fairway.changes import queries as changes
from fairway.ui.context import initials, rail
from fairway.workspace import queries as workspace

SECTIONS = {
    "/api": "/administration",
    "/catalogue-health": "/items",
    "/conflicts": "/calendar",
    "/drifts": "/items",
    "/environment-groups": "/environments",
    "/windows": "/calendar",
    "/working-calendars": "/calendar",
    "/waivers": "/calendar",
    "/waiver-quotas": "/calendar",
    "/events": "/administration",
    "/notifications": "/",
}
"""Pages that stand under another entry of the rail."""


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Return `nav`, `shell` and `zone` for the template; nothing where nobody is signed in."""
    actor = actor_of(request)
    if actor is None or actor.pk is None:
        return {}
    access = queries.access(actor)
    section = "/" + request.path.strip("/").partition("/")[0]
    new = [{"label": _("Change"), "href": "/changes/new"}] if access.may("changes.request", None) else []
    return {
        "zone": actor.zone,
        # counted where the rail is drawn, once
        "nav": rail(
            SECTIONS.get(section, request.path), counts={"work": cache(partial(changes.to_decide, actor))}
        ),
        "shell": {
            "person": {"name": actor.name, "initials": initials(actor.name), "note": actor.zone},
            "organisation": None,
            "new": new,
            "search": "/search",
            # counted where the bell is drawn: panels have none
            "notifications": {"href": "/notifications", "count": partial(workspace.bell, actor)},
            "profile": "/me",
            "sign_out": "/sign-out",
        },
    }
