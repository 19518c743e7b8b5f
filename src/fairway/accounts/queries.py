"""Who somebody is, what they see and may do; the one visibility filter used by every query."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

import msgspec
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Count, Model, Q, QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac

from fairway.accounts.models import (
    ApiToken,
    Delegation,
    Grant,
    Membership,
    Organisation,
    OrganisationPath,
    RateRule,
    Role,
    RoleProposal,
    ShareLink,
    Team,
    User,
)
from fairway.accounts.rules import PERMISSIONS as PERMISSIONS
from fairway.accounts.words import words_for
from fairway.audit import queries as audit
from fairway.kernel.actor import Actor
from fairway.kernel.cache import Kept
from fairway.kernel.db import fetch
from fairway.kernel.errors import Forbidden, NotFound
from fairway.kernel.listing import Column, Listing, ListQuery, search_words
from fairway.kernel.models import fold, uid_lookup
from fairway.kernel.refs import Ref
from fairway.policy import Words

M = TypeVar("M", bound=Model)
Organisations = frozenset[int] | None
"""Primary keys; None stands for the whole tree."""
DELEGATED = ("changes.view", "changes.approve")
"""What goes over to whoever stands in for somebody, as far as that person may it."""


@dataclass(frozen=True, slots=True)
class Access:
    """What an actor sees and may do, by organisation."""

    organisations: Organisations
    permissions: Mapping[str, Organisations]
    roles: Mapping[str, Organisations] | None = None
    """By key; None: all of them, everywhere."""

    def sees(self, ref: Ref) -> bool:
        return (
            self.organisations is None or ref.organisation is None or ref.organisation in self.organisations
        )

    def may(self, permission: str, organisation: int | None) -> bool:
        """Say whether the actor may do this there; None as organisation: anywhere at all."""
        if permission not in self.permissions:
            return False
        where = self.permissions[permission]
        return where is None or organisation is None or organisation in where

    def has_role(self, roles: Collection[str], organisation: int | None) -> bool:
        """Say whether the actor has one of these roles there; None as organisation: anywhere at all."""
        if self.roles is None:
            return True
        for role in roles:
            if role in self.roles:
                where = self.roles[role]
                if where is None or organisation is None or organisation in where:
                    return True
        return False


EVERYTHING = Access(None, dict.fromkeys(PERMISSIONS))
NOTHING = Access(frozenset(), {}, {})


@dataclass(frozen=True, slots=True)
class Tree:
    """The organisation tree by primary key: each organisation with those above, and with those below, and
    itself.
    """

    root: int | None
    above: Mapping[int, frozenset[int]]
    below: Mapping[int, frozenset[int]]


def access(actor: Actor) -> Access:
    """Return what the actor sees and may do; kept per process until anything in accounts is written."""
    if actor.is_system or actor.pk is None:
        return EVERYTHING if actor.is_system else NOTHING
    return _known_access(actor, _standing_in(actor))


def own_access(actor: Actor) -> Access:
    """Return what the actor sees and may do by themselves, standing in for nobody."""
    return access(actor) if actor.is_system or actor.pk is None else _known_access(actor, ())


def stands_in(actor: Actor, permission: str, organisation: int) -> int | None:
    """Return for whom the actor would use a permission there: None for themselves, or where they may not."""
    if own_access(actor).may(permission, organisation):
        return None
    for giver in _standing_in(actor):
        if own_access(_giver(giver, actor)).may(permission, organisation):
            return giver
    return None


def _known_access(actor: Actor, givers: tuple[int, ...]) -> Access:
    revision = _revision(actor)
    kept = _ACCESSES.at(revision)
    key = (actor.pk or 0, actor.scopes, givers)
    known = kept.get(key)
    if known is None:
        if len(kept) > 10_000:
            kept.clear()
        known = _access(actor, revision)
        for giver in givers:
            known = _joined(known, _known_access(_giver(giver, actor), ()))
        kept[key] = known
    return known


def _giver(giver: int, taker: Actor) -> Actor:
    """Return the giver of a delegation as an actor that may what the taker's token lets through."""
    return replace(taker, pk=giver, scopes=taker.scopes)


