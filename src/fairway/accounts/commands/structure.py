"""What can be done to organisations and teams."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import msgspec

from fairway.accounts import queries
from fairway.accounts.commands.shared import Patch, free_slug, keep_administered, lock_tree, named, not_more
from fairway.accounts.models import Grant, Membership, Organisation, OrganisationPath, Team
from fairway.audit.commands import Command, Plan, expect, projection
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid


class CreateOrganisation(Command, name="accounts.organisation.create"):
    """Add a node to the organisation tree; without parent: the root, once."""

    permission: ClassVar[str] = "accounts.administer"
    slug: str
    name: str
    parent: str | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        lock_tree(lock)
        parent = queries.organisation(actor, self.parent) if self.parent else None
        queries.require(actor, self.permission, at=parent.pk if parent else -1)
        if parent is None and queries.root() is not None:
            raise Invalid.field(
                "parent", "There is a root organisation already; name the parent of the new one."
            )
        made = Organisation(slug=free_slug(Organisation, self.slug), name=named(self.name), parent=parent)
        return Plan(subject=made, create=[made])


class EditOrganisation(Command, name="accounts.organisation.edit"):
    """Rename an organisation or hang its branch elsewhere."""

    permission: ClassVar[str] = "accounts.administer"
    organisation: str
    version: int | None = None
    name: str | Patch = msgspec.UNSET
    parent: str | Patch = msgspec.UNSET

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        lock_tree(lock)
        found = queries.organisation(actor, self.organisation)
        queries.require(actor, self.permission, at=found.pk)
        expect(found, self.version)
        values: dict[str, object] = {}
        if self.name is not msgspec.UNSET:
            values["name"] = named(self.name)
        if self.parent is not msgspec.UNSET:
            parent = queries.organisation(actor, self.parent)
            queries.require(actor, self.permission, at=parent.pk)
            if found.parent_id is None:
                raise Invalid.field("parent", "The root organisation has no parent.")
            if parent.pk in queries.descendants(found.pk):
                raise Invalid.field(
                    "parent", f"{parent.name} lies below {found.name}; choose one outside its branch."
                )
            values["parent"] = parent
        return Plan(subject=found, change=[(found, values)])


@projection("accounts.Organisation")
def rebuild_paths(written: Sequence[Organisation]) -> None:
    """Bring the closure of the tree up to date; writes only what differs."""
    parents = dict(Organisation.objects.values_list("pk", "parent_id"))
    wanted: dict[tuple[int, int], int] = {}
    for pk in parents:
        ancestor: int | None = pk
        distance = 0
        while ancestor is not None:
            if distance > len(parents):
                raise Conflict("The organisations would stand in a circle.")
            wanted[ancestor, pk] = distance
            ancestor, distance = parents[ancestor], distance + 1
    present = {
        (ancestor, descendant): (row, distance)
        for row, ancestor, descendant, distance in OrganisationPath.objects.values_list(
            "pk", "ancestor_id", "descendant_id", "distance"
        )
    }
    gone = [row for path, (row, distance) in present.items() if wanted.get(path) != distance]
    if gone:
        OrganisationPath.objects.filter(pk__in=gone).delete()
    OrganisationPath.objects.bulk_create(
        [
            OrganisationPath(ancestor_id=path[0], descendant_id=path[1], distance=distance)
            for path, distance in wanted.items()
            if path not in present or present[path][1] != distance
        ],
        batch_size=1000,
    )


class PutOrganisation(Command, name="accounts.organisation.put"):
    """Add the organisation of this key, or make the one there is so."""

    permission: ClassVar[str] = "accounts.administer"
    key: str
    name: str
    parent: str | None = None
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = Organisation.objects.filter(slug=self.key).first()
        if found is not None and not queries.access(actor).sees(found.ref()):
            raise Conflict(f"The key “{self.key}” is taken.", code="slug-taken")
        if found is None:
            new = CreateOrganisation(slug=self.key, name=self.name, parent=self.parent)
            return new.plan(actor=actor, at=at, lock=lock)
        edited = EditOrganisation(organisation=self.key, name=self.name, version=self.version)
        present = found.parent.slug if found.parent is not None else None
        if self.parent is not None and self.parent != present:
            edited = msgspec.structs.replace(edited, parent=self.parent)
        return edited.plan(actor=actor, at=at, lock=lock)


class CreateTeam(Command, name="accounts.team.create"):
    """Add a team."""

    permission: ClassVar[str] = "accounts.invite"
    slug: str
    name: str
    organisation: str
    members: list[str] = []

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        organisation = queries.organisation(actor, self.organisation)
        queries.require(actor, self.permission, at=organisation.pk)
        made = Team(slug=free_slug(Team, self.slug), name=named(self.name), organisation=organisation)
        people = [queries.user(actor, member) for member in dict.fromkeys(self.members)]
        return Plan(subject=made, create=[made, *(Membership(team=made, user=person) for person in people)])


class EditTeam(Command, name="accounts.team.edit"):
    """Rename a team, or make it active or inactive: what an inactive one was granted holds for nobody."""

    permission: ClassVar[str] = "accounts.invite"
    team: str
    name: str | Patch = msgspec.UNSET
    is_active: bool | Patch = msgspec.UNSET
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        team = queries.team(actor, self.team)
        queries.require(actor, self.permission, at=team.organisation_id)
        expect(team, self.version)
        values: dict[str, object] = {} if self.name is msgspec.UNSET else {"name": named(self.name)}
        if self.is_active is not msgspec.UNSET:
            values["is_active"] = self.is_active
            if self.is_active and not team.is_active:
                _may_join(actor, team, [m.user_id for m in team.memberships.all()])
            if not self.is_active:
                keep_administered(lock, at, team=team.pk)
        return Plan(subject=team, change=[(team, values)])


class PutTeam(Command, name="accounts.team.put"):
    """Add the team of this key, or make the one there is so: with these members, active."""

    permission: ClassVar[str] = "accounts.invite"
    key: str
    name: str
    organisation: str
    members: list[str] = []
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = Team.objects.filter(slug=self.key).first()
        if found is not None and not queries.access(actor).sees(found.ref()):
            raise Conflict(f"The key “{self.key}” is taken.", code="slug-taken")
        if found is None:
            new = CreateTeam(
                slug=self.key, name=self.name, organisation=self.organisation, members=self.members
            )
            return new.plan(actor=actor, at=at, lock=lock)
        if queries.organisation(actor, self.organisation).pk != found.organisation_id:
            raise Invalid.field("organisation", f"{found.slug} stays in the organisation it was made in.")
        edited = EditTeam(team=self.key, name=self.name, is_active=True, version=self.version)
        plan = edited.plan(actor=actor, at=at, lock=lock)
        people = SetMembers(team=self.key, members=self.members).plan(actor=actor, at=at, lock=lock)
        moved = {name: value for _, values in people.change for name, value in values.items()}
        change = [(row, {**values, **moved}) for row, values in plan.change]
        return Plan(subject=plan.subject, change=change, create=people.create, remove=people.remove)


def _may_join(actor: Actor, team: Team, people: Sequence[int]) -> None:
    """Check that the actor may give these people what the team was granted: the granter's right.

    :raises Forbidden: they may not, or would give it to themselves.
    """
    places = list(Grant.objects.filter(team=team).values_list("organisation_id", flat=True))
    for where in places:
        queries.require(actor, "accounts.administer", at=where)
    not_more(queries.exceeding_of(actor, team=team), f"The team {team.name} has roles with")
    if places and actor.pk in people:
        raise Forbidden("Nobody joins a team that has roles by themselves; ask another administrator.")


class SetMembers(Command, name="accounts.team.set_members"):
    """Say who is in a team. Members whom the actor may not see stay."""

    permission: ClassVar[str] = "accounts.invite"
    team: str
    members: list[str]
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        team = queries.team(actor, self.team)
        queries.require(actor, self.permission, at=team.organisation_id)
        expect(team, self.version)
        wanted = {person.pk: person for person in (queries.user(actor, member) for member in self.members)}
        present = {m.user_id: m for m in Membership.objects.filter(team=team).select_related("team", "user")}
        # A member inherits what the team was granted: adding one is granting, so it takes the granter's
        # right.
        added = wanted.keys() - present.keys()
        if added:
            _may_join(actor, team, sorted(added))
        create = [Membership(team=team, user=person) for pk, person in wanted.items() if pk not in present]
        gone = present.keys() - wanted.keys()
        seen = set(queries.people(actor).filter(pk__in=gone).values_list("pk", flat=True)) if gone else set()
        remove = [row for pk, row in present.items() if pk in seen]
        if remove:
            keep_administered(lock, at, members=[row.pk for row in remove])
        moved = bool(create or remove)
        change = [(team, {"member_edits": team.member_edits + 1})] if moved else []
        return Plan(subject=team, create=create, change=change, remove=remove)
