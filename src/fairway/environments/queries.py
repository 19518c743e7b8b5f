"""What environments answer: single ones, what stands in them, and the facts kept in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from django.db.models import Q, QuerySet

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.environments.models import Environment, Instance
from fairway.environments.rules import Control, EnvironmentFacts, Tier
from fairway.kernel.actor import Actor
from fairway.kernel.cache import Kept
from fairway.kernel.errors import FieldError, Invalid, NotFound
from fairway.kernel.models import uid_lookup
from fairway.kernel.refs import Ref


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


def places(items: Collection[int]) -> dict[int, frozenset[int]]:
    """Return, for each of these items that stands anywhere, the environments it stands in."""
    found: dict[int, set[int]] = {}
    rows = Instance.objects.filter(item__in=items, archived_at=None, environment__archived_at=None)
    for item, where in rows.values_list("item_id", "environment_id"):
        found.setdefault(item, set()).add(where)
    return {item: frozenset(where) for item, where in found.items()}


_Kept = tuple[dict[int, EnvironmentFacts], dict[int, frozenset[int]]]


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
    return known, {where: frozenset(items) for where, items in standing.items()}


_kept = Kept(_load)


def instance(actor: Actor, reference: str) -> Instance:
    """Return the instance by uid; it is seen by whoever sees both the item and the environment.

    :raises NotFound: there is none, or the actor may not see it.
    """
    lookup = uid_lookup(reference)
    found = instances(actor).filter(**lookup).first() if lookup else None
    if found is None:
        raise NotFound(f"There is no instance “{reference[:100]}”.")
    return found


def instances(actor: Actor) -> QuerySet[Instance]:
    """Return the instances of which the actor sees both the item and the environment, with these."""
    query = Instance.objects.select_related("item", "environment")
    seen = accounts.visible(query, actor, "item__organisation_id")
    return accounts.visible(seen, actor, "environment__organisation_id")
