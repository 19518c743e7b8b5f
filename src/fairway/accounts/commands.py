"""What can be done to people, organisations, grants and tokens."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any, ClassVar, Literal
from zoneinfo import available_timezones

import msgspec
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Model

from fairway.accounts import queries
from fairway.accounts.models import (
    ApiToken,
    BulkRequest,
    Delegation,
    Grant,
    Membership,
    Organisation,
    OrganisationPath,
    RateRule,
    ShareLink,
    Team,
    User,
)
from fairway.accounts.rules import PERMISSIONS
from fairway.audit.commands import Command, Outcome, Plan, build, execute_many, expect, projection
from fairway.jobs.commands import JobContext, queued, task
from fairway.kernel import blobs, text
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from fairway.kernel.models import uid_lookup
from fairway.kernel.period import Period, parse_instant
from fairway.kernel.refs import Ref

Patch = msgspec.UnsetType
LONGEST_DELEGATION = timedelta(days=366)


class CreateOrganisation(Command, name="accounts.organisation.create"):
    """Add a node to the organisation tree; without parent: the root, once."""

    permission: ClassVar[str] = "accounts.administer"
    slug: str
    name: str
    parent: str | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        _lock_tree(lock)
        parent = queries.organisation(actor, self.parent) if self.parent else None
        queries.require(actor, self.permission, at=parent.pk if parent else -1)
        if parent is None and queries.root() is not None:
            raise Invalid.field(
                "parent", "There is a root organisation already; name the parent of the new one."
            )
        made = Organisation(slug=_free_slug(Organisation, self.slug), name=_name(self.name), parent=parent)
        return Plan(subject=made, create=[made])


class EditOrganisation(Command, name="accounts.organisation.edit"):
    """Rename an organisation or hang its branch elsewhere."""

    permission: ClassVar[str] = "accounts.administer"
    organisation: str
    version: int | None = None
    name: str | Patch = msgspec.UNSET
    parent: str | Patch = msgspec.UNSET

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        _lock_tree(lock)
        found = queries.organisation(actor, self.organisation)
        queries.require(actor, self.permission, at=found.pk)
        expect(found, self.version)
        values: dict[str, object] = {}
        if self.name is not msgspec.UNSET:
            values["name"] = _name(self.name)
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


def _lock_tree(lock: bool) -> None:
    """Let one writer at a time at the tree: two moves at once could close a circle."""
    if lock:
        list(Organisation.objects.select_for_update(no_key=True).filter(parent=None).values_list("pk"))


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


class CreateUser(Command, name="accounts.user.create"):
    """Add a person (who gets a link to choose a password) or a service account (which acts by token only)."""

    permission: ClassVar[str] = "accounts.invite"
    email: str
    name: str
    organisation: str
    zone: str = "UTC"
    is_service: bool = False

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        organisation = queries.organisation(actor, self.organisation)
        queries.require(actor, self.permission, at=organisation.pk)
        try:
            validate_email(self.email)
        except ValidationError as cause:
            raise Invalid.field("email", f"“{self.email[:80]}” is not an e-mail address.") from cause
        if User.objects.filter(email_folded=self.email.casefold()).exists():
            raise Conflict(f"{self.email} has an account already.", code="accounts.user.exists")
        made = User(
            email=self.email, name=_name(self.name, 120), organisation=organisation, zone=zone(self.zone),
            is_service=self.is_service,
        )  # fmt: skip
        made.set_unusable_password()
        return Plan(subject=made, create=[made])


class EditUser(Command, name="accounts.user.edit"):
    """Change a person's name, zone or organisation; people may edit name and zone of their own.

    `valid_until`: from then on neither sign-in nor tokens work. `can_sign_in`: whether they may use pages.
    """

    permission: ClassVar[str] = "accounts.administer"
    user: str
    version: int | None = None
    name: str | Patch = msgspec.UNSET
    zone: str | Patch = msgspec.UNSET
    organisation: str | Patch = msgspec.UNSET
    valid_until: str | Patch | None = msgspec.UNSET
    can_sign_in: bool | Patch = msgspec.UNSET

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.user(actor, self.user)
        access = (self.organisation, self.valid_until, self.can_sign_in)
        if any(given is not msgspec.UNSET for given in access):
            _require_whole(actor, found)
        elif found.pk != actor.pk or actor.scopes is not None:
            queries.require(actor, self.permission, at=found.organisation_id)
        expect(found, self.version)
        values: dict[str, object] = {}
        if self.name is not msgspec.UNSET:
            values["name"] = _name(self.name, 120)
        if self.zone is not msgspec.UNSET:
            values["zone"] = zone(self.zone)
        if self.organisation is not msgspec.UNSET:
            target = queries.organisation(actor, self.organisation)
            queries.require(actor, self.permission, at=target.pk)
            values["organisation"] = target
        if (self.valid_until is not msgspec.UNSET or self.can_sign_in is False) and found.pk == actor.pk:
            raise Forbidden("You cannot lock yourself out; ask another administrator.")
        if self.valid_until is not msgspec.UNSET:
            until = self.valid_until
            values["valid_until"] = parse_instant(until, field="valid_until") if until else None
        if self.can_sign_in is not msgspec.UNSET:
            values["can_sign_in"] = self.can_sign_in
        return Plan(subject=found, change=[(found, values)])


class SetUserActive(Command, name="accounts.user.activate"):
    """Deactivate a person who leaves (tokens and sign-in end at once), or take them back."""

    permission: ClassVar[str] = "accounts.administer"
    user: str
    active: bool
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.user(actor, self.user)
        _require_whole(actor, found)
        expect(found, self.version)
        if found.pk == actor.pk:
            raise Forbidden("You cannot deactivate yourself; ask another administrator.")
        return Plan(subject=found, change=[(found, {"is_active": self.active})])


class CreateServiceAccount(Command, name="accounts.service_account.create"):
    """Add an account for a program: it acts by token alone and cannot sign in, vote or delegate."""

    permission: ClassVar[str] = "accounts.invite"
    slug: str
    name: str
    organisation: str
    zone: str = "UTC"
    valid_until: str | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        address = queries.service_address(text.slug(self.slug, field="slug"))
        made = CreateUser(
            email=address, name=self.name, organisation=self.organisation, zone=self.zone, is_service=True
        ).plan(actor=actor, at=at, lock=lock)
        if self.valid_until and isinstance(made.subject, User):
            made.subject.valid_until = parse_instant(self.valid_until, field="valid_until")
        return made


class InviteUser(Command, name="accounts.user.invite"):
    """Make a link for somebody to choose a password, at first or anew; it stands in the log that it was
    made.
    """

    permission: ClassVar[str] = "accounts.administer"
    user: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.user(actor, self.user)
        _require_whole(actor, found)
        if not found.may_sign_in(at):
            raise Conflict(
                f"{found.name} cannot sign in: {_why_not(found)}.", code="accounts.user.no-sign-in"
            )
        return Plan(subject=found, note={"invited": str(found.uid)}, answer=queries.invitation(found))


class SetPassword(Command, name="accounts.user.set_password"):
    """Choose one's own password. Neither it nor its hash ever enters the log.

    It is hashed when the command is made: that takes long, and a plan may hold the writer's lock.
    """

    user: str
    password: str
    hashed: str = ""

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "hashed", make_password(self.password))

    def __repr__(self) -> str:
        return f"SetPassword(user={self.user!r})"

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = User.objects.filter(
            **(User.lookup(self.user) or {"email_folded": self.user.casefold()})
        ).first()
        if found is None or (found.pk != actor.pk and not actor.is_system):
            raise NotFound(f"There is nobody called “{self.user}”.")
        if found.is_service:
            raise Invalid.field("password", "A service account has no password; it acts by token.")
        try:
            validate_password(self.password, found)
        except ValidationError as cause:
            raise Invalid.field("password", " ".join(cause.messages)) from cause
        return Plan(subject=found, change=[(found, {"password": self.hashed})], note={"password": "set"})


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
        made = Team(slug=_free_slug(Team, self.slug), name=_name(self.name), organisation=organisation)
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
        values: dict[str, object] = {} if self.name is msgspec.UNSET else {"name": _name(self.name)}
        if self.is_active is not msgspec.UNSET:
            values["is_active"] = self.is_active
            if self.is_active and not team.is_active:
                _may_join(actor, team, [m.user_id for m in team.memberships.all()])
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
        return Plan(subject=plan.subject, change=plan.change, create=people.create, remove=people.remove)


def _may_join(actor: Actor, team: Team, people: Sequence[int]) -> None:
    """Check that the actor may give these people what the team was granted: the granter's right.

    :raises Forbidden: they may not, or would give it to themselves.
    """
    places = list(Grant.objects.filter(team=team).values_list("organisation_id", flat=True))
    for where in places:
        queries.require(actor, "accounts.administer", at=where)
    if places and actor.pk in people:
        raise Forbidden("Nobody joins a team that has roles by themselves; ask another administrator.")


class SetMembers(Command, name="accounts.team.set_members"):
    """Say who is in a team."""

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
        remove = [row for pk, row in present.items() if pk not in wanted]
        return Plan(subject=team, create=create, remove=remove)


class GrantRole(Command, name="accounts.grant.create"):
    """Give a role to a person or a team on an organisation and the whole branch below."""

    permission: ClassVar[str] = "accounts.administer"
    role: str
    organisation: str
    user: str | None = None
    team: str | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        organisation = queries.organisation(actor, self.organisation)
        queries.require(actor, self.permission, at=organisation.pk)
        if (self.user is None) == (self.team is None):
            raise Invalid.field("user", "Name either a person or a team.")
        role = queries.role(self.role)
        user = queries.user(actor, self.user) if self.user else None
        team = queries.team(actor, self.team) if self.team else None
        own_team = team is not None and Membership.objects.filter(team=team, user_id=actor.pk or 0).exists()
        if own_team or (user is not None and user.pk == actor.pk):
            raise Forbidden(
                "Nobody grants a role to themselves or a team of their own; ask another administrator."
            )
        if Grant.objects.filter(role=role, organisation=organisation, user=user, team=team).exists():
            raise Conflict("This was granted already.", code="accounts.grant.exists")
        made = Grant(role=role, organisation=organisation, user=user, team=team)
        return Plan(subject=user or team, create=[made], note={"role": role.slug})


class RevokeRole(Command, name="accounts.grant.revoke"):
    """Take a granted role back."""

    permission: ClassVar[str] = "accounts.administer"
    grant: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.grants(actor).filter(**_by_uid(self.grant)).first()
        if found is None:
            raise NotFound(f"There is no grant “{self.grant}”.")
        queries.require(actor, self.permission, at=found.organisation_id)
        if found.user_id == actor.pk:
            raise Forbidden("Nobody revokes a role of their own; ask another administrator.")
        return Plan(subject=found.user or found.team, remove=[found], note={"role": found.role.slug})


class CreateToken(Command, name="accounts.token.create"):
    """Make a key to the API for oneself, or for a service account; the secret is told once, as the answer.

    One that is made with a token may no more than that one, ends with it at the latest, and is revoked with
    it. `days`: 90 when left out, or as long as the token lives that makes it.
    """

    name: str
    user: str | None = None
    scopes: list[str] | None = None
    days: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        owner = queries.user(actor, self.user or _self(actor))
        if owner.pk != actor.pk:
            _require_whole(actor, owner)
            if not owner.is_service and not actor.is_system:
                raise Forbidden(
                    "People make their own tokens; administrators make those of service accounts."
                )
        wanted = PERMISSIONS.keys() if self.scopes is None else set(self.scopes)
        if actor.scopes is not None and not wanted <= actor.scopes:
            raise Forbidden("A token cannot make one that may do more than itself.")
        unknown = sorted(wanted - PERMISSIONS.keys())
        if unknown:
            raise Invalid.field(
                "scopes", f"“{unknown[0]}” is not a permission; there are {', '.join(PERMISSIONS)}."
            )
        if self.days is not None and not 1 <= self.days <= 366:
            raise Invalid.field("days", "A token lives from 1 to 366 days.")
        ends = at + timedelta(days=self.days or 90)
        if actor.until is not None and ends > actor.until:
            if self.days is not None:
                raise Invalid.field(
                    "days",
                    f"A token cannot make one that outlives it; this one ends at {actor.until:%Y-%m-%d %H:%M}"
                    " UTC. Leave days out for the same end.",
                )
            ends = actor.until
        secret = f"fw_{secrets.token_urlsafe(32)}"
        made = ApiToken(
            user=owner, name=_name(self.name, 80), digest=queries.digest(secret), hint=secret[:7],
            scopes=self.scopes, created_at=at, expires_at=ends, made_by_id=actor.token,
        )  # fmt: skip
        return Plan(subject=owner, create=[made], note={"token": str(made.uid)}, answer=secret)


class RevokeToken(Command, name="accounts.token.revoke"):
    """End a token at once, and with it those that were made with it."""

    token: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = ApiToken.objects.select_related("user").filter(**_by_uid(self.token)).first()
        if found is None or not queries.access(actor).sees(found.user.ref()):
            raise NotFound(f"There is no token “{self.token}”.")
        if found.user_id != actor.pk:
            queries.require(actor, "accounts.administer", at=found.user.organisation_id)
        ended, makers = [found], [found.pk]
        while makers:
            made = list(ApiToken.objects.select_related("user").filter(made_by__in=makers).order_by("pk"))
            ended += made
            makers = [token.pk for token in made]
        alive = [token for token in ended if token.revoked_at is None]
        return Plan(subject=found.user, change=[(token, {"revoked_at": at}) for token in alive])


class CreateShareLink(Command, name="accounts.share_link.create"):
    """Make a read-only link; its secret is told once, as the answer."""

    permission: ClassVar[str] = "accounts.share"
    name: str
    what: str
    query: dict[str, str] = {}
    fields: list[str] = []
    people: bool = False
    days: int = 14

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        queries.require(actor, self.permission, at=None)
        if actor.scopes is not None:
            raise Forbidden("A link cannot be made with this token: it has scopes; sign in.")
        maker = queries.user(actor, _self(actor))
        if maker.is_service:
            raise Forbidden("A person makes links: they die with what their maker may see.")
        if not 1 <= self.days <= 90:
            raise Invalid.field("days", "A link lives from 1 to 90 days.")
        if not self.fields:
            raise Invalid.field("fields", "Name at least one field to show.")
        if len(self.what) > 130 or len(msgspec.json.encode([self.query, self.fields])) > 4_000:
            raise Invalid.field("query", "This is too long.")
        secret = secrets.token_urlsafe(32)
        made = ShareLink(
            maker=maker, name=_name(self.name), digest=queries.digest(secret), what=self.what,
            query=self.query,
            fields=list(dict.fromkeys(self.fields)), people=self.people, created_at=at,
            expires_at=at + timedelta(days=self.days),
        )  # fmt: skip
        return Plan(subject=maker, create=[made], note={"link": str(made.uid)}, answer=secret)


class RevokeShareLink(Command, name="accounts.share_link.revoke"):
    """Take a link back at once."""

    permission: ClassVar[str] = "accounts.share"
    link: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = ShareLink.objects.select_related("maker").filter(**_by_uid(self.link)).first()
        if found is None or not queries.access(actor).sees(found.maker.ref()):
            raise NotFound(f"There is no link “{self.link[:60]}”.")
        if found.maker_id == actor.pk:
            queries.require(actor, self.permission, at=None)
        else:
            queries.require(actor, "accounts.administer", at=found.maker.organisation_id)
        return Plan(subject=found.maker, change=[] if found.revoked_at else [(found, {"revoked_at": at})])


class Delegate(Command, name="accounts.delegation.create"):
    """Let somebody act for oneself for a time; an administrator does it for whoever cannot (`giver`)."""

    taker: str
    start: str
    end: str
    giver: str | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        giver = queries.user(actor, self.giver or _self(actor))
        if actor.scopes is not None:
            raise Forbidden("A token with scopes cannot delegate; sign in.")
        taker = queries.user(actor, self.taker)
        if giver.pk != actor.pk:
            _require_whole(actor, giver)
            if taker.pk == actor.pk:
                raise Forbidden("Nobody takes over for somebody by themselves; ask another administrator.")
        if taker.pk == giver.pk:
            raise Invalid.field("taker", "Name somebody else.")
        for who, field in ((giver, "giver"), (taker, "taker")):
            if who.is_service or not who.valid_at(at):
                raise Invalid.field(field, f"{who.name} is not a person who works here now.")
        period = Period(parse_instant(self.start, field="start"), parse_instant(self.end, field="end"))
        if period.end <= at:
            raise Invalid.field("end", "This is over already.")
        if period.length > LONGEST_DELEGATION:
            raise Invalid.field("end", f"A delegation lasts {LONGEST_DELEGATION.days} days at most.")
        made = Delegation(giver=giver, taker=taker, starts_at=period.start, ends_at=period.end)
        return Plan(subject=giver, create=[made])


class EndDelegation(Command, name="accounts.delegation.end"):
    """End a delegation at once; one that has not begun is taken back."""

    delegation: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.delegations(actor).filter(**_by_uid(self.delegation)).first()
        if found is None:
            raise NotFound(f"There is no delegation “{self.delegation}”.")
        if actor.pk not in {found.giver_id, found.taker_id}:
            queries.require(actor, "accounts.administer", at=found.giver.organisation_id)
        if at <= found.starts_at:
            return Plan(subject=found.giver, remove=[found])
        return Plan(subject=found.giver, change=[(found, {"ends_at": min(at, found.ends_at)})])


class PutRateRule(Command, name="accounts.rate_rule.put"):
    """Say how many calls a person, whoever has a role, or everybody may make in a minute."""

    permission: ClassVar[str] = "accounts.administer"
    per_minute: int
    burst: int
    user: str | None = None
    role: str | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        if self.user and self.role:
            raise Invalid.field("role", "Name a person or a role, not both.")
        user = queries.user(actor, self.user) if self.user else None
        role = queries.role(self.role) if self.role else None
        _require_rate(actor, user)
        for field in ("per_minute", "burst"):
            if not 1 <= getattr(self, field) <= MOST_CALLS:
                raise Invalid.field(field, f"This goes from 1 to {MOST_CALLS:,}.")
        values = {"per_minute": self.per_minute, "burst": self.burst}
        found = RateRule.objects.filter(user=user, role=role).first()
        if found is not None:
            return Plan(subject=user, change=[(found, values)], note={"role": role.slug} if role else {})
        made = RateRule(user=user, role=role, **values)
        return Plan(subject=user, create=[made], note={"role": role.slug} if role else {})


class RemoveRateRule(Command, name="accounts.rate_rule.remove"):
    """Take a limit away; the next wider one holds."""

    permission: ClassVar[str] = "accounts.administer"
    rule: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.rate_rules(actor).filter(**_by_uid(self.rule)).first()
        if found is None:
            raise NotFound(f"There is no limit “{self.rule[:60]}”.")
        _require_rate(actor, found.user)
        return Plan(subject=found.user, remove=[found])


MOST_CALLS = 10_000_000


def _require_rate(actor: Actor, user: User | None) -> None:
    """Check that the actor may set a limit: of a person whom they administer, else for the whole tree."""
    if user is not None:
        _require_whole(actor, user)
    else:
        queries.require(actor, "accounts.administer", at=-1)


BULK_AT_ONCE = 500
"""Rows that are written within one request; more become a job."""
TOLD_OF_A_JOB = 500
"""Refused rows that the result of such a job tells."""


class AskForBulk(Command, name="accounts.bulk.ask"):
    """Let a job run many commands, for who asks and with what they may then; each is checked as ever."""

    what: str
    pending: str
    rows: int

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        job = queued(
            run_bulk,
            {"pending": self.pending, "rows": self.rows},
            actor=actor,
            organisation=queries.home(actor),
            title=f"{self.rows:,} {self.what}",
        )
        return Plan(subject=job, create=[job], note={"rows": self.rows, "what": self.what})


def entered(commands: Sequence[Command], *, at: datetime) -> str:
    """Keep commands for a job to run; return the name they are kept under."""
    lines = (
        msgspec.json.encode([command.command, msgspec.to_builtins(command)]) + b"\n" for command in commands
    )
    blob = blobs.store(lines, media_type="application/x-ndjson", at=at)
    return str(BulkRequest.objects.create(blob=blob, created_at=at).pk)


@task(title="Rows in bulk")
def run_bulk(context: JobContext, pending: str, rows: int) -> dict[str, Any]:
    """Run commands that were kept, five hundred to a transaction; goes on where an attempt before stopped."""
    asked = BulkRequest.objects.select_related("blob").filter(pk=pending).first()
    if asked is None:
        raise NotFound("The rows of this job are not kept any more.")
    totals = context.state.setdefault(
        "totals", dict.fromkeys(("created", "changed", "unchanged", "refused"), 0)
    )
    told = context.state.setdefault("refused", [])
    with blobs.opened(asked.blob) as source:
        left = islice(source, context.state.get("next", 0), None)
        while batch := list(islice(left, BULK_AT_ONCE)):
            commands = [build(*msgspec.json.decode(line)) for line in batch]
            actor = context.actor
            with context.transaction():
                start = context.state.get("next", 0)
                for number, answer in enumerate(execute_many(commands, actor=actor), start):
                    if isinstance(answer, Problem):
                        totals["refused"] += 1
                        if len(told) < TOLD_OF_A_JOB:
                            told.append({"row": number, "problem": answer.document()})
                    else:
                        totals[answered(answer)[0]] += 1
                context.state["next"] = start + len(batch)
                context.progress(start + len(batch), rows, "rows")
    with context.transaction():
        asked.delete()
        context.finish({**totals, "rows": rows, "problems": told})
    return {}


def answered(
    one: Outcome | Plan,
) -> tuple[Literal["created", "changed", "unchanged"], Ref | None, int | None]:
    """Return what came of a command, or would: the result, the record and its version."""
    if isinstance(one, Outcome):
        changed = one.sequence is not None
        return ("created" if one.created else "changed" if changed else "unchanged"), one.subject, one.version
    made = any(row is one.subject for row in one.create)
    moved = any(getattr(row, name) != value for row, values in one.change for name, value in values.items())
    changed = bool(one.create or one.remove or one.note or one.texts or moved)
    subject = one.subject.ref() if one.subject is not None else None
    version = one.subject.version if one.subject is not None and not made else None
    return ("created" if made else "changed" if changed else "unchanged"), subject, version


class ExportList(Command, name="accounts.list.export"):
    """Note that a list leaves as a file: which, in what form, and what was asked for."""

    name: str
    form: str
    given: dict[str, str] = {}

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        who = User.objects.filter(pk=actor.pk).first() if actor.pk is not None else None
        asked = "&".join(f"{name}={value}" for name, value in sorted(self.given.items()))
        texts = {"asked": asked[:2000]} if asked else {}
        return Plan(subject=who, note={"list": self.name, "form": self.form}, texts=texts)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())  # it reads the file system


def zone(name: str) -> str:
    """Return the name of a time zone.

    :raises Invalid: the IANA database has no such zone.
    """
    if name not in _zones():
        raise Invalid.field(
            "zone", f"“{name[:60]}” is not an IANA time zone; write one such as Europe/London."
        )
    return name


def _self(actor: Actor) -> str:
    """Return the uid of who acts.

    :raises Invalid: Fairway itself acts; it has no account.
    """
    if actor.pk is None:
        raise Invalid.field("user", "Name the person or service account.")
    return actor.uid


def _require_whole(actor: Actor, user: User) -> None:
    """Check that the actor administers the person everywhere they have a role.

    :raises Forbidden: somewhere they do not.
    """
    queries.require(actor, "accounts.administer", at=user.organisation_id)
    if not queries.administers(actor, user):
        raise Forbidden(
            f"{user.name} has roles outside the branches that you administer; ask an administrator of those."
        )


def _why_not(user: User) -> str:
    if user.is_service:
        return "a service account acts by token"
    return "the account is not active" if user.can_sign_in else "the account may not sign in"


def _name(text: str, longest: int = 200) -> str:
    text = " ".join(text.split())
    if not 1 <= len(text) <= longest:
        raise Invalid.field("name", f"A name has 1 to {longest} characters.")
    if any(character < " " or character == "\x7f" for character in text):
        raise Invalid.field("name", "A name holds no control characters.")
    return text


def _free_slug(model: type[Model], slug: str) -> str:
    text.slug(slug, field="slug")
    if model._default_manager.filter(slug=slug).exists():
        raise Conflict(f"The key “{slug}” is taken.", code="slug-taken")
    return slug


def _by_uid(reference: str) -> dict[str, object]:
    from_uid = uid_lookup(reference)
    return dict(from_uid) if from_uid else {"pk__in": ()}
