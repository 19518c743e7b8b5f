"""What pages of every context show of accounts: the tabs of administration, and the way to share a record."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from fairway.accounts import queries
from fairway.kernel.actor import Actor


def tabs(actor: Actor, current: str) -> list[dict[str, Any]]:
    """Return the parts of administration that the actor may see, for ui/tabs.html."""
    parts = [
        ("people", _("People"), ("accounts.view",)),
        ("service-accounts", _("Service accounts"), ("accounts.view",)),
        ("teams", _("Teams"), ("accounts.view",)),
        ("roles", _("Roles"), ("accounts.view",)),
        ("organisations", _("Organisations"), ("accounts.view",)),
        ("fields", _("Fields"), ("workspace.configure",)),
        ("kinds", _("Kinds"), ("catalog.configure",)),
        ("limits", _("Rate limits"), ("accounts.view",)),
        ("events", _("Event log"), ("audit.view",)),
        ("jobs", _("Jobs"), ("jobs.view",)),
        ("webhooks", _("Webhooks"), ("jobs.view",)),
        ("imports", _("Import"), ("catalog.import", "changes.import")),
    ]
    access = queries.access(actor)
    return [
        {"label": label, "href": f"/administration/{name}", "current": name == current}
        for name, label, permissions in parts
        if any(access.may(permission, None) for permission in permissions)
    ]


def share(actor: Actor, what: str, name: str) -> str:
    """Return where a link to a record is made, such as of `changes/CHG-7`; empty: the actor may make none."""
    if not queries.access(actor).may("accounts.share", None):
        return ""
    return "/shares?" + urlencode({"what": what, "name": name[:200]})
