"""Kinds of items and relations over the API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from django.http import HttpResponse
from django.urls import path
from dmr import Body, Path, Query
from msgspec import UNSET, Meta, UnsetType

from fairway.accounts.web import ApiController, DryRun, operation
from fairway.audit.commands import Command
from fairway.catalog import commands, queries
from fairway.catalog.api.shared import KeyPath
from fairway.catalog.models import ItemKind, RelationKind

Failure = Literal["to_source", "to_target", "both"]


class ItemKindView(msgspec.Struct, kw_only=True):
    """`shared_default`: a new item of this kind is one and the same in all environments.

    `strict`: its items hold no attributes but those that are defined.
    """

    key: str
    uid: str
    name: str
    description: str
    shared_default: bool
    strict: bool
    position: int
    version: int
    archived_at: datetime | None


class RelationKindView(msgspec.Struct, kw_only=True):
    """`failure`: it travels to_source, to_target or both. `reverse_name` reads from target to source."""

    key: str
    uid: str
    name: str
    reverse_name: str
    failure: str
    description: str
    position: int
    version: int
    archived_at: datetime | None


class ItemKinds(msgspec.Struct, kw_only=True):
    items: list[ItemKindView]


class RelationKinds(msgspec.Struct, kw_only=True):
    items: list[RelationKindView]


class ItemKindPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    shared_default: bool | UnsetType = UNSET
    strict: bool | UnsetType = UNSET


class RelationKindPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Another direction of failure changes every impact at once."""

    name: str | UnsetType = UNSET
    reverse_name: str | UnsetType = UNSET
    failure: Failure | UnsetType = UNSET
    description: str | UnsetType = UNSET


class KindQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`archived=true`: the kinds put away. There are never so many that they come in pages."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 1000
    archived: Literal["", "true", "false"] = ""


def _item_kind(row: Mapping[str, Any]) -> ItemKindView:
    same = {name: row[name] for name in ItemKindView.__struct_fields__ if name not in {"key", "uid"}}
    return ItemKindView(key=row["slug"], uid=str(row["uid"]), **same)


def _relation_kind(row: Mapping[str, Any]) -> RelationKindView:
    same = {name: row[name] for name in RelationKindView.__struct_fields__ if name not in {"key", "uid"}}
    return RelationKindView(key=row["slug"], uid=str(row["uid"]), **same)


def _one(controller: ApiController, found: ItemKind | RelationKind, *, status: int = 200) -> HttpResponse:
    row = {field.attname: getattr(found, field.attname) for field in found._meta.concrete_fields}
    view = _item_kind(row) if isinstance(found, ItemKind) else _relation_kind(row)
    location = f"/api/v1/{found.kind}s/{found.slug}" if status == 201 else ""
    return controller.answer(view, status=status, version=found.version, location=location)


def _run(
    controller: ApiController,
    command: Command,
    model: type[ItemKind] | type[RelationKind],
    key: str,
    *,
    dry_run: bool,
    status: int = 200,
) -> HttpResponse:
    if dry_run:
        return controller.preview(command)
    controller.run(command)
    return _one(controller, queries.kind(model, key), status=status)  # type: ignore[type-var]  # one of two


class ItemKindsController(ApiController):
    """Kinds of items."""

    @operation("catalog.view", ItemKinds)
    def get(self, parsed_query: Query[KindQuery]) -> HttpResponse:
        """List the kinds of items."""
        rows = queries.kinds(archived=parsed_query.archived == "true")
        return self.answer(ItemKinds(items=[_item_kind(row) for row in rows[: parsed_query.limit]]))

    @operation("catalog.configure", ItemKindView, status=201, etag=True, dry_run=True)
    def post(self, parsed_body: Body[commands.CreateItemKind], parsed_query: Query[DryRun]) -> HttpResponse:
        """Add a kind of items."""
        return _run(self, parsed_body, ItemKind, parsed_body.key, dry_run=parsed_query.dry_run, status=201)


