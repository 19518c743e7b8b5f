"""Roles, who has them where, and what changing one would give and take."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Q, QuerySet

from fairway.accounts.models import Grant, Membership, Role, RoleProposal, Team, User
from fairway.accounts.queries.access import M, access, own_access, visible
from fairway.accounts.queries.directory import by_slug, team_keys
from fairway.kernel.actor import Actor
from fairway.kernel.errors import NotFound
from fairway.kernel.models import uid_lookup
from fairway.kernel.refs import Ref


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
