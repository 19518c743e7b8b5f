"""What can be done to groups of environments, which are used together as one lane."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from msgspec import UNSET, UnsetType

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan, expect
from fairway.calendars import queries as calendars
from fairway.environments import queries
from fairway.environments.commands.environments import home_of
from fairway.environments.events import EnvironmentEvent
from fairway.environments.models import Environment, EnvironmentGroup, GroupMember
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid
from fairway.kernel.text import line, prose, slug

MOST = 200


class CreateEnvironmentGroup(Command, name=EnvironmentEvent.GROUP_CREATE):
    """Make a group; without `organisation` it belongs to that of who makes it."""

    permission: ClassVar[str] = "environments.edit"
    undoable: ClassVar[bool] = True
    key: str
    name: str
    members: list[str]
    organisation: str | None = None
    description: str = ""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        organisation = home_of(actor, self.organisation)
        accounts.require(actor, self.permission, at=organisation.pk)
        key = slug(self.key)
        if _taken(key) or EnvironmentGroup.objects.filter(slug=key).exists():
            raise Conflict(f"The key “{key}” is taken.", code="environments.group.exists")
        return _new(actor, key, organisation, _values(self), self.members)


class EditEnvironmentGroup(Command, name=EnvironmentEvent.GROUP_EDIT):
    """Change a group; what is left out stays. Members that the actor may not see stay too."""

    permission: ClassVar[str] = "environments.edit"
    undoable: ClassVar[bool] = True
    group: str
    version: int | None = None
    name: str | UnsetType = UNSET
    members: list[str] | UnsetType = UNSET
    organisation: str | UnsetType = UNSET
    description: str | UnsetType = UNSET

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.group(actor, self.group, lock=lock)
        accounts.require(actor, self.permission, at=found.organisation_id)
        expect(found, self.version)
        if found.archived_at is not None:
            raise Conflict(
                f"{found.key} is archived; put it anew to use it again.", code="environments.group.archived"
            )
        return _edited(actor, self.permission, found, _values(self), self.members, self.organisation)


class PutEnvironmentGroup(Command, name=EnvironmentEvent.GROUP_PUT):
    """Create the group of this key, or change the one there is; an archived one comes back."""

    permission: ClassVar[str] = "environments.edit"
    undoable: ClassVar[bool] = True
    key: str
    version: int | None = None
    name: str | UnsetType = UNSET
    members: list[str] | UnsetType = UNSET
    organisation: str | UnsetType = UNSET
    description: str | UnsetType = UNSET

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        key = slug(self.key)
        found = EnvironmentGroup.objects.select_related("organisation").filter(slug=key).first()
        if found is None:
            organisation = home_of(actor, None if self.organisation is UNSET else self.organisation)
            accounts.require(actor, self.permission, at=organisation.pk)
            if _taken(key):
                raise Conflict(f"The key “{key}” is taken.", code="environments.group.exists")
            if self.name is UNSET:
                raise Invalid.field("name", "The name of a new group is needed.")
            if self.members is UNSET:
                raise Invalid.field("members", "A group holds at least one environment.")
            return _new(actor, key, organisation, _values(self), self.members)
        if not accounts.access(actor).sees(found.ref()):
            raise Conflict(f"The key “{key}” is taken.", code="environments.group.exists")
        accounts.require(actor, self.permission, at=found.organisation_id)
        expect(found, self.version)
        values = _values(self)
        if found.archived_at is not None:
            values["archived_at"] = None
        return _edited(actor, self.permission, found, values, self.members, self.organisation)


class ArchiveEnvironmentGroup(Command, name=EnvironmentEvent.GROUP_ARCHIVE):
    """Take a group out of use; its environments stay as they are."""

    permission: ClassVar[str] = "environments.edit"
    undoable: ClassVar[bool] = True
    group: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.group(actor, self.group)
        accounts.require(actor, self.permission, at=found.organisation_id)
        expect(found, self.version)
        if windows := calendars.naming_group(found.pk):
            raise Conflict(
                f"{', '.join(windows[:5])} hold for {found.key}; edit or archive them first.",
                code="environments.group.named",
            )
        return Plan(subject=found, change=[] if found.archived_at else [(found, {"archived_at": at})])


def _taken(key: str) -> bool:
    """Say whether an environment has the key: where either may be named, a key means one thing."""
    return Environment.objects.filter(slug=key).exists()


def _values(given: Any) -> dict[str, Any]:
    """Return the columns that a command sets.

    :raises Invalid: a value has no sense, by field.
    """
    values: dict[str, Any] = {}
    if given.name is not UNSET:
        values["name"] = line(given.name, field="name")
    if given.description is not UNSET:
        values["description"] = prose(given.description, field="description")
    return values


def _members(actor: Actor, references: Sequence[str], *, hidden: int = 0) -> list[Environment]:
    """Return the environments of a group.

    :raises Invalid: there is none, there are too many, or one does not exist (for the actor).
    """
    found = queries.environments(actor, references, field="members")
    if not 1 <= len(found) + hidden <= MOST:
        raise Invalid.field("members", f"A group holds 1 to {MOST} environments.")
    return found


def _new(
    actor: Actor, key: str, organisation: Any, values: dict[str, Any], references: Sequence[str]
) -> Plan:
    members = _members(actor, references)
    made = EnvironmentGroup(slug=key, organisation=organisation, **values)
    return Plan(
        subject=made, create=[made, *(GroupMember(group=made, environment=member) for member in members)]
    )


def _edited(
    actor: Actor,
    permission: str,
    found: EnvironmentGroup,
    values: dict[str, Any],
    references: Sequence[str] | UnsetType,
    organisation: str | UnsetType,
) -> Plan:
    create: list[GroupMember] = []
    remove: list[GroupMember] = []
    if references is not UNSET:
        present = {
            row.environment_id: row
            for row in GroupMember.objects.filter(group=found).select_related("environment", "group")
        }
        sees = accounts.access(actor).sees
        hidden = {pk for pk, row in present.items() if not sees(row.environment.ref())}
        wanted = {member.pk: member for member in _members(actor, references, hidden=len(hidden))}
        create = [
            GroupMember(group=found, environment=member) for pk, member in wanted.items() if pk not in present
        ]
        remove = [row for pk, row in present.items() if pk not in wanted and pk not in hidden]
    if organisation is not UNSET:
        target = home_of(actor, organisation)
        if target.pk != found.organisation_id:
            accounts.require(actor, permission, at=target.pk)
            values["organisation"] = target
    change: list[tuple[Any, dict[str, Any]]] = [(found, values)] if values else []
    if (create or remove) and not values:
        change = [(found, {"member_edits": found.member_edits + 1})]
    elif create or remove:
        values["member_edits"] = found.member_edits + 1
    return Plan(subject=found, create=create, change=change, remove=remove)
