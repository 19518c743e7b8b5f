"""The list of items: its columns, and what is edited in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.template import Context
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, convert
from fairway.catalog import commands, queries
from fairway.catalog.forms import CRITICALITIES
from fairway.catalog.models import ConfigurationItem
from fairway.catalog.pages.shared import state_of
from fairway.kernel.actor import Actor
from fairway.ui.templatetags.ui import ago, keylink, state
from fairway.workspace import queries as workspace
from fairway.workspace.grids import Column, Field, Grid

MOST_TEAMS = 200


def as_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the list of items as the grid takes it."""
    return {**row, "key": row["slug"], "href": f"/items/{row['slug']}", "place": row["organisation_id"]}


def _kind(row: Mapping[str, Any]) -> Any:
    if not row["shared"]:
        return row["item_kind__name"]
    return format_html('{} <span class="fw-note">{}</span>', row["item_kind__name"], _("shared"))


def _read(actor: Actor, key: str) -> dict[str, Any]:
    """:raises NotFound: no such item for the actor."""
    found = queries.item(actor, key)
    names = ("uid", "slug", "name", "status", "criticality", "shared", "version", "archived_at")
    more = ("external_id", "created_at", "organisation_id")
    team = found.owner_team
    return as_row(
        {
            **{name: getattr(found, name) for name in (*names, *more)},
            "organisation__name": found.organisation.name,
            "item_kind__name": found.item_kind.name,
            "owner_team__name": team.name if team else None,
            "owner_team__slug": team.slug if team else None,
        }
    )


def _match(actor: Actor, query: Mapping[str, str], most: int) -> list[str]:
    """Return the keys of the items that a query finds."""
    kept = {
        name: value
        for name, value in workspace.packed(query).items()
        if name in queries.ItemQuery.__struct_fields__
    }
    asked = convert({**kept, "cursor": "", "limit": 1000, "count": False}, queries.ItemQuery)
    found = queries.item_page(actor, asked)
    keys = [row["slug"] for row in found.rows]
    return [*keys, ""] if found.next else keys[:most]  # one more than is taken says: too many


def _edit(key: str, name: str, value: str, version: int | None) -> Command:
    told: Any = int(value) if name == "criticality" and value.isdecimal() and len(value) < 4 else value
    if name == "owner_team" and not value:
        told = None
    return convert({"item": key, "version": version, name: told}, commands.EditItem)


def _teams(actor: Actor) -> list[tuple[str, Any]]:
    teams = accounts.teams(actor).values_list("slug", "name")[:MOST_TEAMS]
    return [("", _("none")), *((slug, name) for slug, name in teams)]


ITEMS = Grid(
    page="items",
    path="/items",
    columns=(
        Column("key", gettext_lazy("Key"), lambda row: keylink(row["key"], row["href"]), sort="key"),
        Column(
            "name",
            gettext_lazy("Name"),
            lambda row: format_html("<span>{}</span>", row["name"]),
            sort="name",
            style="is-wide is-title",
        ),
        Column("kind", gettext_lazy("Kind"), _kind, sort="kind"),
        Column(
            "status",
            gettext_lazy("Status"),
            lambda row: state(*state_of(row["status"], row["archived_at"])),
            sort="status",
        ),
        Column(
            "criticality",
            gettext_lazy("Criticality"),
            lambda row: row["criticality"],
            sort="criticality",
            numeric=True,
        ),
        Column(
            "organisation",
            gettext_lazy("Organisation"),
            lambda row: row["organisation__name"],
            sort="organisation",
        ),
        Column(
            "owner_team", gettext_lazy("Owner"), lambda row: row["owner_team__name"] or "", sort="owner_team"
        ),
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
        Field("name", gettext_lazy("Name"), lambda row: row["name"], many=False),
        Field(
            "status",
            gettext_lazy("Status"),
            lambda row: row["status"],
            lambda actor: ConfigurationItem.Status.choices,
        ),
        Field(
            "criticality",
            gettext_lazy("Criticality"),
            lambda row: str(row["criticality"]),
            lambda actor: [(str(value), word) for value, word in CRITICALITIES],
        ),
        Field("owner_team", gettext_lazy("Owner"), lambda row: row["owner_team__slug"] or "", _teams),
    ),
    permission="catalog.edit",
    read=_read,
    match=_match,
    edit=_edit,
    archive=lambda key: commands.ArchiveItem(item=key),
)