def _standing_in(actor: Actor) -> tuple[int, ...]:
    """Return for whom the actor stands in now; only a person can."""
    given = _delegations.at(_revision(actor))[1].get(actor.pk or 0, ()) if actor.kind == "person" else ()
    if not given:
        return ()
    now = datetime.now(UTC)
    return tuple(sorted({giver for giver, starts, ends in given if starts <= now < ends}))


def _joined(own: Access, given: Access) -> Access:
    """Return an access with that part of another's which goes over to who stands in for them."""
    places: list[Organisations] = [given.permissions[name] for name in DELEGATED if name in given.permissions]
    permissions = dict(own.permissions)
    for name in DELEGATED:
        if name in given.permissions:
            permissions[name] = _union(permissions.get(name, frozenset()), given.permissions[name])
    seen = own.organisations
    for place in places:
        seen = _union(seen, place)
    return Access(seen, permissions, own.roles)


def _union(one: Organisations, other: Organisations) -> Organisations:
    return None if one is None or other is None else one | other


def require(actor: Actor, permission: str, *, at: int | None) -> None:
    """Check that the actor may do this on the organisation (None: anywhere).

    :raises Forbidden: the actor may not; the message names the permission.
    """
    if not access(actor).may(permission, at):
        what = PERMISSIONS[permission].lower()
        scoped = " with this token" if actor.scopes is not None else ""
        raise Forbidden(f"You may not do this here{scoped}: it needs the permission {permission} ({what}).")


def visible(queryset: QuerySet[M], actor: Actor, field: str = "organisation_id") -> QuerySet[M]:
    """Limit a queryset to what the actor may see."""
    organisations = access(actor).organisations
    return queryset if organisations is None else queryset.filter(**{f"{field}__in": organisations})


def tree(revision: int | None = None) -> Tree:
    """Return the organisation tree, kept per process; one statement where the revision is not given."""
    return _TREE.at(audit.revisions().get("accounts", 0) if revision is None else revision)


def ancestors(organisation: int) -> frozenset[int]:
    """Return the organisation and all above it."""
    return tree().above.get(organisation, frozenset({organisation}))


def descendants(organisation: int) -> frozenset[int]:
    """Return the organisation and all below it."""
    return tree().below.get(organisation, frozenset({organisation}))


branch = ancestors


def organisation(actor: Actor, reference: str) -> Organisation:
    """Return the organisation by slug or uid.

    :raises NotFound: there is none, or the actor may not see it.
    """
    found = visible(
        Organisation.objects.filter(**(uid_lookup(reference) or {"slug": reference})), actor, "pk"
    ).first()
    if found is None:
        raise NotFound(f"There is no organisation “{reference}”.")
    return found


def organisations(actor: Actor) -> QuerySet[Organisation]:
    return visible(Organisation.objects.order_by("name_folded"), actor, "pk")


def called(actor: Actor, name: str) -> list[Organisation]:
    """Return the visible organisations of this name, in whatever case, with those above them; ten at most."""
    named = organisations(actor).filter(name_folded=fold(name.strip()), archived_at=None)
    return list(named.select_related("parent").order_by("slug")[:10])


def root() -> Organisation | None:
    """Return the root of the tree; None before the first start is through."""
    return Organisation.objects.filter(parent=None).first()


def user(actor: Actor, reference: str) -> User:
    """Return the person by key, uid or e-mail address.

    :raises NotFound: there is none, or the actor may not see them.
    """
    lookup = User.lookup(reference) or {"email_folded": reference.casefold()}
    found = people(actor).filter(**lookup).first()
    if found is None:
        raise NotFound(f"There is nobody called “{reference}”.")
    return found


def people(actor: Actor) -> QuerySet[User]:
    """Return the people whom the actor may see, themselves always included."""
    everyone = User.objects.order_by("name_folded", "pk")
    organisations = access(actor).organisations
    if organisations is None:
        return everyone
    return everyone.filter(Q(organisation_id__in=organisations) | Q(pk=actor.pk or 0))


def by_slug(reference: str) -> Mapping[str, object]:
    """Return the filter that finds a reference by slug or uid."""
    return uid_lookup(reference) or {"slug": reference}


