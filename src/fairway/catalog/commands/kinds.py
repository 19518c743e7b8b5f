"""What can be done to kinds of items and of relations; they hold in the whole tree."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from msgspec import UNSET, UnsetType

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan, expect
from fairway.catalog import queries
from fairway.catalog.events import CatalogEvent
from fairway.catalog.models import ConfigurationItem, ItemKind, Redundancy, Relation, RelationKind
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid
from fairway.kernel.text import line, slug

PERMISSION = "catalog.configure"
MOST = 200


class CreateItemKind(Command, name=CatalogEvent.ITEM_KIND_CREATE):
    """Add a kind of items. `strict`: its items hold no attributes but those that are defined."""

    permission: ClassVar[str] = PERMISSION
    key: str
    name: str
    description: str = ""
    shared_default: bool = False
    strict: bool = False

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        _allowed(actor)
        values = _words(self.name, self.description)
        made = ItemKind(
            slug=_free(ItemKind, self.key), shared_default=self.shared_default, strict=self.strict, **values
        )
        return _added(made, ItemKind)


class EditItemKind(Command, name=CatalogEvent.ITEM_KIND_EDIT):
    """Change a kind of items; what is left out stays. Items that there are stay shared as they are."""

    permission: ClassVar[str] = PERMISSION
    kind: str
    version: int | None = None
    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    shared_default: bool | UnsetType = UNSET
    strict: bool | UnsetType = UNSET

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.kind(ItemKind, self.kind)
        _allowed(actor)
        expect(found, self.version)
        values = _words(self.name, self.description)
        for column in ("shared_default", "strict"):
            if (value := getattr(self, column)) is not UNSET:
                values[column] = value
        return Plan(subject=found, change=[(found, values)])


class ArchiveItemKind(Command, name=CatalogEvent.ITEM_KIND_ARCHIVE):
    """Take a kind of items out of use; refused while live items are of it."""

    permission: ClassVar[str] = PERMISSION
    kind: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.kind(ItemKind, self.kind)
        _allowed(actor)
        expect(found, self.version)
        using = ConfigurationItem.objects.filter(item_kind=found, archived_at=None)
        _unused(found, using.count(), "items are of this kind; give them another one first")
        return Plan(subject=found, change=[] if found.archived_at else [(found, {"archived_at": at})])


class RestoreItemKind(Command, name=CatalogEvent.ITEM_KIND_RESTORE):
    """Use an archived kind of items again."""

    permission: ClassVar[str] = PERMISSION
    kind: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.kind(ItemKind, self.kind)
        _allowed(actor)
        return Plan(subject=found, change=[(found, {"archived_at": None})])


class OrderItemKinds(Command, name=CatalogEvent.ITEM_KIND_ORDER):
    """Put the kinds of items in an order; those that are not named follow."""

    permission: ClassVar[str] = PERMISSION
    keys: list[str]

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        _allowed(actor)
        return _ordered(list(ItemKind.objects.order_by("position", "slug")), self.keys)


class CreateRelationKind(Command, name=CatalogEvent.RELATION_KIND_CREATE):
    """Add a kind of relations. `failure`: it travels to_source, to_target or both."""

    permission: ClassVar[str] = PERMISSION
    key: str
    name: str
    reverse_name: str
    failure: str
    description: str = ""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        _allowed(actor)
        values = _words(self.name, self.description, self.reverse_name)
        made = RelationKind(slug=_free(RelationKind, self.key), failure=_failure(self.failure), **values)
        return _added(made, RelationKind)


class EditRelationKind(Command, name=CatalogEvent.RELATION_KIND_EDIT):
    """Change a kind of relations; what is left out stays.

    Another direction of failure changes every impact at once; it is refused where redundancy counts on it.
    """

    permission: ClassVar[str] = PERMISSION
    kind: str
    version: int | None = None
    name: str | UnsetType = UNSET
    reverse_name: str | UnsetType = UNSET
    failure: str | UnsetType = UNSET
    description: str | UnsetType = UNSET

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.kind(RelationKind, self.kind)
        _allowed(actor)
        expect(found, self.version)
        values = _words(self.name, self.description, self.reverse_name)
        if self.failure is not UNSET:
            values["failure"] = _failure(self.failure)
            if values["failure"] != found.failure:
                counting = Redundancy.objects.filter(relation_kind=found, archived_at=None).count()
                _unused(found, counting, "items count on how many of this kind have to stand")
        return Plan(subject=found, change=[(found, values)])


class ArchiveRelationKind(Command, name=CatalogEvent.RELATION_KIND_ARCHIVE):
    """Take a kind of relations out of use; refused while relations are of it."""

    permission: ClassVar[str] = PERMISSION
    kind: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.kind(RelationKind, self.kind)
        _allowed(actor)
        expect(found, self.version)
        using = Relation.objects.filter(relation_kind=found, archived_at=None)
        _unused(found, using.count(), "relations are of this kind; remove them first")
        return Plan(subject=found, change=[] if found.archived_at else [(found, {"archived_at": at})])


class RestoreRelationKind(Command, name=CatalogEvent.RELATION_KIND_RESTORE):
    """Use an archived kind of relations again."""

    permission: ClassVar[str] = PERMISSION
    kind: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.kind(RelationKind, self.kind)
        _allowed(actor)
        return Plan(subject=found, change=[(found, {"archived_at": None})])


class OrderRelationKinds(Command, name=CatalogEvent.RELATION_KIND_ORDER):
    """Put the kinds of relations in an order; those that are not named follow."""

    permission: ClassVar[str] = PERMISSION
    keys: list[str]

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        _allowed(actor)
        return _ordered(list(RelationKind.objects.order_by("position", "slug")), self.keys)


def _allowed(actor: Actor) -> None:
    """Check that the actor may configure the catalogue of the whole tree.

    :raises Forbidden: they may not, or in a branch alone.
    """
    root = accounts.root()
    accounts.require(actor, PERMISSION, at=root.pk if root is not None else None)


def _words(
    name: str | UnsetType, description: str | UnsetType, reverse_name: str | UnsetType = UNSET
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if name is not UNSET:
        values["name"] = line(name, field="name", longest=80)
    if description is not UNSET:
        values["description"] = line(description, field="description", longest=300, needed=False)
    if reverse_name is not UNSET:
        values["reverse_name"] = line(reverse_name, field="reverse_name", longest=80)
    return values


def _free(model: type[ItemKind] | type[RelationKind], key: str) -> str:
    slug(key)
    if len(key) > 60:
        raise Invalid.field("key", "The key of a kind has at most 60 characters.")
    if model._default_manager.filter(slug=key).exists():
        raise Conflict(f"The key “{key}” is taken.", code="catalog.kind.exists")
    return key


def _added(made: ItemKind | RelationKind, model: type[ItemKind] | type[RelationKind]) -> Plan:
    made.position = model._default_manager.count() + 1
    if made.position > MOST:
        raise Conflict(f"There are {MOST} kinds, the most there can be.", code="catalog.kind.too-many")
    return Plan(subject=made, create=[made])


def _failure(text: str) -> str:
    if text not in RelationKind.Failure.values:
        there_are = ", ".join(RelationKind.Failure.values)
        raise Invalid.field("failure", f"“{text[:40]}” is no direction of failure; there are {there_are}.")
    return text


def _unused(found: ItemKind | RelationKind, using: int, why: str) -> None:
    if using:
        raise Conflict(f"“{found.name}” is in use: {using:,} {why}.", code="catalog.kind.in-use")


def _ordered(rows: Sequence[ItemKind] | Sequence[RelationKind], keys: Sequence[str]) -> Plan:
    known = {row.slug: row for row in rows}
    unknown = next((key for key in keys if key not in known), None)
    if unknown is not None:
        raise Invalid.field("keys", f"“{unknown[:60]}” is no kind here; there are {', '.join(known)}.")
    wanted = list(dict.fromkeys([*keys, *known]))
    changes = [
        (known[key], {"position": place})
        for place, key in enumerate(wanted, start=1)
        if known[key].position != place
    ]
    return Plan(subject=known[wanted[0]] if wanted else None, change=changes)
