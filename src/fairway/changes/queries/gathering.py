"""Many changes with all that belongs to them, read in few statements."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from fairway.accounts import queries as accounts
from fairway.approvals import queries as approvals
from fairway.catalog import queries as catalog
from fairway.changes.models import AffectedEnvironment, AffectedItem, Change, Implementer, PlannedWindow
from fairway.changes.queries.dossier import Dossier, workflow
from fairway.kernel.actor import Actor


def recorded(actor: Actor, external_ids: Iterable[str], *, lock: bool = False) -> dict[str, list[Dossier]]:
    """Return the changes that have one of these names outside, as far as the actor sees them.

    `lock` holds the changes and their items, in the order in which everybody locks them.
    """
    wanted = {name for name in external_ids if name}
    query = Change.objects.filter(external_id__in=wanted).order_by("pk")
    query = query.select_related("model", "template", "round", "organisation", "requester", "owner")
    if lock:
        query = query.select_for_update(of=("self",), no_key=True)
    found = {change.pk: Dossier(change, workflow(change.model)) for change in accounts.visible(query, actor)}
    windows = PlannedWindow.objects.order_by("starts_at", "ends_at", "downtime")
    people = Implementer.objects.select_related("person").order_by("pk")
    for one, row in _rows(found, windows):
        one.windows.append(row)
    for one, row in _rows(found, AffectedItem.objects.order_by("-primary", "pk")):
        one.affected.append(row)
    for one, row in _rows(found, AffectedEnvironment.objects.order_by("pk")):
        one.places.append(row)
    for one, row in _rows(found, people):
        one.implementers.append(row)
    named: dict[str, list[Dossier]] = {name: [] for name in wanted}
    for one in found.values():
        if one.change.round_id is not None:
            one.ballots = approvals.ballots(one.change.round_id)
        named[one.change.external_id].append(one)
    if lock:
        catalog.lock(item for one in found.values() for item in one.items)
    return named


def _rows(found: dict[int, Dossier], query: QuerySet[Any]) -> Iterable[tuple[Dossier, Any]]:
    for row in query.filter(change__in=found) if found else ():
        one = found[row.change_id]
        row.change = one.change
        yield one, row