PEOPLE = Listing(
    columns={
        "name": Column("name_folded", "folded", sorts=True),
        "key": Column("number", "number", sorts=True, prefix=User.prefix),
        "organisation": Column("organisation", refers=by_slug),
        "active": Column("is_active", "flag"),
        "service": Column("is_service", "flag"),
        "can_sign_in": Column("can_sign_in", "flag"),
        "valid_until": Column("valid_until", "instant", sorts=True),
    },
    values=(
        "number", "name", "email", "zone", "is_active", "is_service", "can_sign_in", "valid_until",
        "organisation__slug", "organisation__name", "version",
    ),
    sort="name",
    search=search_words("name_folded", "email_folded"),
)  # fmt: skip


class PeopleQuery(ListQuery, kw_only=True, columns=PEOPLE.columns):
    """Filters of the list of people."""

    organisation: str = ""
    active: str = ""
    service: str = ""


SERVICES = Listing(
    columns={name: PEOPLE.columns[name] for name in ("name", "key", "organisation", "active", "valid_until")},
    values=(*PEOPLE.values, "standing"),
    sort="name",
    search=PEOPLE.search,
)


class ServiceQuery(ListQuery, kw_only=True, columns=SERVICES.columns):
    """Filters of the list of service accounts."""


def services(actor: Actor, *, at: datetime) -> QuerySet[User]:
    """Return the service accounts that the actor may see, each with the number of its `standing` tokens."""
    standing = Q(tokens__revoked_at=None, tokens__expires_at__gt=at)
    return people(actor).filter(is_service=True).annotate(standing=Count("tokens", filter=standing))


def service_account(actor: Actor, reference: str) -> User:
    """Return the service account by key, uid or address.

    :raises NotFound: there is none, or the actor may not see it.
    """
    found = user(actor, reference)
    if not found.is_service:
        raise NotFound(f"There is no service account “{reference}”.")
    return found


def rate_target(user: str | None, role: str | None) -> dict[str, object]:
    """Return the filter that finds the limit of a person, a role or everybody."""
    lookup: Mapping[str, object] = {}
    if user is not None:
        lookup = User.lookup(user) or {"email_folded": user.casefold()}
        return {f"user__{name}": value for name, value in lookup.items()}
    if role is None:
        return {"user": None, "role": None}
    return {f"role__{name}": value for name, value in by_slug(role).items()}


def service_address(slug: str) -> str:
    """Return the address that names a service account; no mail goes there (RFC 2606)."""
    return f"{slug}@service-account.invalid"


def rate_rules(actor: Actor) -> QuerySet[RateRule]:
    """Return the limits of people whom one sees; those of roles and of everybody to whole-tree roles."""
    query = RateRule.objects.select_related("user", "role").order_by("pk")
    return visible(query, actor, "user__organisation_id")


def share_links(actor: Actor) -> QuerySet[ShareLink]:
    """Return one's own links, and those of people whom one administers."""
    query = ShareLink.objects.select_related("maker", "opening").order_by("-created_at", "-pk")
    where = access(actor).permissions.get("accounts.administer", frozenset())
    if where is None:
        return query
    return query.filter(Q(maker_id=actor.pk or 0) | Q(maker__organisation_id__in=where))


def administers(actor: Actor, user: User) -> bool:
    """Say whether the actor administers the person: where they belong and everywhere they have a role.

    Less would let the administrator of one branch act as somebody who has roles in another.
    """
    allowed = access(actor)
    teams = Membership.objects.filter(user=user).values("team_id")
    places = Grant.objects.filter(Q(user=user) | Q(team__in=teams)).values_list("organisation_id", flat=True)
    return all(allowed.may("accounts.administer", where) for where in {user.organisation_id, *places})


def refs(people: Collection[int]) -> Mapping[int, Ref]:
    """Return the references to people by primary key, whoever asks."""
    columns = ("pk", "number", "name", "uid", "organisation_id")
    return {
        pk: Ref(User.kind, f"{User.prefix}-{number}", name, str(uid), pk, organisation)
        for pk, number, name, uid, organisation in User.objects.filter(pk__in=people).values_list(*columns)
    }


def names(uids: Collection[str]) -> Mapping[str, str]:
    """Return people's names by uid, for histories."""
    return {str(uid): name for uid, name in User.objects.filter(uid__in=uids).values_list("uid", "name")}


def team_slugs(actor: Actor) -> set[str]:
    """Return the keys of all teams that the actor may see and that are in use."""
    found = visible(Team.objects.filter(archived_at=None), actor)
    return set(found.values_list("slug", flat=True))


