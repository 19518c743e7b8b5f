"""What can be done to environments and to what stands in them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, ClassVar

from msgspec import UNSET, UnsetType

from fairway.accounts import queries as accounts
from fairway.accounts.commands import zone
from fairway.audit.commands import Command, Plan, expect
from fairway.catalog import queries as catalog
from fairway.environments import queries
from fairway.environments.events import EnvironmentEvent
from fairway.environments.models import Environment, EnvironmentGroup, Instance
from fairway.environments.rules import DEFAULT_CONTROL, Tier
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Gathered, Invalid, NotFound
from fairway.kernel.text import line, prose, slug
from fairway.workspace import queries as workspace

_COLOUR = re.compile(r"#[0-9a-f]{6}")
_FARTHEST = 10_000


class CreateEnvironment(Command, name=EnvironmentEvent.ENVIRONMENT_CREATE):
    """Add an environment. Without `control` the tier decides, without `organisation` who adds it."""

    permission: ClassVar[str] = "environments.edit"
    undoable: ClassVar[bool] = True
    key: str
    name: str
    tier: str
    organisation: str | None = None
    control: str | None = None
    status: str = "available"
    zone: str = "UTC"
    shared: bool = False
    description: str = ""
    colour: str = ""
    position: int = 0
    custom: dict[str, Any] = {}

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        organisation = home_of(actor, self.organisation)
        accounts.require(actor, self.permission, at=organisation.pk)
        key = slug(self.key)
        if _known(Environment, key) or _known(EnvironmentGroup, key):  # either may stand where one is named
            raise Conflict(f"The key “{self.key}” is taken.", code="environments.environment.exists")
        made = _new(actor, self.key, organisation, _values(self))
        return Plan(subject=made, create=[made])


class EditEnvironment(Command, name=EnvironmentEvent.ENVIRONMENT_EDIT):
    """Change an environment; what is left out stays."""

    permission: ClassVar[str] = "environments.edit"
    undoable: ClassVar[bool] = True
    environment: str
    version: int | None = None
    name: str | UnsetType = UNSET
    tier: str | UnsetType = UNSET
    organisation: str | UnsetType = UNSET
    control: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    shared: bool | UnsetType = UNSET
    description: str | UnsetType = UNSET
    colour: str | UnsetType = UNSET
    position: int | UnsetType = UNSET
    custom: dict[str, Any] | UnsetType = UNSET

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.environment(actor, self.environment)
        accounts.require(actor, self.permission, at=found.organisation_id)
        expect(found, self.version)
        if found.archived_at is not None:
            raise Conflict(
                f"{found.key} is archived; put it anew to use it again.",
                code="environments.environment.archived",
            )
        return _edited(actor, self.permission, found, _values(self), self.organisation)


class PutEnvironment(Command, name=EnvironmentEvent.ENVIRONMENT_PUT):
    """Create the environment of this key, or change the one there is; an archived one comes back.

    What is left out stays as it is, and is as for a new environment where there was none.
    """

    permission: ClassVar[str] = "environments.edit"
    undoable: ClassVar[bool] = True
    key: str
    version: int | None = None
    name: str | UnsetType = UNSET
    tier: str | UnsetType = UNSET
    organisation: str | UnsetType = UNSET
    control: str | UnsetType | None = UNSET
    status: str | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    shared: bool | UnsetType = UNSET
    description: str | UnsetType = UNSET
    colour: str | UnsetType = UNSET
    position: int | UnsetType = UNSET
    custom: dict[str, Any] | UnsetType = UNSET

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = Environment.objects.filter(slug=self.key).first()
        if found is None:
            return self._new(actor)
        if not accounts.access(actor).sees(found.ref()):
            raise Conflict(f"The key “{self.key}” is taken.", code="environments.environment.exists")
        accounts.require(actor, self.permission, at=found.organisation_id)
        expect(found, self.version)
        values = _values(self)
        if found.archived_at is not None:
            values["archived_at"] = None
        if values.get("control", "") is None:
            values["control"] = DEFAULT_CONTROL[Tier(values.get("tier") or found.tier)]
        return _edited(actor, self.permission, found, values, self.organisation, whole=True)

    def _new(self, actor: Actor) -> Plan:
        """Plan a new environment; all that is wrong with it is told at once."""
        wrong, organisation, values = Gathered(), None, dict[str, Any]()
        with wrong:
            slug(self.key)
        with wrong:
            organisation = home_of(actor, None if self.organisation is UNSET else self.organisation)
        if organisation is not None:
            accounts.require(actor, self.permission, at=organisation.pk)
        for field in ("name", "tier"):
            if getattr(self, field) is UNSET:
                wrong.add(field, f"The {field} of a new environment is needed.")
        with wrong:
            values = _values(self)
        wrong.tell()
        if _known(EnvironmentGroup, self.key):
            raise Conflict(f"The key “{self.key}” is taken.", code="environments.environment.exists")
        made = _new(actor, self.key, organisation, values)
        return Plan(subject=made, create=[made])


class ArchiveEnvironment(Command, name=EnvironmentEvent.ENVIRONMENT_ARCHIVE):
    """Take an environment out of use: it stays on record and takes part in nothing new."""

    permission: ClassVar[str] = "environments.edit"
    undoable: ClassVar[bool] = True
    environment: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.environment(actor, self.environment)
        accounts.require(actor, self.permission, at=found.organisation_id)
        expect(found, self.version)
        return Plan(subject=found, change=[] if found.archived_at else [(found, {"archived_at": at})])


class CreateInstance(Command, name=EnvironmentEvent.INSTANCE_CREATE):
    """Say that an item stands in an environment."""

    permission: ClassVar[str] = "environments.edit"
    undoable: ClassVar[bool] = True
    item: str
    environment: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        made, known = _instance(self, actor)
        if known is not None:
            raise Conflict(
                f"{self.item} stands in {self.environment} already.", code="environments.instance.exists"
            )
        return Plan(subject=made, create=[made])


class PutInstance(Command, name=EnvironmentEvent.INSTANCE_PUT):
    """Say that an item stands in an environment, unless that is known."""

    permission: ClassVar[str] = "environments.edit"
    undoable: ClassVar[bool] = True
    item: str
    environment: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        made, known = _instance(self, actor)
        return Plan(subject=known) if known is not None else Plan(subject=made, create=[made])


class RemoveInstance(Command, name=EnvironmentEvent.INSTANCE_REMOVE):
    """Say that an item stands in an environment no longer; the log keeps that it did."""

    permission: ClassVar[str] = "environments.edit"
    undoable: ClassVar[bool] = True
    instance: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.instance(actor, self.instance)
        accounts.require(actor, self.permission, at=found.environment.organisation_id)
        expect(found, self.version)
        return Plan(subject=found, remove=[found])


def _known(model: type[Environment | EnvironmentGroup], key: str) -> bool:
    return model._default_manager.filter(slug=key).exists()


def _values(given: Command) -> dict[str, Any]:
    """Return the columns that a command sets; what it leaves out is not among them.

    :raises Invalid: a value has no sense, by field.
    """
    asked = {name: value for name in given.__struct_fields__ if (value := getattr(given, name)) is not UNSET}
    values: dict[str, Any] = {name: asked[name] for name in ("shared", "position", "custom") if name in asked}
    wrong = Gathered()
    if "name" in asked:
        with wrong:
            values["name"] = line(asked["name"], field="name")
    for field, choices in (
        ("tier", Environment.Tier),
        ("control", Environment.Control),
        ("status", Environment.Status),
    ):
        if field in asked:
            values[field] = asked[field]
            if asked[field] is not None and asked[field] not in choices.values:
                there_are = ", ".join(choices.values)
                wrong.add(
                    field, f"“{asked[field][:40]}” is no {field} of an environment; there are {there_are}."
                )
    if "zone" in asked:
        with wrong:
            values["zone"] = zone(asked["zone"])
    if "description" in asked:
        with wrong:
            values["description"] = prose(asked["description"], field="description")
    if "colour" in asked:
        values["colour"] = asked["colour"].lower()
        if values["colour"] and not _COLOUR.fullmatch(values["colour"]):
            wrong.add("colour", f"“{asked['colour'][:40]}” is not a colour; write it as #2f6fad.")
    if abs(values.get("position", 0)) > _FARTHEST:
        wrong.add("position", f"A position goes from -{_FARTHEST:,} to {_FARTHEST:,}.")
    wrong.tell()
    return values


def home_of(actor: Actor, reference: str | None) -> Any:
    """Return the organisation that a new record goes to; without a reference, that of the actor.

    :raises Invalid: there is none (for the actor).
    """
    try:
        if reference is not None:
            return accounts.organisation(actor, reference)
        found = accounts.root() if actor.is_system else accounts.user(actor, actor.uid).organisation
    except NotFound as problem:
        raise Invalid.field("organisation", problem.detail) from problem
    if found is None:
        raise Invalid.field("organisation", "There is no organisation yet; make one first.")
    return found


def _new(actor: Actor, key: str, organisation: Any, values: dict[str, Any]) -> Environment:
    if values.get("control") is None:
        values["control"] = DEFAULT_CONTROL[Tier(values["tier"])]
    values["custom"] = workspace.custom(
        actor,
        "environment",
        values.get("custom", {}),
        {},
        kind=values["tier"],
        organisation=organisation.pk,
        whole=True,
    )
    return Environment(slug=key, organisation=organisation, **values)


def _edited(
    actor: Actor,
    permission: str,
    found: Environment,
    values: dict[str, Any],
    organisation: str | UnsetType,
    *,
    whole: bool = False,
) -> Plan:
    tier = values.get("tier", found.tier)
    if "custom" in values or tier != found.tier:
        values["custom"] = workspace.custom(
            actor,
            "environment",
            values.get("custom", {}),
            found.custom,
            kind=tier,
            organisation=found.organisation_id,
            whole=whole and "custom" in values,
            before=found.tier,
        )
    if organisation is not UNSET:
        target = home_of(actor, organisation)
        if target.pk != found.organisation_id:
            accounts.require(actor, permission, at=target.pk)
            values["organisation"] = target
    if "tier" in values:
        values["tier_position"] = Environment.order_of(values["tier"])
    return Plan(subject=found, change=[(found, values)])


def _instance(given: CreateInstance | PutInstance, actor: Actor) -> tuple[Instance, Instance | None]:
    """Return the instance asked for, unsaved, and the same one if it is there already.

    :raises Invalid: item or environment do not exist (for the actor).
    """
    [environment] = queries.environments(actor, [given.environment], field="environment")
    accounts.require(actor, given.permission, at=environment.organisation_id)
    [item] = catalog.items(actor, [given.item], field="item")
    made = Instance(item=item, environment=environment, organisation_id=item.organisation_id)
    return made, Instance.objects.filter(item=item, environment=environment).first()
