"""The list of changes: its columns, and what is edited in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.template import Context
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, convert
from fairway.changes import commands, queries
from fairway.changes.models import Change
from fairway.kernel.actor import Actor
from fairway.ui.templatetags.ui import ago, chip, keylink, state, when
from fairway.workspace import queries as workspace
from fairway.workspace.grids import Column, Field, Grid

MOST_PEOPLE = 200
PRIORITIES = [(str(level), str(level)) for level in (1, 2, 3, 4)]
TABS: dict[str, dict[str, str]] = {
    "open": {"open": "true"},
    "mine": {"mine": "true"},
    "waiting": {"waiting": "true"},
    "all": {},
}
APPROVED = ("title",)
"""Approved content: edited in its row while a draft only; later on the form, which tells what it voids."""


def as_rows(
    actor: Actor, found: Sequence[Mapping[str, Any]], told: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return rows of the list of changes as the grid takes them; `told`: what the list tells of each."""
    fixed = queries.fixed_in_rows(actor, [row["pk"] for row in found], APPROVED)
    return [
        {
            **row,
            **more,
            "place": row["organisation_id"],
            "where": more["place"],
            "when": when(Context({"zone": actor.zone}), more["start"], more["end"], brief=True),
            "fixed": fixed[row["pk"]],
        }
        for row, more in zip(found, told, strict=True)
    ]


def _where(row: Mapping[str, Any]) -> Any:
    item, parts = row["item"], []
    if item:
        parts.append(keylink(item["key"], item["href"]))
        if item["more"]:
            parts.append(format_html(' <span class="fw-note">+{}</span>', item["more"]))
    if row["where"]:
        parts.append(format_html(' <span class="fw-note">{}</span>', row["where"]))
    return format_html("{}" * len(parts), *parts) if parts else ""


def _conflicts(row: Mapping[str, Any]) -> Any:
    badge = row["badge"]
    return chip(badge["count"], badge["tone"]) if badge else ""


def _read(actor: Actor, key: str) -> dict[str, Any]:
    """:raises NotFound: no such change for the actor. :raises Forbidden: may not edit it.

    :raises Conflict: it is not edited in its state.
    """
    dossier = queries.dossier(actor, key)
    commands.permitted(dossier, "edit", actor)
    change = dossier.change
    return {
        **{
            name: getattr(change, name) for name in ("uid", "key", "title", "priority", "category", "version")
        },
        "href": f"/changes/{change.key}",
        "owner__name": change.owner.name if change.owner else None,
        "owner__number": change.owner.number if change.owner else None,
        "fixed": () if change.state == dossier.workflow.initial else APPROVED,
        "undoable": change.state == dossier.workflow.initial,
    }


def _match(actor: Actor, query: Mapping[str, str], most: int) -> list[str]:
    """Return the keys of the changes that a query finds."""
    kept = {
        name: value
        for name, value in workspace.packed(query).items()
        if name in queries.ChangeQuery.__struct_fields__
    }
    tab = TABS.get(query.get("tab", "open"), {})
    asked = convert({**kept, **tab, "cursor": "", "limit": 1000, "count": False}, queries.ChangeQuery)
    found = queries.change_page(actor, asked)
    keys = [f"{Change.prefix}-{row['number']}" for row in found.rows]
    return [*keys, ""] if found.next else keys[:most]  # one more than is taken says: too many


def _edit(key: str, name: str, value: str, version: int | None) -> Command:
    told: Any = int(value) if name == "priority" and value.isdecimal() and len(value) < 4 else value
    return convert({"change": key, "version": version, name: told}, commands.EditChange)


def _people(actor: Actor) -> list[tuple[str, Any]]:
    found = accounts.people(actor).filter(is_active=True, is_service=False).order_by("name", "pk")
    named = found.values_list("number", "name")[:MOST_PEOPLE]
    return [("", _("none")), *((f"USR-{number}", name) for number, name in named)]


def _owner(row: Mapping[str, Any]) -> str:
    return f"USR-{row['owner__number']}" if row["owner__number"] else ""


CHANGES = Grid(
    page="changes",
    path="/changes",
    columns=(
        Column("key", gettext_lazy("Key"), lambda row: keylink(row["key"], row["href"]), sort="key"),
        Column(
            "title",
            gettext_lazy("Title"),
            lambda row: format_html("<span>{}</span>", row["title"]),
            sort="title",
            style="is-wide is-title",
        ),
        Column("state", gettext_lazy("State"), lambda row: state(row["state"]), sort="state"),
        Column(
            "planned",
            gettext_lazy("Planned"),
            lambda row: row["when"],
            sort="planned_start",
            style="is-short",
            zoned=True,
        ),
        Column("where", gettext_lazy("Where"), _where, style="is-short is-fit"),
        Column("conflicts", gettext_lazy("Conflicts"), _conflicts),
        Column(
            "priority",
            gettext_lazy("Priority"),
            lambda row: row["priority"],
            sort="priority",
            numeric=True,
            usual=False,
        ),
        Column(
            "owner",
            gettext_lazy("Owner"),
            lambda row: row["owner__name"] or "",
            style="is-short is-fit is-less",
        ),
        Column("category", gettext_lazy("Category"), lambda row: row["category"], usual=False),
        Column("model", gettext_lazy("Model"), lambda row: row["model__name"], usual=False),
        Column(
            "organisation", gettext_lazy("Organisation"), lambda row: row["organisation__name"], usual=False
        ),
        Column("requester", gettext_lazy("Requester"), lambda row: row["requester__name"] or "", usual=False),
        Column("external_id", gettext_lazy("External id"), lambda row: row["external_id"], usual=False),
        Column(
            "created_at",
            gettext_lazy("Added"),
            lambda row: ago(Context(), row["created_at"]),
            sort="created_at",
            usual=False,
        ),
    ),
    fields=(
        Field("title", gettext_lazy("Title"), lambda row: row["title"], many=False),
        Field(
            "priority", gettext_lazy("Priority"), lambda row: str(row["priority"]), lambda actor: PRIORITIES
        ),
        Field("owner", gettext_lazy("Owner"), _owner, _people),
        Field("category", gettext_lazy("Category"), lambda row: row["category"]),
    ),
    permission="changes.request",
    read=_read,
    match=_match,
    edit=_edit,
    undoable=queries.any_draft,
)
