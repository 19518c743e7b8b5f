"""What can be done to items."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Self

import msgspec
from msgspec import UNSET, UnsetType

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan, expect
from fairway.catalog import queries
from fairway.catalog.events import CatalogEvent
from fairway.catalog.models import Build, ConfigurationItem, ItemKind, Redundancy, Relation
from fairway.catalog.rules import merged, service_hours
from fairway.kernel import ahead
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Gathered, Invalid, NotFound
from fairway.kernel.refs import Ref
from fairway.kernel.text import line, prose, slug
from fairway.policy import Decision, tell
from fairway.workspace import queries as workspace

MOST_ATTRIBUTES, LONGEST_ATTRIBUTES = 100, 16_000


class CreateItem(Command, name=CatalogEvent.ITEM_CREATE):
    """Add an item. Without `shared` the kind decides, without `organisation` who adds it."""

    permission: ClassVar[str] = "catalog.edit"
    undoable: ClassVar[bool] = True
    key: str
    name: str
    kind: str
    organisation: str | None = None
    status: str = "live"
    criticality: int = 3
    shared: bool | None = None
    description: str = ""
    owner_team: str | None = None
    external_id: str = ""
    alias: str = ""
    vendor: str | None = None
    service_hours: str = ""
    attributes: dict[str, Any] = {}

    @classmethod
    def weigh_undo(cls, plan: Plan, *, actor: Actor) -> Decision:
        return undone(plan, actor)

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        organisation = _organisation(actor, self.organisation)
        accounts.require(actor, self.permission, at=organisation.pk)
        if ConfigurationItem.objects.filter(slug=slug(self.key)).exists():
            raise Conflict(f"The key “{self.key}” is taken.", code="catalog.item.exists")
        made = _new(actor, self.key, organisation, _values(self, actor))
        return Plan(subject=made, create=[made])


class EditItem(Command, name=CatalogEvent.ITEM_EDIT):
    """Change an item; what is left out stays.

    Attributes are merged, null takes one away (RFC 7396). A new organisation takes its relations and
    builds along.
    """

    permission: ClassVar[str] = "catalog.edit"
    undoable: ClassVar[bool] = True
    item: str
    version: int | None = None
    name: str | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    organisation: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    criticality: int | UnsetType = UNSET
    shared: bool | UnsetType = UNSET
    description: str | UnsetType = UNSET
    owner_team: str | UnsetType | None = UNSET
    external_id: str | UnsetType = UNSET
    alias: str | UnsetType = UNSET
    vendor: str | UnsetType | None = UNSET
    service_hours: str | UnsetType = UNSET
    attributes: dict[str, Any] | UnsetType = UNSET

    @classmethod
    def weigh_undo(cls, plan: Plan, *, actor: Actor) -> Decision:
        return undone(plan, actor)

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        return _edit(self, actor, self.permission, None, at=at)


class PutItem(Command, name=CatalogEvent.ITEM_PUT):
    """Create the item of this key, or change the one there is; an archived one comes back.

    What is left out stays as it is, and is as for a new item where there was none.
    """

    permission: ClassVar[str] = "catalog.edit"
    undoable: ClassVar[bool] = True
    independent: ClassVar[bool] = True
    key: str
    version: int | None = None
    name: str | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    organisation: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    criticality: int | UnsetType = UNSET
    shared: bool | UnsetType | None = UNSET
    description: str | UnsetType = UNSET
    owner_team: str | UnsetType | None = UNSET
    external_id: str | UnsetType = UNSET
    alias: str | UnsetType = UNSET
    vendor: str | UnsetType | None = UNSET
    service_hours: str | UnsetType = UNSET
    attributes: dict[str, Any] | UnsetType = UNSET

    @classmethod
    def weigh_undo(cls, plan: Plan, *, actor: Actor) -> Decision:
        return undone(plan, actor)

    @classmethod
    def read_ahead(cls, commands: Sequence[Self], *, actor: Actor, lock: bool) -> None:
        keys = {command.key for command in commands}
        query = ConfigurationItem.objects.filter(slug__in=keys).select_related("item_kind")
        found = {one.slug: one for one in query}
        ahead.learn(CatalogEvent.ITEM_PUT, {key: found.get(key) for key in keys})
        queries.read_controlled(one.pk for one in found.values())

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        return guarded(self.unguarded(actor), actor, None)

    def unguarded(self, actor: Actor) -> Plan:
        """Return the plan as if the item were not under change control."""
        key = self.key
        found = ahead.take(
            CatalogEvent.ITEM_PUT, key, lambda: ConfigurationItem.objects.filter(slug=key).first()
        )
        if found is None:
            return self._new(actor)
        if not accounts.access(actor).sees(found.ref()):
            raise Conflict(f"The key “{self.key}” is taken.", code="catalog.item.exists")
        accounts.require(actor, self.permission, at=found.organisation_id)
        expect(found, self.version)
        values = _values(self, actor)
        if found.archived_at is not None:
            values["archived_at"] = None
        if values.get("shared", False) is None:
            values["shared"] = (values.get("item_kind") or found.item_kind).shared_default
        return _edited(actor, self.permission, found, values, self.organisation, whole=True)

    def _new(self, actor: Actor) -> Plan:
        """Plan a new item; all that is wrong with it is told at once."""
        wrong, organisation, values = Gathered(), None, dict[str, Any]()
        with wrong:
            slug(self.key)
        with wrong:
            organisation = _organisation(actor, None if self.organisation is UNSET else self.organisation)
        if organisation is not None:
            accounts.require(actor, self.permission, at=organisation.pk)
        for field in ("name", "kind"):
            if getattr(self, field) is UNSET:
                wrong.add(field, f"The {field} of a new item is needed.")
        with wrong:
            values = _values(self, actor)
        wrong.tell()
        made = _new(actor, self.key, organisation, values)
        return Plan(subject=made, create=[made])


class Drifted(Conflict):
    """What was seen of a controlled item differs from what is recorded: to be noted, not written.

    `seen`: in the words of a patch, what would have been written.
    """

    def __init__(self, item: str, seen: dict[str, Any]) -> None:
        super().__init__(
            f"{item} is under change control; what was seen of it is noted as drift.",
            code="catalog.item.drift",
        )
        self.item, self.seen = item, seen


class ObservedItem(PutItem):
    """What an import saw of an item: stored as a PUT would, and told apart where only a change may write it.

    It has no name among the commands: only the importer's code makes it.
    """

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """Say what would be written.

        :raises Drifted: the item is under change control, and its configuration differs.
        """
        plan = self.unguarded(actor)
        if guarded(plan, actor, None).decision.denied:
            raise Drifted(slug(self.key), _words(plan))
        return plan


def _words(plan: Plan) -> dict[str, Any]:
    """Return what a plan alters of an item's configuration, in the words of a patch."""
    words: dict[str, Any] = {}
    for row, values in plan.change:
        if not isinstance(row, ConfigurationItem):
            continue
        for name in queries.configured(row, dict(values)):
            value = values[name]
            if name == "attributes":
                present = row.attributes
                words[name] = {
                    key: value.get(key)
                    for key in sorted({*value, *present})
                    if value.get(key) != present.get(key)
                }
            elif name == "vendor":
                words[name] = value.slug if value is not None else None
            elif name in ("item_kind", "organisation"):
                words[name.removeprefix("item_")] = value.slug
            elif name == "archived_at":
                words["archived"] = value is not None
            else:
                words[name] = value
    return words


