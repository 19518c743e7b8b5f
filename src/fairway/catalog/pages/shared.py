"""What the pages of the catalogue have in common."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from fairway.accounts import queries as accounts
from fairway.accounts.web import caller
from fairway.audit.commands import Command, execute
from fairway.catalog.models import ConfigurationItem
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid
from fairway.kernel.refs import Ref

STATES = {"planned": "planned", "live": "active", "retired": "retired"}


def reader(request: HttpRequest) -> Actor:
    """Return who reads.

    :raises Forbidden: they may not see items anywhere.
    """
    actor = caller(request)
    accounts.require(actor, "catalog.view", at=None)
    return actor


def state_of(status: str, archived: object) -> tuple[str, str]:
    """Return the face's name of a state and the word for it."""
    if archived:
        return "retired", _("Archived")
    return STATES[status], str(ConfigurationItem.Status(status).label)


def record_of(actor: Actor, item: ConfigurationItem) -> dict[str, Any]:
    href = f"/items/{item.slug}"
    state, word = state_of(item.status, item.archived_at)
    steps: list[dict[str, Any]] = []
    if accounts.access(actor).may("catalog.edit", item.organisation_id):
        if item.archived_at is None:
            steps = [
                {"name": "edit", "label": _("Edit"), "href": f"{href}/edit"},
                {"name": "relate", "label": _("Add relation"), "href": f"{href}/relate"},
                {
                    "name": "archive",
                    "label": _("Archive…"),
                    "url": f"{href}/archive",
                    "tone": "danger",
                    "fields": {"version": item.version},
                    "ask": {
                        "title": _("Archive %(key)s?") % {"key": item.slug},
                        "text": _(
                            "It stays on record, leaves lists and impact, and takes part in nothing new."
                        ),
                    },
                },
            ]
        else:
            steps = [
                {
                    "name": "restore",
                    "label": _("Use again"),
                    "url": f"{href}/restore",
                    "fields": {"version": item.version},
                }
            ]
    return {
        "key": item.slug,
        "href": href,
        "title": item.name,
        "kind": item.item_kind.name,
        "state": state,
        "state_word": word,
        "steps": steps,
    }


def tabs(key: str, here: str) -> list[dict[str, Any]]:
    return [
        {"label": _("Item"), "href": f"/items/{key}", "current": here == "record"},
        {"label": _("Impact"), "href": f"/items/{key}/impact", "current": here == "impact"},
        {"label": _("Graph"), "href": f"/items/{key}/graph", "current": False},
    ]


def submit(form: Any, command: Command, actor: Actor) -> tuple[Ref | None, int]:
    """Run the command of a form; return what came of it, or the status with the reasons put into the form."""
    try:
        return execute(command, actor=actor).subject, 200
    except (Invalid, Conflict) as problem:
        names = getattr(form, "aliases", {})
        for error in problem.errors:
            name = error.field.partition("[")[0]  # artefacts[2].purl: one of many that stand in one field
            name = names.get(name, name)
            form.add_error(name if name in form.fields else None, error.message)
        if not problem.errors:
            form.add_error(None, problem.detail)
        return None, problem.status


def version_of(request: HttpRequest) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
