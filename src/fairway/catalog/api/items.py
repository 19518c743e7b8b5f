"""Items over the API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query
from msgspec import UNSET, Meta, UnsetType

from fairway.accounts import queries as accounts
from fairway.accounts.bulk import Op, bulk
from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.catalog import commands, queries
from fairway.catalog.api.shared import KeyPath, ref_of
from fairway.kernel.actor import Actor
from fairway.kernel.listing import Page
from fairway.kernel.refs import HIDDEN, Ref
from fairway.workspace import queries as workspace

Criticality = Annotated[int, Meta(ge=1, le=4, description="1 (most critical) to 4")]


Status = Literal["planned", "live", "retired"]


class ItemView(msgspec.Struct, kw_only=True):
    """`shared`: one and the same in all environments."""

    key: str
    uid: str
    name: str
    kind: RefView
    status: str
    criticality: int
    shared: bool
    description: str
    organisation: RefView
    owner_team: RefView | None
    external_id: str
    alias: str
    vendor: RefView | None
    service_hours: str
    attributes: dict[str, Any]
    version: int
    created_at: datetime
    archived_at: datetime | None


class ItemRow(msgspec.Struct, kw_only=True):
    """An item in a list: all its fields, or those that `fields=` picked."""

    key: str | UnsetType = UNSET
    uid: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    kind: RefView | UnsetType = UNSET
    status: str | UnsetType = UNSET
    criticality: int | UnsetType = UNSET
    shared: bool | UnsetType = UNSET
    description: str | UnsetType = UNSET
    organisation: RefView | UnsetType = UNSET
    owner_team: RefView | UnsetType | None = UNSET
    external_id: str | UnsetType = UNSET
    alias: str | UnsetType = UNSET
    vendor: RefView | UnsetType | None = UNSET
    service_hours: str | UnsetType = UNSET
    attributes: dict[str, Any] | UnsetType = UNSET
    version: int | UnsetType = UNSET
    created_at: datetime | UnsetType = UNSET
    archived_at: datetime | UnsetType | None = UNSET


class ItemList(msgspec.Struct, kw_only=True):
    items: list[ItemRow]
    next: str | None
    count: int | UnsetType = UNSET


class ItemPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A JSON merge patch (RFC 7396)."""

    name: str | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    organisation: str | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    criticality: Criticality | UnsetType = UNSET
    shared: bool | UnsetType = UNSET
    description: str | UnsetType = UNSET
    owner_team: str | UnsetType | None = UNSET
    external_id: str | UnsetType = UNSET
    alias: str | UnsetType = UNSET
    vendor: str | UnsetType | None = UNSET
    service_hours: str | UnsetType = UNSET
    attributes: dict[str, Any] | UnsetType = UNSET


class ItemBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """All of an item but its key: what is left out is as for a new one. Without `shared` the kind decides."""

    name: str
    kind: str
    organisation: str | UnsetType = UNSET
    status: Status = "live"
    criticality: Criticality = 3
    shared: bool | None = None
    description: str = ""
    owner_team: str | None = None
    external_id: str = ""
    alias: str = ""
    vendor: str | None = None
    service_hours: str = ""
    attributes: dict[str, Any] = {}


FIELDS = ItemView.__struct_fields__


def item_rows(actor: Actor, rows: Sequence[dict[str, Any]]) -> list[ItemRow]:
    """Return rows of the list as the API tells them, with the attributes that the actor may see."""
    held = [
        workspace.Holder(row["organisation_id"], row["item_kind__slug"], row["attributes"]) for row in rows
    ]
    shown = workspace.shown(actor, "item", held)
    return [_row(actor, {**row, "attributes": values}) for row, values in zip(rows, shown, strict=True)]


def _vendor(actor: Actor, ref: Ref) -> RefView:
    return ref_view(ref if accounts.access(actor).sees(ref) else HIDDEN)


def _row(actor: Actor, row: dict[str, Any]) -> ItemRow:
    values = _values(actor, row)
    return ItemRow(**{name: values[name] if name in values else row[name] for name in FIELDS})