class ArchiveItem(Command, name=CatalogEvent.ITEM_ARCHIVE):
    """Take an item out of use: it stays on record, leaves lists and impact, and takes part in nothing new."""

    permission: ClassVar[str] = "catalog.edit"
    undoable: ClassVar[bool] = True
    item: str
    version: int | None = None

    @classmethod
    def weigh_undo(cls, plan: Plan, *, actor: Actor) -> Decision:
        return undone(plan, actor)

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.item(actor, self.item)
        accounts.require(actor, self.permission, at=found.organisation_id)
        expect(found, self.version)
        plan = Plan(subject=found, change=[] if found.archived_at else [(found, {"archived_at": at})])
        return guarded(plan, actor, None)


def edit_under(
    authority: Ref,
    command: EditItem,
    *,
    actor: Actor,
    at: datetime,
    permission: str,
    archived: bool | None = None,
) -> Plan:
    """Plan an edit that an implementing change has authorised; `permission` is what it takes instead.

    No request can say that it acts under an authority: only code that holds the change calls this.
    `archived`: whether to put the item away, or to bring it back.
    """
    return _edit(command, actor, permission, authority, at=at, archived=archived)


def guarded(plan: Plan, actor: Actor, authority: Ref | None) -> Plan:
    """Return the plan, refused where it alters the configuration of a controlled item without authority."""
    if authority is not None:
        return plan
    for row, values in plan.change:
        if isinstance(row, ConfigurationItem) and queries.configured(row, dict(values)):
            decision = queries.control(actor, row)
            if decision.denied:
                return replace(plan, decision=decision, refusal=tell(decision.findings[0]))
    return plan