def team(actor: Actor, reference: str) -> Team:
    """Return the team by slug or uid.

    :raises NotFound: there is none, or the actor may not see it.
    """
    found = teams(actor).filter(**(Team.lookup(reference) or {"slug": reference})).first()
    if found is None:
        raise NotFound(f"There is no team “{reference}”.")
    return found


def teams(actor: Actor) -> QuerySet[Team]:
    return visible(Team.objects.order_by("name_folded"), actor)


def members(actor: Actor, team: Team) -> QuerySet[User]:
    """Return the members of a team that the actor may see, by name."""
    return people(actor).filter(memberships__team=team)


def places(actor: Actor, permission: str) -> Organisations:
    """Return the organisations where the actor has a permission; None: everywhere."""
    return access(actor).permissions.get(permission, frozenset())


def active_people() -> QuerySet[User]:
    """Return everybody who signs in: for what is told to people, never for what a person is shown."""
    return User.objects.filter(is_active=True, is_service=False)


def myself(actor: Actor) -> User:
    """Return the person or service account that acts.

    :raises Forbidden: it is Fairway itself.
    """
    found = User.objects.filter(pk=actor.pk or 0).first()
    if found is None:
        raise Forbidden("This is done by people and service accounts only.")
    return found


def team_keys(actor: Actor) -> QuerySet[Membership, int]:
    """Return the primary keys of the teams that the actor is a member of."""
    return Membership.objects.filter(user_id=actor.pk or 0).values_list("team_id", flat=True)


def member_keys(team: int) -> list[int]:
    """Return the primary keys of a team's members."""
    return list(Membership.objects.filter(team_id=team).values_list("user_id", flat=True))


def role_keys(actor: Actor) -> QuerySet[Grant, int]:
    """Return the primary keys of the roles that the actor has anywhere, directly or through teams."""
    held = Grant.objects.filter(Q(user_id=actor.pk or 0) | Q(team__in=team_keys(actor)))
    return held.values_list("role_id", flat=True)


def roles() -> QuerySet[Role]:
    """Return the roles in use: the built-in ones first."""
    return Role.objects.filter(archived_at=None).order_by("position", "slug")


def role(reference: str, *, lock: bool = False) -> Role:
    """Return the role in use by key or uid; `lock`: so that it neither changes nor goes meanwhile.

    :raises NotFound: there is none.
    """
    found = _locked(roles(), lock).filter(**by_slug(reference)).first()
    if found is None:
        raise NotFound(f"There is no role “{reference}”.")
    return found


def _locked(query: QuerySet[M], lock: bool) -> QuerySet[M]:
    return query.select_for_update(no_key=True, of=("self",)) if lock else query


def whole(actor: Actor, permission: str = "accounts.administer") -> bool:
    """Say whether the actor has a permission on the whole tree."""
    return access(actor).may(permission, -1)


def role_proposals(actor: Actor) -> QuerySet[RoleProposal]:
    """Return what was proposed about roles: to whoever administers anything; they may get such roles."""
    query = RoleProposal.objects.select_related("role", "proposer", "decider").order_by("-pk")
    return query if access(actor).may("accounts.administer", None) else query.none()


def role_proposal(actor: Actor, reference: str, *, lock: bool = False) -> RoleProposal:
    """Return what was proposed, by uid.

    :raises NotFound: there is none, or the actor may not see it.
    """
    lookup = uid_lookup(reference)
    found = _locked(role_proposals(actor), lock).filter(**lookup).first() if lookup else None
    if found is None:
        raise NotFound(f"There is no proposal “{reference[:60]}”.")
    return found


@dataclass(frozen=True, slots=True)
class RoleEffect:
    """What a proposal would give and take, and whom it would reach: the grants of its role.

    `people`: how many there are of them, each once.
    """

    gained: list[str]
    lost: list[str]
    grants: list[Grant]
    people: int


def gained(proposal: RoleProposal) -> list[str]:
    """Return the permissions that a role would have and has not yet."""
    before = set(proposal.role.permissions) if proposal.role is not None else set()
    return sorted(set(proposal.permissions) - before) if proposal.action != RoleProposal.Action.REMOVE else []


MOST_GRANTS = 200
"""Grants that an effect names."""


