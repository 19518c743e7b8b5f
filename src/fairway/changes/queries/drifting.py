"""Drift as it is listed and read."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.catalog.commands import ItemPatch, patch_of
from fairway.changes.models import Drift
from fairway.kernel.actor import Actor
from fairway.kernel.errors import NotFound
from fairway.kernel.listing import Column, Listing, ListQuery, Page, search_words
from fairway.workspace import queries as workspace

DRIFTS = Listing(
    columns={
        "number": Column("number", "number", sorts=True),
        "item": Column("item__slug", sorts=True, refers=accounts.by_slug, through="item"),
        "state": Column("state", sorts=True, choices=tuple(Drift.State.values)),
        "source": Column("source", sorts=True),
        "field": Column("field", sorts=True),
        "organisation": Column("organisation__slug", refers=accounts.by_slug, through="organisation"),
        "first_seen": Column("first_seen", "instant", sorts=True),
        "last_seen": Column("last_seen", "instant", sorts=True),
    },
    values=(
        "uid", "number", "state", "source", "field", "recorded", "observed", "first_seen", "last_seen",
        "count", "reason", "version", "created_at", "archived_at", "organisation_id", "organisation__uid",
        "organisation__slug", "organisation__name", "item__uid", "item__slug", "item__name",
        "item__item_kind__slug", "item__organisation_id", "change__number", "change__uid", "change__title",
        "change__organisation_id",
    ),
    sort="-last_seen",
    search=search_words("item__name_folded", "item__slug", "field", "source"),
)  # fmt: skip


for _column in ("recorded", "observed"):
    audit.veil("changes.Drift", _column, workspace.veil_of("item"))


class DriftQuery(ListQuery, kw_only=True, columns=DRIFTS.columns):
    """Filters of the list of drift: `q` finds words in item, field and source."""

    item: str = ""
    item__in: str = ""
    state: str = ""
    state__in: str = ""
    source: str = ""
    field: str = ""
    organisation: str = ""
    first_seen__gte: str = ""
    last_seen__gte: str = ""
    last_seen__lt: str = ""


def drift_page(actor: Actor, query: DriftQuery) -> Page:
    """Return one page of drift on items that the actor sees, as plain values they may see."""
    found = accounts.visible(Drift.objects.all(), actor, "item__organisation_id")
    page = DRIFTS.page(accounts.visible(found, actor), query)
    sees = accounts.access(actor)
    rows = []
    for row in page.rows:
        seen = _seen(actor, row["item__organisation_id"], row["item__item_kind__slug"], row)
        if row["change__organisation_id"] is not None and not sees.may(
            "changes.view", row["change__organisation_id"]
        ):
            seen |= {"change__number": None, "change__uid": None, "change__title": None}
        rows.append({**row, **seen})
    return replace(page, rows=rows)


def drift(actor: Actor, reference: str) -> Drift:
    """Return a drift by key or uid.

    :raises NotFound: there is none, or the actor may not see it.
    """
    lookup = Drift.lookup(reference)
    found = None
    if lookup is not None:
        query = Drift.objects.select_related(
            "item__organisation", "item__item_kind", "organisation", "change"
        )
        seen = accounts.visible(query.filter(**lookup), actor)
        found = accounts.visible(seen, actor, "item__organisation_id").first()
    if found is None:
        raise NotFound(f"There is no drift “{reference[:100]}”.")
    return found


def values_of(actor: Actor, found: Drift) -> tuple[Any, Any]:
    """Return what is recorded and what was seen, as far as the actor may see the field."""
    row = {"field": found.field, "recorded": found.recorded, "observed": found.observed}
    seen = _seen(actor, found.item.organisation_id, found.item.item_kind.slug, row)
    return seen["recorded"], seen["observed"]


def _seen(actor: Actor, organisation: int, kind: str, row: Any) -> dict[str, Any]:
    if not row["field"].startswith("attributes."):
        return {"recorded": row["recorded"], "observed": row["observed"]}
    name = row["field"].removeprefix("attributes.")
    told = workspace.shown(
        actor,
        "item",
        [workspace.Holder(organisation, kind, row[column]) for column in ("recorded", "observed")],
    )
    return {"recorded": told[0].get(name), "observed": told[1].get(name)}


def drift_digest(value: Any) -> str:
    """Name a value, so that the same one is known again."""
    return sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def drift_value(value: Any) -> str:
    """Return a value as a person reads it."""
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def patch_from(found: Drift) -> ItemPatch:
    """Return the patch that makes of the item what was seen."""
    head, _, rest = found.field.partition(".")
    if head == "attributes":
        return patch_of({"attributes": found.observed})
    if head == "relation":
        kind, _, target = rest.partition(":")
        name = "relate" if found.observed is not None else "unrelate"
        return patch_of({name: [{"kind": kind, "target": target}]})
    return patch_of({head: found.observed})