class ItemKindController(ApiController):
    """One kind of items."""

    @operation("catalog.view", ItemKindView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a kind of items by key or uid."""
        return _one(self, queries.kind(ItemKind, parsed_path.key))

    @operation("catalog.configure", ItemKindView, etag=True, dry_run=True)
    def patch(
        self, parsed_path: Path[KeyPath], parsed_body: Body[ItemKindPatch], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Change what is given."""
        given = msgspec.structs.asdict(parsed_body)
        command = commands.EditItemKind(kind=parsed_path.key, version=self.expected(), **given)
        return _run(self, command, ItemKind, parsed_path.key, dry_run=parsed_query.dry_run)

    @operation("catalog.configure", ItemKindView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Archive a kind of items; refused while live items are of it."""
        command = commands.ArchiveItemKind(kind=parsed_path.key, version=self.expected())
        return _run(self, command, ItemKind, parsed_path.key, dry_run=parsed_query.dry_run)


class RestoreItemKindController(ApiController):
    """The step restore."""

    @operation("catalog.configure", ItemKindView, etag=True, dry_run=True)
    def post(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Use an archived kind of items again."""
        command = commands.RestoreItemKind(kind=parsed_path.key)
        return _run(self, command, ItemKind, parsed_path.key, dry_run=parsed_query.dry_run)


class OrderItemKindsController(ApiController):
    """The order of the kinds of items."""

    @operation("catalog.configure", ItemKinds, dry_run=True)
    def post(self, parsed_body: Body[commands.OrderItemKinds], parsed_query: Query[DryRun]) -> HttpResponse:
        """Put the kinds of items in an order."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        self.run(parsed_body)
        return self.answer(ItemKinds(items=[_item_kind(row) for row in queries.kinds()]))


class RelationKindsController(ApiController):
    """Kinds of relations."""

    @operation("catalog.view", RelationKinds)
    def get(self, parsed_query: Query[KindQuery]) -> HttpResponse:
        """List the kinds of relations."""
        rows = queries.relation_kinds(archived=parsed_query.archived == "true")
        return self.answer(RelationKinds(items=[_relation_kind(row) for row in rows[: parsed_query.limit]]))

    @operation("catalog.configure", RelationKindView, status=201, etag=True, dry_run=True)
    def post(
        self, parsed_body: Body[commands.CreateRelationKind], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Add a kind of relations."""
        return _run(
            self, parsed_body, RelationKind, parsed_body.key, dry_run=parsed_query.dry_run, status=201
        )


class RelationKindController(ApiController):
    """One kind of relations."""

    @operation("catalog.view", RelationKindView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a kind of relations by key or uid."""
        return _one(self, queries.kind(RelationKind, parsed_path.key))

    @operation("catalog.configure", RelationKindView, etag=True, dry_run=True)
    def patch(
        self, parsed_path: Path[KeyPath], parsed_body: Body[RelationKindPatch], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Change what is given."""
        given = msgspec.structs.asdict(parsed_body)
        command = commands.EditRelationKind(kind=parsed_path.key, version=self.expected(), **given)
        return _run(self, command, RelationKind, parsed_path.key, dry_run=parsed_query.dry_run)

    @operation("catalog.configure", RelationKindView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Archive a kind of relations; refused while relations are of it."""
        command = commands.ArchiveRelationKind(kind=parsed_path.key, version=self.expected())
        return _run(self, command, RelationKind, parsed_path.key, dry_run=parsed_query.dry_run)


class RestoreRelationKindController(ApiController):
    """The step restore."""

    @operation("catalog.configure", RelationKindView, etag=True, dry_run=True)
    def post(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Use an archived kind of relations again."""
        command = commands.RestoreRelationKind(kind=parsed_path.key)
        return _run(self, command, RelationKind, parsed_path.key, dry_run=parsed_query.dry_run)


class OrderRelationKindsController(ApiController):
    """The order of the kinds of relations."""

    @operation("catalog.configure", RelationKinds, dry_run=True)
    def post(
        self, parsed_body: Body[commands.OrderRelationKinds], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Put the kinds of relations in an order."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        self.run(parsed_body)
        rows = queries.relation_kinds(archived=False)
        return self.answer(RelationKinds(items=[_relation_kind(row) for row in rows]))


urls = [
    path("item-kinds", ItemKindsController.as_view(), name="item-kinds"),
    path("item-kinds/order", OrderItemKindsController.as_view(), name="item-kind-order"),
    path("item-kinds/<str:key>", ItemKindController.as_view(), name="item-kind"),
    path("item-kinds/<str:key>/restore", RestoreItemKindController.as_view(), name="item-kind-restore"),
    path("relation-kinds", RelationKindsController.as_view(), name="relation-kinds"),
    path("relation-kinds/order", OrderRelationKindsController.as_view(), name="relation-kind-order"),
    path("relation-kinds/<str:key>", RelationKindController.as_view(), name="relation-kind"),
    path(
        "relation-kinds/<str:key>/restore",
        RestoreRelationKindController.as_view(),
        name="relation-kind-restore",
    ),
]