def role_effect(actor: Actor, proposal: RoleProposal) -> RoleEffect:
    """Return what would follow from a proposal as things stand, as far as the actor sees the grants."""
    before = set(proposal.role.permissions) if proposal.role is not None else set()
    after = set() if proposal.action == RoleProposal.Action.REMOVE else set(proposal.permissions)
    held = grants(actor).order_by("organisation__name_folded", "pk")
    held = held.filter(role=proposal.role) if proposal.role is not None else held.none()
    through = Q(team__in=held.order_by().values("team_id"), team__is_active=True)
    reached = Q(pk__in=held.order_by().values("user_id"))
    reached |= Q(pk__in=Membership.objects.filter(through).values("user_id"))
    people = User.objects.filter(reached, is_active=True).count()
    return RoleEffect(sorted(after - before), sorted(before - after), list(held[:MOST_GRANTS]), people)


def exceeding(actor: Actor, permissions: Collection[str], organisation: int) -> list[str]:
    """Return which of these permissions the actor does not hold there: nobody gives more than they hold.

    A token gives what its person holds, where it may give at all; standing in for somebody gives nothing.
    """
    if actor.is_system:
        return []
    own = own_access(replace(actor, scopes=None))
    return sorted(name for name in permissions if not own.may(name, organisation))


def exceeding_of(actor: Actor, *, user: User | None = None, team: Team | None = None) -> list[str]:
    """Return which permissions a person has, or a team, that the actor does not hold in the same place."""
    held = Q(user=user) | Q(team__in=Membership.objects.filter(user=user).values("team_id"))
    given = Grant.objects.filter(Q(team=team) if team is not None else held)
    found: set[str] = set()
    for where, permissions in given.values_list("organisation_id", "role__permissions"):
        found.update(exceeding(actor, permissions, where))
    return sorted(found)


def administered(
    *,
    at: datetime,
    grant: int | None = None,
    user: int | None = None,
    team: int | None = None,
    members: Collection[int] = (),
    role: int | None = None,
) -> bool:
    """Say whether somebody who signs in administers the whole tree: without this grant, person, team, these
    memberships, or this role.
    """
    allowed = [
        pk
        for pk, permissions in Role.objects.values_list("pk", "permissions")
        if pk != role and "accounts.administer" in permissions
    ]
    given = Grant.objects.filter(role__in=allowed, organisation__parent=None).exclude(pk=grant or 0)
    teams = given.filter(team__is_active=True).exclude(team=team or 0).values("team_id")
    through = Membership.objects.filter(team__in=teams).exclude(pk__in=members).values("user_id")
    direct = given.filter(user__isnull=False).values("user_id")
    there = User.objects.filter(is_active=True, is_service=False, can_sign_in=True).exclude(pk=user or 0)
    standing = there.filter(Q(valid_until=None) | Q(valid_until__gt=at))
    return standing.filter(Q(pk__in=direct) | Q(pk__in=through)).exists()


def grants(actor: Actor) -> QuerySet[Grant]:
    query = Grant.objects.select_related("role", "organisation", "user", "team").order_by("pk")
    return visible(query, actor)


def grant(actor: Actor, role: str, organisation: str, who: Ref | None) -> QuerySet[Grant]:
    """Return the grant of a role on an organisation to a person or team, as none or one."""
    of = {f"role__{name}": value for name, value in by_slug(role).items()}
    where = {f"organisation__{name}": value for name, value in by_slug(organisation).items()}
    found = grants(actor).filter(**of, **where)
    return found.filter(Q(user__uid=who.uid) | Q(team__uid=who.uid)) if who is not None else found.none()


def grants_of(actor: Actor, user: User) -> QuerySet[Grant]:
    """Return the grants that a person has, directly or through teams, as far as the actor sees them."""
    return (
        grants(actor).filter(Q(user=user) | Q(team__memberships__user=user)).order_by("role__position", "pk")
    )


def roles_of(user: User) -> QuerySet[Grant]:
    """Return all grants that a person has: for themselves."""
    query = Grant.objects.select_related("role", "organisation", "team")
    return query.filter(Q(user=user) | Q(team__memberships__user=user)).order_by("role__position", "pk")


