"""What environments answer: single ones, what stands in them, and the facts kept in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from django.db.models import Count, F, Q, QuerySet
from msgspec import structs

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.environments.models import Environment, EnvironmentLink, Instance
from fairway.environments.rules import Children, Control, EnvironmentFacts, Tier
from fairway.kernel.actor import Actor
from fairway.kernel.cache import Kept
from fairway.kernel.errors import FieldError, Invalid, NotFound
from fairway.kernel.listing import Column, Listing, ListQuery, Page, search_words
from fairway.kernel.models import uid_lookup
from fairway.kernel.refs import Ref
from fairway.workspace import queries as workspace


def environment(actor: Actor, reference: str) -> Environment:
    """Return the environment by slug or uid, archived or not.

    :raises NotFound: there is none, or the actor may not see it.
    """
    lookup = Environment.lookup(reference)
    found = None
    if lookup is not None:
        query = Environment.objects.select_related("organisation").filter(**lookup)
        found = accounts.visible(query, actor).first()
    if found is None:
        raise NotFound(f"There is no environment “{reference[:100]}”.")
    return found


def environments(
    actor: Actor, references: Sequence[str], *, field: str = "environments"
) -> list[Environment]:
    """Return environments by slug or uid, in the order asked for, each once; archived ones are refused.

    :raises Invalid: names, under `field`, what there is not (for the actor) or no longer.
    """
    wanted = list(dict.fromkeys(references))
    if not wanted:
        return []
    slugs = [reference for reference in wanted if uid_lookup(reference) is None]
    uids = [lookup["uid"] for reference in wanted if (lookup := uid_lookup(reference))]
    found: dict[str, Environment] = {}
    for one in accounts.visible(Environment.objects.filter(Q(slug__in=slugs) | Q(uid__in=uids)), actor):
        found[one.slug] = found[str(one.uid)] = one
    errors = []
    for reference in wanted:
        known = found.get(reference.lower())
        if known is None:
            errors.append(FieldError(field, f"There is no environment “{reference[:100]}”."))
        elif known.archived_at is not None:
            errors.append(FieldError(field, f"The environment {known.slug} is archived."))
    if errors:
        raise Invalid.fields(errors)
    return list(dict.fromkeys(found[reference.lower()] for reference in wanted))


def facts() -> Mapping[int, EnvironmentFacts]:
    """Return the facts of every environment ever made, by primary key; kept until one is written."""
    return _kept.at(audit.revisions().get("environments", 0))[0]


def standing(environment: int) -> frozenset[int]:
    """Return the primary keys of the items that stand in an environment; kept likewise."""
    return _kept.at(audit.revisions().get("environments", 0))[1].get(environment, frozenset())


def kept_children() -> Children:
    """Return the environments linked directly below each; kept likewise."""
    return _kept.at(audit.revisions().get("environments", 0))[2]


def places(items: Collection[int]) -> dict[int, frozenset[int]]:
    """Return, for each of these items that stands anywhere, the environments it stands in."""
    found: dict[int, set[int]] = {}
    rows = Instance.objects.filter(item__in=items, archived_at=None, environment__archived_at=None)
    for item, where in rows.values_list("item_id", "environment_id"):
        found.setdefault(item, set()).add(where)
    return {item: frozenset(where) for item, where in found.items()}


_Kept = tuple[dict[int, EnvironmentFacts], dict[int, frozenset[int]], dict[int, list[int]]]


def _load(revision: int, last: tuple[int, _Kept] | None) -> _Kept:
    columns = ("pk", "slug", "name", "uid", "organisation_id", "tier", "control", "zone", "shared")
    known = {
        pk: EnvironmentFacts(
            Ref("environment", slug, name, str(uid), pk, organisation),
            Tier(tier), Control(control), organisation, zone, shared,
        )
        for pk, slug, name, uid, organisation, tier, control, zone, shared in (
            Environment.objects.values_list(*columns)
        )
    }  # fmt: skip
    standing: dict[int, set[int]] = {}
    rows = Instance.objects.filter(archived_at=None).values_list("environment_id", "item_id")
    for where, item in rows.iterator(chunk_size=10_000):
        standing.setdefault(where, set()).add(item)
    below: dict[int, list[int]] = {}
    links = EnvironmentLink.objects.order_by("parent_id", "child_id").values_list("parent_id", "child_id")
    for parent, child in links:
        below.setdefault(parent, []).append(child)
    return known, {where: frozenset(items) for where, items in standing.items()}, below


_kept = Kept(_load)


def instance(actor: Actor, reference: str) -> Instance:
    """Return the instance by uid, or by item and environment (`payments-api@production`).

    It is seen by whoever sees both the item and the environment.
    :raises NotFound: there is none, or the actor may not see it.
    """
    lookup = uid_lookup(reference)
    if (named := instance_named(reference)) is not None:
        lookup = {"item__slug": named[0], "environment__slug": named[1]}
    found = instances(actor).filter(**lookup).first() if lookup else None
    if found is None:
        raise NotFound(f"There is no instance “{reference[:100]}”.")
    return found


def instance_named(reference: str) -> tuple[str, str] | None:
    """Return the keys of item and environment where a reference names an instance by these."""
    item, at, environment = reference.partition("@")
    return (item, environment) if item and at and environment else None


def instances(actor: Actor) -> QuerySet[Instance]:
    """Return the instances of which the actor sees both the item and the environment, with these."""
    query = Instance.objects.select_related("item", "environment")
    seen = accounts.visible(query, actor, "item__organisation_id")
    return accounts.visible(seen, actor, "environment__organisation_id")


# Lists ------------------------------------------------------------------------------------------------------


ENVIRONMENTS = Listing(
    columns={
        "key": Column("slug", sorts=True),
        "name": Column("name_folded", "folded", sorts=True),
        "tier": Column("tier", choices=tuple(Environment.Tier.values)),
        "order": Column("tier_position", "number", sorts=True),
        "control": Column("control", choices=tuple(Environment.Control.values)),
        "status": Column("status", sorts=True, choices=tuple(Environment.Status.values)),
        "shared": Column("shared", "flag"),
        "organisation": Column(
            "organisation__slug", sorts=True, refers=accounts.by_slug, through="organisation"
        ),
        "created_at": Column("created_at", "instant", sorts=True),
    },
    values=(
        "uid", "slug", "name", "tier", "control", "status", "zone", "shared", "description", "colour",
        "position", "version", "custom", "created_at", "archived_at", "organisation_id",
        "organisation__uid", "organisation__slug", "organisation__name",
    ),
    sort="order",
    search=search_words("name_folded", "slug"),
)  # fmt: skip
INSTANCES = Listing(
    columns={
        "uid": Column("uid", "uid", sorts=True),
        "item": Column("item__slug", sorts=True, refers=accounts.by_slug, through="item"),
        "environment": Column(
            "environment__slug", sorts=True, refers=accounts.by_slug, through="environment"
        ),
        "created_at": Column("created_at", "instant", sorts=True),
    },
    values=(
        "uid", "version", "created_at", "item__uid", "item__slug", "item__name",
        "environment__uid", "environment__slug", "environment__name",
    ),
    sort="uid",
    search=search_words("item__name_folded", "item__slug", "environment__name_folded", "environment__slug"),
)  # fmt: skip


class EnvironmentQuery(ListQuery, kw_only=True, columns=ENVIRONMENTS.columns):
    """Filters of the list of environments; `archived=true`: those put away.

    `custom`: by fields of their own, as JSON ({"cost__gte": "5"}); also written custom.cost__gte=5.
    """

    tier: str = ""
    tier__in: str = ""
    control: str = ""
    control__in: str = ""
    status: str = ""
    status__in: str = ""
    shared: str = ""
    organisation: str = ""
    organisation__in: str = ""
    name__contains: str = ""
    created_at__gte: str = ""
    created_at__lt: str = ""
    custom: str = ""
    archived: Literal["", "true", "false"] = ""


class InstanceQuery(ListQuery, kw_only=True, columns=INSTANCES.columns):
    item: str = ""
    item__in: str = ""
    environment: str = ""
    environment__in: str = ""


def environment_page(actor: Actor, query: EnvironmentQuery) -> Page:
    """Return one page of environments as plain values; archived ones only where they are asked for."""
    found = accounts.visible(Environment.objects.all(), actor)
    found = found.filter(archived_at__isnull=query.archived != "true")
    found = workspace.filtered(actor, "environment", found, query.custom)
    page = ENVIRONMENTS.page(found, structs.replace(query, archived="", custom=""))
    asked = {"archived": "true"} if query.archived == "true" else {}
    if query.custom:
        asked["custom"] = query.custom
    return replace(page, applied={**page.applied, **asked})


def instance_page(actor: Actor, query: InstanceQuery) -> Page:
    """Return one page of the instances of which the actor sees both sides, as plain values."""
    found = accounts.visible(Instance.objects.all(), actor, "item__organisation_id")
    found = accounts.visible(found, actor, "environment__organisation_id")
    found = found.filter(archived_at=None, item__archived_at=None, environment__archived_at=None)
    return INSTANCES.page(found, query)


def in_order(actor: Actor) -> list[dict[str, Any]]:
    """Return the environments in the order of the way to production, each with the number of items in it."""
    found = accounts.visible(Environment.objects.filter(archived_at=None), actor)
    seen = Q(instances__archived_at=None, instances__item__archived_at=None)
    organisations = accounts.access(actor).organisations
    if organisations is not None:
        seen &= Q(instances__item__organisation_id__in=organisations)
    rows = found.order_by("tier_position", "position", "name_folded", "uid").values(
        "pk", "uid", "slug", "name", "tier", "control", "status", "zone", "shared", "colour", "version",
        "organisation_id", "organisation__name", items=Count("instances", filter=seen),
    )  # fmt: skip
    return [dict(row) for row in rows]


def pick(actor: Actor, text: str, *, limit: int = 20) -> list[dict[str, Any]]:
    """Return environments for a picker as slug, name and tier, in the order of the way to production."""
    found = accounts.visible(Environment.objects.filter(archived_at=None), actor)
    if text.strip():
        found = found.filter(search_words("name_folded", "slug")(text))
    rows = found.order_by("tier_position", "position", "name_folded", "uid").values("slug", "name", "tier")
    return [dict(row) for row in rows[:limit]]


def environment_exists(actor: Actor, key: str) -> bool:
    """Say whether the actor sees an environment of this key, archived or not."""
    return accounts.visible(Environment.objects.filter(slug=key), actor).exists()


def standing_in(actor: Actor, environment: Environment, *, limit: int = 500) -> list[dict[str, Any]]:
    """Return what stands in an environment, most critical first; as far as the actor sees it."""
    found = Instance.objects.filter(environment=environment, archived_at=None, item__archived_at=None)
    found = accounts.visible(found, actor, "item__organisation_id")
    rows = found.order_by("item__criticality", "item__name_folded", "pk").values(
        "uid", "version", key=F("item__slug"), title=F("item__name"), criticality=F("item__criticality"),
        status=F("item__status"), item_kind=F("item__item_kind__name"),
    )  # fmt: skip
    return [dict(row) for row in rows[:limit]]


def standing_of(actor: Actor, item: int) -> list[dict[str, Any]]:
    """Return the environments that an item stands in and that the actor sees, in the order to production."""
    found = Instance.objects.filter(item_id=item, archived_at=None, environment__archived_at=None)
    found = accounts.visible(found, actor, "environment__organisation_id")
    order = ("environment__tier_position", "environment__position", "environment__name_folded", "pk")
    rows = found.order_by(*order).values(
        "uid", "version", key=F("environment__slug"), title=F("environment__name"),
        tier=F("environment__tier"), control=F("environment__control"), status=F("environment__status"),
    )  # fmt: skip
    return [dict(row) for row in rows]
