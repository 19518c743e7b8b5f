"""What every page of the shell needs: the reader's zone and theme, the rail, and the person.

`interfaces` may register a context processor after this one that gives other values under the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

THEMES = ("light", "dark", "system")

RAIL: tuple[tuple[str, str | Promise, str, str, str], ...] = (
    ("work", _("My work"), "/", "inbox", "main"),
    ("calendar", _("Calendar"), "/calendar", "calendar", "main"),
    ("changes", _("Changes"), "/changes", "change", "main"),
    ("environments", _("Environments"), "/environments", "server", "main"),
    ("catalogue", _("Catalogue"), "/items", "boxes", "main"),
    ("administration", _("Administration"), "/administration", "settings", "bottom"),
)


def rail(
    path: str,
    *,
    hidden: Collection[str] = (),
    counts: Mapping[str, int | Callable[[], int]] | None = None,
    hrefs: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Return the entries of the rail in the order of the day, the current one marked by its path."""
    found = []
    for name, label, usual, icon, place in RAIL:
        if name in hidden:
            continue
        href = (hrefs or {}).get(name, usual)
        current = path == href or (href != "/" and path.startswith(href.rstrip("/") + "/"))
        count = (counts or {}).get(name)
        found.append(
            {
                "name": name,
                "label": label,
                "href": href,
                "icon": icon,
                "place": place,
                "current": current,
                "count": count,
            }
        )
    return found


def initials(name: str) -> str:
    """Return one or two capitals that stand for a person: first and last word of the name."""
    words = [word for word in name.replace(".", " ").replace("@", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def page(request: HttpRequest) -> dict[str, Any]:
    """Give `zone` (IANA), `theme`, `nav` and `shell` to every template."""
    theme = request.COOKIES.get("theme", "system")
    person = getattr(request, "user", None)
    signed_in = bool(person is not None and person.is_authenticated)
    name = str(person) if signed_in else ""
    return {
        "zone": getattr(request, "zone", None) or timezone.get_current_timezone_name(),
        "theme": theme if theme in THEMES else "system",
        "nav": rail(request.path) if signed_in else [],
        "shell": {
            "person": {"name": name, "initials": initials(name), "note": ""} if signed_in else None,
            "organisation": None,
            "new": [{"label": _("Change"), "href": "/changes/new"}],
            "search": "/search",
            "profile": "/me",
            "sign_out": "/sign-out",
        },
    }