def roles_by_person(actor: Actor, numbers: Collection[int]) -> dict[int, list[str]]:
    """Return, by number, the names of the roles that people hold where the actor sees: one statement."""
    named = Q(user__number__in=numbers) | Q(team__memberships__user__number__in=numbers)
    grants = visible(Grant.objects.filter(named), actor).order_by("role__position", "role__name")
    found: dict[int, list[str]] = {}
    columns = ("user__number", "team__memberships__user__number", "role__name")
    for person, member, role in grants.values_list(*columns):
        names = found.setdefault(person if person is not None else member, [])
        if role not in names:
            names.append(role)
    return found


def teams_of(user: User) -> QuerySet[Team]:
    return Team.objects.filter(memberships__user=user).order_by("name_folded")


def team_sizes(actor: Actor) -> QuerySet[Team, tuple[str, str, str, int]]:
    """Return key, name, organisation and number of members of each team that the actor sees."""
    return (
        teams(actor)
        .annotate(size=Count("memberships"))
        .values_list("slug", "name", "organisation__name", "size")
    )


def organisations_where(actor: Actor, permission: str) -> QuerySet[Organisation]:
    """Return the organisations on which the actor has a permission, by name."""
    where = places(actor, permission)
    found = Organisation.objects.order_by("name_folded")
    return found if where is None else found.filter(pk__in=where)


def outline(actor: Actor) -> list[tuple[Organisation, int, int]]:
    """Return the tree that the actor sees, parents before children: node, depth, number of active people."""
    active = User.objects.filter(is_active=True).order_by()
    sizes = dict(active.values_list("organisation_id").annotate(size=Count("pk")))
    nodes = list(organisations(actor))
    known = {node.pk for node in nodes}
    below: dict[int | None, list[Organisation]] = {}
    for node in nodes:
        below.setdefault(node.parent_id if node.parent_id in known else None, []).append(node)
    found: list[tuple[Organisation, int, int]] = []

    def walk(parent: int | None, depth: int) -> None:
        for node in below.get(parent, ()):
            found.append((node, depth, sizes.get(node.pk, 0)))
            walk(node.pk, depth + 1)

    walk(None, 0)
    return found


def way_to(actor: Actor, organisation: Organisation) -> list[Organisation]:
    """Return the organisations from the top down to this one, as far as the actor sees them."""
    above = visible(OrganisationPath.objects.filter(descendant=organisation), actor, "ancestor_id")
    return [path.ancestor for path in above.select_related("ancestor").order_by("-distance")]


def delegations(actor: Actor) -> QuerySet[Delegation]:
    """Return the delegations that one's own people gave, and those given to oneself."""
    query = Delegation.objects.select_related("giver", "taker").order_by("-starts_at", "-pk")
    organisations = access(actor).organisations
    if organisations is None:
        return query
    return query.filter(Q(giver__organisation_id__in=organisations) | Q(giver=actor.pk) | Q(taker=actor.pk))


def tokens(actor: Actor) -> QuerySet[ApiToken]:
    """Return one's own tokens, and those of service accounts and people whom one administers."""
    query = ApiToken.objects.select_related("user").order_by("-created_at", "-pk")
    where = access(actor).permissions.get("accounts.administer", frozenset())
    if where is None:
        return query
    return query.filter(Q(user_id=actor.pk or 0) | Q(user__organisation_id__in=where))


def invitation(user: User) -> str:
    """Return the path at which the person chooses a password: once, for three days.

    The link is void once it was used or the person signed in.
    """
    return f"/join/{user.uid}/{_INVITATIONS.make_token(user)}"


def invited(uid: str, token: str) -> User | None:
    """Return whom an invitation is for, or None where it is void."""
    lookup = uid_lookup(uid)
    user = User.objects.filter(**lookup).first() if lookup else None
    if user is None or not user.may_sign_in(datetime.now(UTC)):
        return None
    return user if _INVITATIONS.check_token(user, token) else None


def home(actor: Actor) -> int | None:
    """Return the organisation that a person belongs to; None: Fairway itself."""
    return User.objects.filter(pk=actor.pk or 0).values_list("organisation_id", flat=True).first()


def words(actor: Actor) -> Words:
    """Return how this person is told of times: in their zone, as on every screen."""
    return words_for(actor.zone)


def delegates(users: Collection[int], *, at: datetime) -> frozenset[int]:
    """Return the people who act for any of these at the instant."""
    given = _delegations.at(audit.revisions().get("accounts", 0))[0]
    return frozenset(
        taker for giver in users for taker, starts, ends in given.get(giver, ()) if starts <= at < ends
    )


