"""Items, relations, their kinds, and impact over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from django.http import HttpResponse
from django.urls import path
from dmr import Body, Path, Query
from msgspec import UNSET, Meta, UnsetType

from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.catalog import commands, queries
from fairway.catalog.models import ConfigurationItem
from fairway.catalog.rules import Direction, Reached
from fairway.kernel.listing import picked

Criticality = Annotated[int, Meta(ge=1, le=4, description="1 (most critical) to 4")]
Status = Literal["planned", "live", "retired"]


class KeyPath(msgspec.Struct):
    key: str


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
    attributes: dict[str, Any] = {}


class ItemKindView(msgspec.Struct, kw_only=True):
    """`shared_default`: a new item of this kind is one and the same in all environments."""

    key: str
    uid: str
    name: str
    shared_default: bool


class RelationKindView(msgspec.Struct, kw_only=True):
    """`failure`: it travels to_source, to_target or both. `reverse_name` reads from target to source."""

    key: str
    uid: str
    name: str
    reverse_name: str
    failure: str


class ItemKinds(msgspec.Struct, kw_only=True):
    items: list[ItemKindView]


class RelationKinds(msgspec.Struct, kw_only=True):
    items: list[RelationKindView]


class RelationView(msgspec.Struct, kw_only=True):
    uid: str
    source: RefView
    target: RefView
    kind: RefView
    version: int
    created_at: datetime


class RelationList(msgspec.Struct, kw_only=True):
    items: list[RelationView]
    next: str | None
    count: int | UnsetType = UNSET


class ReachedView(msgspec.Struct, kw_only=True):
    """`path` holds both ends, `relations` the kind of each step; hidden is what another organisation has."""

    item: RefView
    depth: int
    criticality: int
    path: list[RefView]
    relations: list[str]


class LevelView(msgspec.Struct, kw_only=True):
    depth: int
    count: int
    worst_criticality: int


class ImpactView(msgspec.Struct, kw_only=True):
    """`items` holds at most `limit`, nearest and most critical first; `count` and `levels` count all."""

    item: RefView
    direction: str
    depth: int | None
    count: int
    worst_criticality: int | None
    levels: list[LevelView]
    items: list[ReachedView]


class ImpactQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    item: str
    direction: Direction = Direction.DOWNSTREAM
    depth: Annotated[int, Meta(ge=1, le=1000)] | None = None
    limit: Annotated[int, Meta(ge=0, le=5000)] = 1000


FIELDS = ItemView.__struct_fields__


def item_row(row: dict[str, Any], wanted: frozenset[str] | None = None) -> ItemRow:
    """Return a row of the list as the API tells it."""
    team = _ref("team", row, "owner_team") if row["owner_team__slug"] else None
    values = {
        "key": row["slug"],
        "uid": str(row["uid"]),
        "kind": _ref("item-kind", row, "item_kind"),
        "organisation": _ref("organisation", row, "organisation"),
        "owner_team": team,
    }
    names = FIELDS if wanted is None else wanted
    return ItemRow(**{name: values[name] if name in values else row[name] for name in names})


def _ref(kind: str, row: dict[str, Any], prefix: str) -> RefView:
    return RefView(
        kind=kind, key=row[f"{prefix}__slug"], name=row[f"{prefix}__name"], uid=str(row[f"{prefix}__uid"])
    )


def item_view(item: ConfigurationItem) -> ItemView:
    kind = item.item_kind
    return ItemView(
        key=item.slug,
        uid=str(item.uid),
        name=item.name,
        kind=RefView(kind="item-kind", key=kind.slug, name=kind.name, uid=str(kind.uid)),
        status=item.status,
        criticality=item.criticality,
        shared=item.shared,
        description=item.description,
        organisation=ref_view(item.organisation.ref()),
        owner_team=ref_view(item.owner_team.ref()) if item.owner_team else None,
        external_id=item.external_id,
        attributes=item.attributes,
        version=item.version,
        created_at=item.created_at,
        archived_at=item.archived_at,
    )


def relation_view(row: dict[str, Any]) -> RelationView:
    return RelationView(
        uid=str(row["uid"]),
        source=_ref("item", row, "source"),
        target=_ref("item", row, "target"),
        kind=_ref("relation-kind", row, "relation_kind"),
        version=row["version"],
        created_at=row["created_at"],
    )


def _item(controller: ApiController, key: str, *, status: int = 200) -> HttpResponse:
    found = queries.item(controller.actor, key)
    location = f"/api/v1/items/{found.slug}" if status == 201 else ""
    return controller.answer(item_view(found), status=status, version=found.version, location=location)


class ItemsController(ApiController):
    """Configuration items."""

    @operation("catalog.view", ItemList)
    def get(self, parsed_query: Query[queries.ItemQuery]) -> HttpResponse:
        """List items; `q` finds words in name, key and external id."""
        wanted = picked(parsed_query, FIELDS)
        page = queries.item_page(self.actor, parsed_query)
        return self.page(page, [item_row(row, wanted) for row in page.rows])

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


class ItemKindsController(ApiController):
    """Kinds of items."""

    @operation("catalog.view", ItemKinds)
    def get(self) -> HttpResponse:
        """List all kinds of items."""
        rows = [
            ItemKindView(
                key=row["slug"], uid=str(row["uid"]), name=row["name"], shared_default=row["shared_default"]
            )
            for row in queries.kinds()
        ]
        return self.answer(ItemKinds(items=rows))


class RelationKindsController(ApiController):
    """Kinds of relations."""

    @operation("catalog.view", RelationKinds)
    def get(self) -> HttpResponse:
        """List all kinds of relations."""
        rows = [
            RelationKindView(
                key=row["slug"],
                uid=str(row["uid"]),
                name=row["name"],
                reverse_name=row["reverse_name"],
                failure=row["failure"],
            )
            for row in queries.relation_kinds()
        ]
        return self.answer(RelationKinds(items=rows))


def _relation(controller: ApiController, uid: str, *, status: int = 200) -> HttpResponse:
    found = queries.relation(controller.actor, uid)
    kind = found.relation_kind
    view = RelationView(
        uid=str(found.uid),
        source=ref_view(found.source.ref()),
        target=ref_view(found.target.ref()),
        kind=RefView(kind="relation-kind", key=kind.slug, name=kind.name, uid=str(kind.uid)),
        version=found.version,
        created_at=found.created_at,
    )
    location = f"/api/v1/relations/{found.uid}" if status == 201 else ""
    return controller.answer(view, status=status, version=found.version, location=location)


class RelationsController(ApiController):
    """Relations between items."""

    @operation("catalog.view", RelationList)
    def get(self, parsed_query: Query[queries.RelationQuery]) -> HttpResponse:
        """List the relations of which the caller sees both ends."""
        page = queries.relation_page(self.actor, parsed_query)
        return self.page(page, [relation_view(row) for row in page.rows])

    @operation("catalog.edit", RelationView, status=201, etag=True, dry_run=True)
    def post(self, parsed_body: Body[commands.CreateRelation], parsed_query: Query[DryRun]) -> HttpResponse:
        """Join a source to a target."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        outcome = self.run(parsed_body)
        return _relation(self, outcome.subject.uid if outcome.subject else "", status=201)


