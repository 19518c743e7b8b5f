"""The list of freezes and maintenance windows: its columns, and what is edited in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fairway.audit.commands import Command, convert
from fairway.calendars import commands, queries
from fairway.calendars.models import Window
from fairway.kernel.actor import Actor
from fairway.ui.templatetags.ui import keylink
from fairway.workspace.grids import Column, Field, Grid


def _scope(row: Mapping[str, Any]) -> Any:
    if not row["scope"]:
        return format_html('<span class="fw-note">{}</span>', _("everything"))
    return format_html('<span title="{}">{}</span>', row["scope"], row["scope"])


def _read(actor: Actor, key: str) -> dict[str, Any]:
    """:raises NotFound: no such window for the actor."""
    found = queries.window(actor, key)
    return {
        **{"uid": found.uid, "key": found.key, "href": f"/windows/{found.key}", "name": found.name},
        **{"version": found.version, "place": found.organisation_id},
    }


def _match(actor: Actor, query: Mapping[str, str], most: int) -> list[str]:
    """Return the keys of the windows that a query finds."""
    kept = {name: value for name, value in query.items() if name in queries.WindowQuery.__struct_fields__}
    asked = convert({**kept, "cursor": "", "limit": 1000, "count": False}, queries.WindowQuery)
    found = queries.window_page(actor, asked)
    keys = [f"{Window.prefix}-{row['number']}" for row in found.rows]
    return [*keys, ""] if found.next else keys[:most]  # one more than is taken says: too many


def _edit(key: str, name: str, value: str, version: int | None) -> Command:
    return convert({"window": key, "version": version, name: value}, commands.EditWindow)


WINDOWS = Grid(
    page="windows",
    path="/windows",
    columns=(
        Column("key", gettext_lazy("Key"), lambda row: keylink(row["key"], row["href"]), sort="number"),
        Column(
            "name",
            gettext_lazy("Name"),
            lambda row: format_html("<span>{}</span>", row["name"]),
            sort="name",
            style="is-wide is-title",
        ),
        Column("kind", gettext_lazy("Kind"), lambda row: row["kind"], sort="kind", style="is-short"),
        Column("when", gettext_lazy("When"), lambda row: row["when"], sort="starts_at"),
        Column("scope", gettext_lazy("Holds for"), _scope, style="is-short is-fit"),
        Column(
            "organisation",
            gettext_lazy("Organisation"),
            lambda row: row["organisation"],
            style="is-short is-less",
        ),
    ),
    fields=(Field("name", gettext_lazy("Name"), lambda row: row["name"], many=False),),
    permission="calendars.edit",
    read=_read,
    match=_match,
    edit=_edit,
    archive=lambda key: commands.ArchiveWindow(window=key),
)