_Given = dict[int, list[tuple[int, datetime, datetime]]]


def _read_delegations(revision: int, last: tuple[int, tuple[_Given, _Given]] | None) -> tuple[_Given, _Given]:
    """Return who stands in for whom and when: by giver, and by taker as long as the giver is still here."""
    by_giver: _Given = {}
    by_taker: _Given = {}
    columns = ("giver_id", "taker_id", "starts_at", "ends_at", "giver__is_active", "giver__valid_until")
    for giver, taker, starts, ends, active, until in Delegation.objects.values_list(*columns):
        by_giver.setdefault(giver, []).append((taker, starts, ends))
        if active:
            by_taker.setdefault(taker, []).append((giver, starts, min(ends, until or ends)))
    return by_giver, by_taker


_delegations = Kept(_read_delegations)


def person(user: User, *, request_id: str = "", revisions: Mapping[str, int] | None = None) -> Actor:
    """Return the actor for a signed-in person."""
    return Actor(
        "service" if user.is_service else "person",
        user.pk,
        str(user.uid),
        user.name,
        user.zone,
        request_id=request_id,
        revisions=revisions if revisions is not None else audit.revisions(),
    )


def renewed(actor: Actor) -> Actor:
    """Return the same actor as of now, after a write that changed what they see."""
    return replace(actor, revisions=audit.revisions())


def digest(secret: str) -> str:
    """Return what is stored of a token: SHA-256 is enough for 32 random bytes, and costs nothing per call."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _bearer(vendor: str, key: str) -> str:
    """Return the statement that finds a token by digest or uid, with its person and the revisions."""
    aggregate = {"postgresql": "json_object_agg", "sqlite": "json_group_object"}[vendor]
    return (
        "SELECT u.id, u.uid, u.name, u.zone, u.is_service, t.scopes, t.id, t.expires_at, t.last_used_at,"  # noqa: S608  (constants)
        f" (SELECT {aggregate}(label, value) FROM audit_revision)"
        " FROM accounts_apitoken t JOIN accounts_user u ON u.id = t.user_id"
        f" WHERE t.{key} = %s AND t.revoked_at IS NULL AND t.expires_at > %s AND u.is_active"
        " AND (u.valid_until IS NULL OR u.valid_until > %s)"
    )


_BEARER = {
    (vendor, key): _bearer(vendor, key) for vendor in ("postgresql", "sqlite") for key in ("digest", "uid")
}


def bearer(secret: str, *, at: datetime, request_id: str = "") -> Actor | None:
    """Return the actor of a token, or None where it is unknown, expired, revoked or its person gone.

    One statement: it brings the revisions along. A short-lived token stands and falls with the one that it
    was made from.
    """
    here = connections[DEFAULT_DB_ALIAS]  # looked up once: the proxy would do so at each use
    passed = read_pass(secret, at=at) if secret.startswith(PASS) else None
    if passed is None:
        key, value = "digest", digest(secret)
    else:
        key, value = "uid", passed.token.hex if here.vendor == "sqlite" else str(passed.token)
    now = here.ops.adapt_datetimefield_value(at)
    rows = fetch(_BEARER[here.vendor, key], [value, now, now])
    row = rows[0] if rows else None
    if row is None:
        return None
    pk, uid, name, zone, is_service, scopes, token, ends, used, revisions = row
    _mark_used(token, used, at)
    scopes = msgspec.json.decode(scopes) if isinstance(scopes, str) else scopes
    revisions = msgspec.json.decode(revisions) if isinstance(revisions, str) else revisions
    allowed = None if scopes is None else frozenset(scopes)
    if passed is not None and passed.scopes is not None:
        allowed = frozenset(passed.scopes) if allowed is None else allowed & frozenset(passed.scopes)
    ending = _instant(ends)
    if passed is not None:
        ending = min(ending, datetime.fromtimestamp(passed.until, UTC))
    return Actor(
        "service" if is_service else "person",
        pk,
        _uid_text(uid),
        name,
        zone,
        allowed,
        token,
        ending,
        request_id=request_id,
        revisions=revisions or {},
    )


PASS, PASS_LIFE = "fwa_", timedelta(hours=1)


class Pass(msgspec.Struct, frozen=True, array_like=True):
    """What a short-lived token says of itself: the token it comes from, until when, and at most what."""

    token: UUID
    until: int
    scopes: list[str] | None


def make_pass(token: ApiToken, *, at: datetime, scopes: list[str] | None) -> tuple[str, int]:
    """Return a short-lived token and its life in seconds: signed, stored nowhere, revoked with its source."""
    until = min(token.expires_at, at + PASS_LIFE)
    told = msgspec.json.encode(Pass(token.uid, int(until.timestamp()), scopes))
    payload = urlsafe_b64encode(told).decode().rstrip("=")
    return f"{PASS}{payload}.{_seal(payload)}", int((until - at).total_seconds())


def read_pass(secret: str, *, at: datetime) -> Pass | None:
    """Return what a short-lived token says, or None where it is none of ours or too old."""
    payload, _, seal = secret.removeprefix(PASS).partition(".")
    if not constant_time_compare(seal, _seal(payload)):
        return None
    told = msgspec.json.decode(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=Pass)
    return told if at.timestamp() < told.until else None


def _seal(payload: str) -> str:
    digest = salted_hmac("fairway.accounts.pass", payload, algorithm="sha256").digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


def client(reference: str, secret: str, *, at: datetime) -> ApiToken | None:
    """Return the token that is a service account's secret, where both belong together and it stands."""
    found = ApiToken.objects.select_related("user").filter(
        digest=digest(secret), revoked_at=None, expires_at__gt=at, user__is_service=True
    )
    token = found.first()
    if token is None or not token.user.valid_at(at):
        return None
    names = {token.user.key.lower(), str(token.user.uid), token.user.email_folded}
    return token if reference.lower() in names else None