class RelationController(ApiController):
    """One relation."""

    @operation("catalog.view", RelationView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a relation by uid."""
        return _relation(self, parsed_path.key)

    @operation("catalog.edit", RelationView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Take a relation away; answers what it was."""
        command = commands.RemoveRelation(relation=parsed_path.key, version=self.expected())
        if parsed_query.dry_run:
            return self.preview(command)
        answer = _relation(self, parsed_path.key)
        self.run(command)
        return answer


def reached_view(one: Reached, kinds: dict[int, str]) -> ReachedView:
    return ReachedView(
        item=ref_view(one.item),
        depth=one.depth,
        criticality=one.criticality,
        path=[ref_view(ref) for ref in one.path],
        relations=[kinds[kind] for kind in one.relations],
    )


class ImpactController(ApiController):
    """What a failure reaches, and what an item needs."""

    @operation("catalog.view", ImpactView)
    def get(self, parsed_query: Query[ImpactQuery]) -> HttpResponse:
        """Walk from an item: downstream is what its failure reaches, upstream what it needs."""
        asked = parsed_query
        item = queries.item(self.actor, asked.item)
        found = queries.impact(
            self.actor, item, direction=asked.direction, depth=asked.depth, limit=asked.limit
        )
        kinds = {row["pk"]: row["slug"] for row in queries.relation_kinds()}
        levels = [
            LevelView(depth=level.depth, count=level.count, worst_criticality=level.worst)
            for level in found.levels
        ]
        view = ImpactView(
            item=ref_view(found.item),
            direction=str(found.direction),
            depth=found.depth,
            count=found.total,
            worst_criticality=found.worst,
            levels=levels,
            items=[reached_view(one, kinds) for one in found.reached],
        )
        return self.answer(view)


urls = [
    path("items", ItemsController.as_view(), name="items"),
    path("items/<str:key>", ItemController.as_view(), name="item"),
    path("item-kinds", ItemKindsController.as_view(), name="item-kinds"),
    path("relations", RelationsController.as_view(), name="relations"),
    path("relations/<str:key>", RelationController.as_view(), name="relation"),
    path("relation-kinds", RelationKindsController.as_view(), name="relation-kinds"),
    path("impact", ImpactController.as_view(), name="impact"),
]
