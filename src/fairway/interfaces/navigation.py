"""The navigation rail: what this person can go to."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Return the entries of the rail in the order of the day; `here` marks the current one."""
    path = request.path
    entries = [
        {"key": "home", "label": _("My work"), "href": "/", "here": path == "/", "icon": "inbox"},
        {"key": "calendar", "label": _("Calendar"), "href": "/calendar", "icon": "calendar"},
        {"key": "changes", "label": _("Changes"), "href": "/changes", "icon": "change"},
        {"key": "environments", "label": _("Environments"), "href": "/environments", "icon": "environment"},
        {"key": "catalogue", "label": _("Catalogue"), "href": "/items", "icon": "catalogue"},
        {"key": "conflicts", "label": _("Conflicts"), "href": "/conflicts", "icon": "conflict"},
        {"key": "windows", "label": _("Freezes"), "href": "/windows", "icon": "freeze"},
        {"key": "administration", "label": _("Administration"), "href": "/administration", "icon": "settings",
         "bottom": True},
    ]  # fmt: skip
    for entry in entries[1:]:
        entry["here"] = path == entry["href"] or path.startswith(f"{entry['href']}/")
    return {"nav": entries}
