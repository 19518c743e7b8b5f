"""What somebody sees and may do; the one visibility filter and the one permission check."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from fairway.accounts.models import Delegation, Grant, Membership, OrganisationPath, User
from fairway.accounts.rules import PERMISSIONS
from fairway.audit import queries as audit
from fairway.kernel.actor import Actor
from fairway.kernel.cache import Kept
from fairway.kernel.errors import Forbidden
from fairway.kernel.refs import Ref

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


def places(actor: Actor, permission: str) -> Organisations:
    """Return the organisations where the actor has a permission; None: everywhere."""
    return access(actor).permissions.get(permission, frozenset())


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


_TREE = Kept(_load_tree)
_ACCESSES = Kept(_no_accesses)
