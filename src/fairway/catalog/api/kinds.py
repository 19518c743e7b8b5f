"""Kinds of items and relations over the API."""

from __future__ import annotations

import msgspec
from django.http import HttpResponse
from django.urls import path

from fairway.accounts.web import ApiController, operation
from fairway.catalog import queries


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


urls = [
    path("item-kinds", ItemKindsController.as_view(), name="item-kinds"),
    path("relation-kinds", RelationKindsController.as_view(), name="relation-kinds"),
]
