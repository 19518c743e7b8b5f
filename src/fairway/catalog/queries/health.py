"""What is doubtful about the catalogue: each check as a filter over items, counted and listed alike.

All are about items in use that the actor sees: archived and retired ones are left alone, but for retired ones
that others still need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from fairway.accounts import queries as accounts
from fairway.catalog.models import ConfigurationItem, Relation
from fairway.catalog.queries.impact import cycles
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid

Items = QuerySet[ConfigurationItem, Any]
_MOST_IN_CIRCLES: Final = 20_000


def _unowned(actor: Actor, items: Items) -> Items:
    return items.filter(owner_team=None)


def _left_owner(actor: Actor, items: Items) -> Items:
    return items.exclude(owner_team=None).exclude(owner_team__archived_at=None)


def _unknown_owner(actor: Actor, items: Items) -> Items:
    return items.filter(owner_team=None, attributes__has_key="owner")


def _undescribed(actor: Actor, items: Items) -> Items:
    return items.filter(description="")


def _alone(actor: Actor, items: Items) -> Items:
    live = Relation.objects.filter(archived_at=None)
    return items.filter(
        ~Exists(live.filter(source=OuterRef("pk"), target__archived_at=None)),
        ~Exists(live.filter(target=OuterRef("pk"), source__archived_at=None)),
        ~_placed(),
    )


def _unplaced(actor: Actor, items: Items) -> Items:
    return items.filter(~_placed(), criticality__lte=2, shared=False).exclude(
        item_kind__slug__in=("business-service", "third-party", "network")
    )


def _placed() -> Exists:
    # Environments stand above; what stands where is their table, reached here by its name alone.
    here: dict[str, Any] = {"instances__archived_at": None, "instances__isnull": False}
    return Exists(ConfigurationItem.objects.filter(pk=OuterRef("pk"), **here))


def _same_id(actor: Actor, items: Items) -> Items:
    return items.exclude(external_id="").filter(_twin(actor, external_id=OuterRef("external_id")))


def _same_name(actor: Actor, items: Items) -> Items:
    return items.filter(_twin(actor, name_folded=OuterRef("name_folded"), item_kind=OuterRef("item_kind")))


def _twin(actor: Actor, **same: Any) -> Exists:
    return Exists(_in_use(actor).filter(**same).exclude(pk=OuterRef("pk")))


def _retired_needed(actor: Actor, items: Items) -> Items:
    """Items whose failure would reach one in use are needed by it, whichever way the relation is told."""
    live = Relation.objects.filter(archived_at=None)
    to_source = live.filter(
        target=OuterRef("pk"),
        relation_kind__failure__in=("to_source", "both"),
        source__archived_at=None,
        source__status="live",
    )
    to_target = live.filter(
        source=OuterRef("pk"),
        relation_kind__failure__in=("to_target", "both"),
        target__archived_at=None,
        target__status="live",
    )
    return items.filter(
        Exists(accounts.visible(to_source, actor, "source__organisation_id"))
        | Exists(accounts.visible(to_target, actor, "target__organisation_id"))
    )


def _circling(actor: Actor, items: Items) -> Items:
    pks = [ref.pk for circle in cycles(actor) for ref in circle if ref.pk is not None]
    return items.filter(pk__in=pks[:_MOST_IN_CIRCLES])


CHECKS: Final[Mapping[str, Callable[[Actor, Items], Items]]] = {
    "circles": _circling,
    "same-id": _same_id,
    "same-name": _same_name,
    "retired-needed": _retired_needed,
    "alone": _alone,
    "unplaced": _unplaced,
    "unowned": _unowned,
    "unknown-owner": _unknown_owner,
    "left-owner": _left_owner,
    "undescribed": _undescribed,
}
"""The checks that name items, the gravest first."""


def doubtful(actor: Actor, items: Items, check: str) -> Items:
    """Return those of the items that a check names.

    :raises Invalid: there is no such check; names those there are.
    """
    if check not in CHECKS:
        raise Invalid.field("health", f"“{check[:40]}” is no check; there are {', '.join(CHECKS)}.")
    retired = Q(status="retired") if check == "retired-needed" else ~Q(status="retired")
    return CHECKS[check](actor, items.filter(retired, archived_at=None))


def dangling(actor: Actor) -> QuerySet[Relation]:
    """Return the relations with an archived end, of which the actor sees both."""
    found = accounts.visible(Relation.objects.filter(archived_at=None), actor, "source__organisation_id")
    found = accounts.visible(found, actor, "target__organisation_id")
    return found.filter(Q(source__archived_at__isnull=False) | Q(target__archived_at__isnull=False))


def health(actor: Actor) -> dict[str, int]:
    """Return how many items each check names, and under `dangling` how many relations; one statement each."""
    seen = accounts.visible(ConfigurationItem.objects.all(), actor)
    return {
        "dangling": dangling(actor).count(),
        **{check: doubtful(actor, seen, check).count() for check in CHECKS},
    }


def _in_use(actor: Actor) -> Items:
    found = accounts.visible(ConfigurationItem.objects.filter(archived_at=None), actor)
    return found.exclude(status="retired")