def _values(actor: Actor, row: dict[str, Any]) -> dict[str, Any]:
    """Return what the API tells otherwise than it stands in the row."""
    vendor = None
    if row["vendor__slug"]:
        ref = Ref(
            "item",
            row["vendor__slug"],
            row["vendor__name"],
            str(row["vendor__uid"]),
            None,
            row["vendor__organisation_id"],
        )
        vendor = _vendor(actor, ref)
    return {
        "key": row["slug"],
        "uid": str(row["uid"]),
        "kind": ref_of("item-kind", row, "item_kind"),
        "organisation": ref_of("organisation", row, "organisation"),
        "owner_team": ref_of("team", row, "owner_team") if row["owner_team__slug"] else None,
        "vendor": vendor,
    }


def item_view(actor: Actor, row: dict[str, Any]) -> ItemView:
    """Return an item as the API tells it, with the attributes that the actor may see."""
    values = _values(actor, row)
    held = workspace.Holder(row["organisation_id"], row["item_kind__slug"], row["attributes"])
    values["attributes"] = workspace.shown(actor, "item", [held])[0]
    return ItemView(**{name: values[name] if name in values else row[name] for name in FIELDS})


def _item(controller: ApiController, key: str, *, status: int = 200) -> HttpResponse:
    found = queries.item_row(controller.actor, key)
    location = f"/api/v1/items/{found['slug']}" if status == 201 else ""
    return controller.answer(
        item_view(controller.actor, found), status=status, version=found["version"], location=location
    )


class ItemsController(ApiController):
    """Configuration items."""

    @operation("catalog.view", ItemList, files=True)
    def get(self, parsed_query: Query[queries.ItemQuery]) -> HttpResponseBase:
        """List items; `q` finds words in name, key and external id."""

        def read(query: queries.ItemQuery) -> tuple[Page, list[ItemRow]]:
            page = queries.item_page(self.actor, query)
            return page, item_rows(self.actor, page.rows)

        return self.listed(parsed_query, read, FIELDS)

    @operation("catalog.edit", ItemView, status=201, etag=True, dry_run=True)
    def post(self, parsed_body: Body[commands.CreateItem], parsed_query: Query[DryRun]) -> HttpResponse:
        """Add an item."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        self.run(parsed_body)
        return _item(self, parsed_body.key, status=201)


class ItemController(ApiController):
    """One configuration item."""

    @operation("catalog.view", ItemView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read an item by key or uid."""
        return _item(self, parsed_path.key)

    @operation("catalog.edit", ItemView, etag=True, dry_run=True)
    def patch(
        self, parsed_path: Path[KeyPath], parsed_body: Body[ItemPatch], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Change what is given."""
        command = commands.EditItem(
            item=parsed_path.key, version=self.expected(), **msgspec.structs.asdict(parsed_body)
        )
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _item(self, parsed_path.key)

    @operation("catalog.edit", ItemView, also={201: ItemView}, etag=True, dry_run=True)
    def put(
        self, parsed_path: Path[KeyPath], parsed_body: Body[ItemBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Create or replace an item by its key; replacing needs If-Match."""
        known = queries.item_exists(self.actor, parsed_path.key)
        command = commands.PutItem(
            key=parsed_path.key,
            version=self.expected(required=known),
            **msgspec.structs.asdict(parsed_body),
        )
        if parsed_query.dry_run:
            return self.preview(command)
        outcome = self.run(command)
        return _item(self, parsed_path.key, status=201 if outcome.created else 200)

    @operation("catalog.edit", ItemView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Archive an item; it stays on record."""
        command = commands.ArchiveItem(item=parsed_path.key, version=self.expected())
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _item(self, parsed_path.key)


OPS = {
    "create": Op(commands.CreateItem),
    "put": Op(commands.PutItem, "key", ItemBody),
    "patch": Op(commands.EditItem, "item", versioned=True),
    "archive": Op(commands.ArchiveItem, "item", versioned=True),
}

urls = [
    path("items", ItemsController.as_view(), name="items"),
    path("items/bulk", bulk("catalog.edit", OPS, what="items").as_view(), name="items-bulk"),
    path("items/<str:key>", ItemController.as_view(), name="item"),
]