def _uid_text(uid: object) -> str:
    text = str(uid)
    return text if "-" in text else f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _instant(stored: datetime | str) -> datetime:
    """Return an instant that was read without its model; SQLite keeps texts without a zone."""
    at = datetime.fromisoformat(stored) if isinstance(stored, str) else stored
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _mark_used(token: int, used: datetime | str | None, at: datetime) -> None:
    """Remember to the hour that a token was used: not each time, or every read would write."""
    if used is None or (at - _instant(used)).total_seconds() > 3600:
        ApiToken.objects.filter(pk=token).update(last_used_at=at)


def _revision(actor: Actor) -> int:
    revisions = actor.revisions or audit.revisions()
    return revisions.get("accounts", 0)


def _access(actor: Actor, revision: int) -> Access:
    known = tree(revision)
    teams = Membership.objects.filter(user_id=actor.pk or 0, team__is_active=True).values("team_id")
    given = Grant.objects.filter(Q(user_id=actor.pk or 0) | Q(team__in=teams))
    visible: set[int] = set()
    permissions: dict[str, set[int]] = {}
    roles: dict[str, set[int]] = {}
    for where, role, allowed in given.values_list("organisation_id", "role__slug", "role__permissions"):
        places = known.below.get(where, frozenset({where}))
        visible |= places
        roles.setdefault(role, set()).update(places)
        for permission in allowed:
            if actor.scopes is None or permission in actor.scopes:
                permissions.setdefault(permission, set()).update(places)

    def whole(places: set[int]) -> Organisations:
        return None if known.root in places else frozenset(places)

    return Access(
        whole(visible),
        {permission: whole(places) for permission, places in permissions.items()},
        {role: whole(places) for role, places in roles.items()},
    )


def _load_tree(revision: int, before: tuple[int, Tree] | None) -> Tree:
    above: dict[int, set[int]] = {}
    below: dict[int, set[int]] = {}
    for ancestor, descendant in OrganisationPath.objects.values_list("ancestor_id", "descendant_id"):
        above.setdefault(descendant, set()).add(ancestor)
        below.setdefault(ancestor, set()).add(descendant)
    return Tree(
        next((pk for pk, some in above.items() if len(some) == 1), None),
        {pk: frozenset(some) for pk, some in above.items()},
        {pk: frozenset(some) for pk, some in below.items()},
    )


def _no_accesses(
    revision: int, before: object
) -> dict[tuple[int, frozenset[str] | None, tuple[int, ...]], Access]:
    return {}


_INVITATIONS = PasswordResetTokenGenerator()
_TREE = Kept(_load_tree)
_ACCESSES = Kept(_no_accesses)