def undone(plan: Plan, actor: Actor) -> Decision:
    """Decide whether what takes an edit back may be done without a change."""
    return guarded(plan, actor, None).decision


def _edit(
    given: EditItem,
    actor: Actor,
    permission: str,
    authority: Ref | None,
    *,
    at: datetime,
    archived: bool | None = None,
) -> Plan:
    found = queries.item(actor, given.item)
    accounts.require(actor, permission, at=found.organisation_id)
    expect(found, given.version)
    if found.archived_at is not None and archived is not False:
        raise Conflict(f"{found.key} is archived; put it anew to use it again.", code="catalog.item.archived")
    values = _values(given, actor)
    if archived is not None:
        values["archived_at"] = at if archived else None
    if "attributes" in values:
        values["attributes"] = {
            name: merged(found.attributes.get(name), value) for name, value in values["attributes"].items()
        }
    return guarded(_edited(actor, permission, found, values, given.organisation), actor, authority)


def _values(given: Command, actor: Actor) -> dict[str, Any]:
    """Return the columns that a command sets; what it leaves out is not among them.

    :raises Invalid: values have no sense, by field.
    """
    wrong, values = Gathered(), dict[str, Any]()
    for name, (column, read) in _READERS.items():
        if (asked := getattr(given, name)) is not UNSET:
            with wrong:
                values[column] = read(actor, asked)
    wrong.tell()
    return values


def _status(actor: Actor, asked: str) -> str:
    if asked not in ConfigurationItem.Status.values:
        there_are = ", ".join(ConfigurationItem.Status.values)
        raise Invalid.field("status", f"“{asked[:40]}” is no status of an item; there are {there_are}.")
    return asked


def _criticality(actor: Actor, asked: int) -> int:
    if not 1 <= asked <= 4:
        raise Invalid.field("criticality", "The criticality goes from 1 (most critical) to 4.")
    return asked


def _vendor(actor: Actor, asked: str | None) -> ConfigurationItem | None:
    return next(iter(queries.items(actor, [asked], field="vendor")), None) if asked else None


def _hours(actor: Actor, asked: str) -> str:
    hours = service_hours(asked)
    if len(hours) > 300:
        raise Invalid.field("service_hours", "Service hours have at most 300 characters.")
    return hours


def _as_asked(actor: Actor, asked: Any) -> Any:
    return asked


_READERS: Mapping[str, tuple[str, Callable[[Actor, Any], Any]]] = {
    "name": ("name", lambda _, asked: line(asked, field="name")),
    "kind": ("item_kind", lambda _, asked: queries.item_kind(asked)),
    "status": ("status", _status),
    "criticality": ("criticality", _criticality),
    "shared": ("shared", _as_asked),
    "description": ("description", lambda _, asked: prose(asked, field="description")),
    "owner_team": ("owner_team", lambda actor, asked: _team(actor, asked) if asked else None),
    "external_id": ("external_id", lambda _, asked: line(asked, field="external_id", needed=False)),
    "alias": ("alias", lambda _, asked: line(asked, field="alias", needed=False)),
    "vendor": ("vendor", _vendor),
    "service_hours": ("service_hours", _hours),
    "attributes": ("attributes", _as_asked),
}
"""Fields of the commands: the column of each, and how it is read; raises Invalid."""


