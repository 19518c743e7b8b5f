"""Keeps the claims of changes as their rows say, in the transaction that writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fairway.audit.commands import projection
from fairway.changes import queries
from fairway.changes.models import AffectedEnvironment, Change
from fairway.claims import queries as claims
from fairway.environments import queries as environments

BATCH = 500


@projection(
    *("changes.Change", "changes.PlannedWindow", "changes.AffectedItem", "changes.AffectedEnvironment"),
    "changes.Implementer",
)
def rebuild(rows: Sequence[Any]) -> None:
    """Write anew what the changes of these rows hold."""
    changes = {row.pk if isinstance(row, Change) else row.change_id for row in rows}
    claims.replace(Change.kind, queries.held(sorted(changes)))


@projection("environments.EnvironmentLink")
def relink(rows: Sequence[Any]) -> None:
    """Write anew what changes hold in environments whose links were written, and in those above them.

    Environments and changes are held meanwhile: what another transaction writes of them comes before or
    after, so that neither overlooks the other.
    """
    environments.lock_links()
    children = environments.children()
    above = environments.above({row.parent_id for row in rows})
    query = AffectedEnvironment.objects.filter(environment__in=above).order_by("change_id")
    touched = list(query.values_list("change_id", flat=True).distinct())
    for start in range(0, len(touched), BATCH):
        some = touched[start : start + BATCH]
        list(Change.objects.filter(pk__in=some).order_by("pk").select_for_update(no_key=True).values("pk"))
        named: dict[int, list[int]] = {}
        places = AffectedEnvironment.objects.filter(change_id__in=some).order_by("pk")
        for change, place in places.values_list("change_id", "environment_id"):
            named.setdefault(change, []).append(place)
        taken = {change: environments.expanded(some, children) for change, some in named.items()}
        claims.place(Change.kind, taken)
