"""Organisations, people, service accounts and teams, as far as somebody sees them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from fairway.accounts.models import (
    ApiToken,
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
from fairway.accounts.queries.access import access, places, visible
from fairway.accounts.words import words_for
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Forbidden, NotFound
from fairway.kernel.listing import Column, Listing, ListQuery, search_words
from fairway.kernel.models import fold, uid_lookup
from fairway.kernel.refs import Ref
from fairway.policy import Words


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


def home(actor: Actor) -> int | None:
    """Return the organisation that a person belongs to; None: Fairway itself."""
    return User.objects.filter(pk=actor.pk or 0).values_list("organisation_id", flat=True).first()


def words(actor: Actor) -> Words:
    """Return how this person is told of times: in their zone, as on every screen."""
    return words_for(actor.zone)
