"""The list of environments: its columns, and what is edited in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fairway.audit.commands import Command, convert
from fairway.environments import commands, queries
from fairway.environments.models import Environment
from fairway.environments.words import CONTROL, STATES
from fairway.kernel.actor import Actor
from fairway.ui.templatetags.ui import keylink, state
from fairway.workspace import queries as workspace
from fairway.workspace.grids import Column, Field, Grid


def as_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the list of environments as the grid takes it."""
    return {
        **row,
        "key": row["slug"],
        "href": f"/environments/{row['slug']}",
        "place": row["organisation_id"],
    }


def _name(row: Mapping[str, Any]) -> Any:
    if not row["shared"]:
        return format_html("<span>{}</span>", row["name"])
    return format_html('<span>{} <span class="fw-note">{}</span></span>', row["name"], _("shared"))


def _status(row: Mapping[str, Any]) -> Any:
    return state(STATES[row["status"]], str(Environment.Status(row["status"]).label))


def _control(row: Mapping[str, Any]) -> Any:
    label = Environment.Control(row["control"]).label
    return format_html('<span title="{}">{}</span>', CONTROL[row["control"]], label)


def _read(actor: Actor, key: str) -> dict[str, Any]:
    """:raises NotFound: no such environment for the actor."""
    found = queries.environment(actor, key)
    names = (
        "uid",
        "slug",
        "name",
        "status",
        "control",
        "tier",
        "zone",
        "shared",
        "version",
        "organisation_id",
    )
    row = {name: getattr(found, name) for name in names}
    return as_row({**row, "organisation__name": found.organisation.name, "items": ""})


SEARCHED = ("tier", "control", "status", "organisation", "shared", "q")


def asked_of(query: Mapping[str, str]) -> dict[str, str]:
    """Return those parameters of an address that filter the list."""
    return {n: query[n] for n in SEARCHED if query.get(n)} | workspace.own_filters(query)


def listed(actor: Actor, asked: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the environments that are asked for, in the order of the way to production."""
    rows = queries.in_order(actor)
    if not asked:
        return rows
    kept: set[str] = set()
    wanted = {**workspace.packed(asked), "limit": 1000, "count": False}
    while True:
        found = queries.environment_page(actor, convert(wanted, queries.EnvironmentQuery))
        kept |= {row["slug"] for row in found.rows}
        if not found.next:
            return [row for row in rows if row["slug"] in kept]
        wanted["cursor"] = found.next


def _match(actor: Actor, query: Mapping[str, str], most: int) -> list[str]:
    return [row["slug"] for row in listed(actor, asked_of(query))][:most]


def _edit(key: str, name: str, value: str, version: int | None) -> Command:
    return convert({"environment": key, "version": version, name: value}, commands.EditEnvironment)


ENVIRONMENTS = Grid(
    page="environments",
    path="/environments",
    columns=(
        Column("tier", gettext_lazy("Tier"), lambda row: Environment.Tier(row["tier"]).label),
        Column("key", gettext_lazy("Key"), lambda row: keylink(row["key"], row["href"])),
        Column("name", gettext_lazy("Name"), _name, style="is-wide is-title"),
        Column("status", gettext_lazy("Status"), _status),
        Column("control", gettext_lazy("Control level"), _control),
        Column("organisation", gettext_lazy("Organisation"), lambda row: row["organisation__name"]),
        Column("zone", gettext_lazy("Time zone"), lambda row: row["zone"]),
        Column("items", gettext_lazy("Items"), lambda row: row["items"], numeric=True),
    ),
    fields=(
        Field("name", gettext_lazy("Name"), lambda row: row["name"], many=False),
        Field(
            "status",
            gettext_lazy("Status"),
            lambda row: row["status"],
            lambda actor: Environment.Status.choices,
        ),
        Field(
            "control",
            gettext_lazy("Control level"),
            lambda row: row["control"],
            lambda actor: Environment.Control.choices,
        ),
        Field("zone", gettext_lazy("Time zone"), lambda row: row["zone"]),
    ),
    permission="environments.edit",
    read=_read,
    match=_match,
    edit=_edit,
    archive=lambda key: commands.ArchiveEnvironment(environment=key),
)