def _team(actor: Actor, reference: str) -> Any:
    try:
        return accounts.team(actor, reference)
    except NotFound as problem:
        raise Invalid.field("owner_team", problem.detail) from problem


def _organisation(actor: Actor, reference: str | None) -> Any:
    """Return the organisation that a new record goes to; without a reference, that of the actor.

    :raises Invalid: there is none (for the actor).
    """

    def ask() -> Any:
        if reference is not None:
            return accounts.organisation(actor, reference)
        return accounts.root() if actor.is_system else accounts.user(actor, actor.uid).organisation

    try:
        found = ahead.recall("catalog.organisation", (actor.uid, reference), ask)
    except NotFound as problem:
        raise Invalid.field("organisation", problem.detail) from problem
    if found is None:
        raise Invalid.field("organisation", "There is no organisation yet; make one first.")
    return found


def _attributes(given: dict[str, Any]) -> dict[str, Any]:
    text = msgspec.json.encode(given).decode()
    if len(given) > MOST_ATTRIBUTES or len(text) > LONGEST_ATTRIBUTES:
        raise Invalid.field(
            "attributes",
            f"An item has at most {MOST_ATTRIBUTES} attributes of {LONGEST_ATTRIBUTES:,} characters in all.",
        )
    if "\\u0000" in text:
        raise Invalid.field("attributes", "The attributes hold the control character U+0000.")
    return {line(name, field="attributes", longest=100): value for name, value in given.items()}


def _settled(
    actor: Actor,
    kind: ItemKind,
    organisation: int,
    given: dict[str, Any],
    present: dict[str, Any],
    *,
    whole: bool,
    before: str | None = None,
) -> dict[str, Any]:
    """Return the attributes that an item shall have; those that are defined are typed, others free."""
    asked = workspace.Asked(
        given=given,
        present=present,
        column="attributes",
        whole=whole,
        complete=whole,
        open=not kind.strict,
    )
    return _attributes(
        workspace.checked(actor, "item", asked, kind=kind.slug, organisation=organisation, before=before)
    )


def _new(actor: Actor, key: str, organisation: Any, values: dict[str, Any]) -> ConfigurationItem:
    if values.get("shared") is None:
        values["shared"] = values["item_kind"].shared_default
    given = values.get("attributes") or {}
    values["attributes"] = _settled(actor, values["item_kind"], organisation.pk, given, {}, whole=True)
    return ConfigurationItem(slug=key, organisation=organisation, **values)


def _edited(
    actor: Actor,
    permission: str,
    found: ConfigurationItem,
    values: dict[str, Any],
    organisation: str | UnsetType,
    *,
    whole: bool = False,
) -> Plan:
    change: list[tuple[Any, dict[str, Any]]] = [(found, values)]
    vendor = values.get("vendor")
    if vendor is not None and vendor.pk == found.pk:
        raise Invalid.field("vendor", f"{found.key} cannot be its own vendor.")
    kind = values.get("item_kind", found.item_kind)
    given = values.pop("attributes", None)
    if given is not None or kind.pk != found.item_kind_id:
        values["attributes"] = _settled(
            actor,
            kind,
            found.organisation_id,
            given or {},
            found.attributes,
            whole=whole and given is not None,
            before=found.item_kind.slug,
        )
    if organisation is not UNSET:
        target = _organisation(actor, organisation)
        if target.pk != found.organisation_id:
            accounts.require(actor, permission, at=target.pk)
            values["organisation"] = target
            change += [(one, {"organisation": target}) for one in Relation.objects.filter(source=found)]
            change += [(one, {"organisation": target}) for one in Redundancy.objects.filter(item=found)]
            change += [(one, {"organisation": target}) for one in Build.objects.filter(system=found)]
    return Plan(subject=found, change=change)
