"""What changes hold of things and time, as their rows say."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from django.db.models import QuerySet

from fairway.changes.models import (
    AffectedEnvironment,
    AffectedItem,
    Change,
    ChangeModel,
    Implementer,
    PlannedWindow,
)
from fairway.changes.queries.deciding import claims_of
from fairway.changes.queries.dossier import Proposal, Times, facts_of, notice_of, workers, workflow
from fairway.claims.queries import Claim
from fairway.environments import queries as environments
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref

_COLUMNS = (
    *("pk", "number", "title", "uid", "organisation_id", "state", "model_id", "outcome", "actual_end"),
    *("archived_at", "freeze_reason", "owner_id", "requester_id"),
    *("implementation_time", "test_time", "backout_time"),
    *("category", "priority", "custom", "model__slug", "template__slug", "organisation__slug"),
    *("planned_start", "submitted_at"),
)


def held(changes: Collection[int] | None = None) -> dict[int, list[Claim]]:
    """Return the claims of these changes (None: of all), by primary key; nothing held: an empty list."""
    return {
        pk: [] if proposal is None else claims_of(proposal)
        for pk, proposal in proposals(changes, writing=True).items()
    }


def proposals(changes: Collection[int] | None = None, *, writing: bool = False) -> dict[int, Proposal | None]:
    """Return what these changes (None: all) hold of time and things; None: nothing.

    What was closed as implemented still holds its past windows, so that conflicts of history can be asked
    for; what was rejected, cancelled, not started or archived holds nothing. What was completed early leaves
    free what lay ahead. `writing`: links may have been written in this very transaction.
    """
    which = Change.objects.all() if changes is None else Change.objects.filter(pk__in=changes)
    windows = _grouped(_of(PlannedWindow, changes), "starts_at", "ends_at", "downtime")
    items = _grouped(_of(AffectedItem, changes), "item_id")
    places = _grouped(_of(AffectedEnvironment, changes), "environment_id")
    people = _grouped(_of(Implementer, changes), "person_id")
    children = environments.children() if writing else environments.kept_children()
    models = {model.pk: workflow(model) for model in ChangeModel.objects.all()}
    found: dict[int, Proposal | None] = {}
    for row in which.values_list(*_COLUMNS):
        pk, number, title, uid, organisation, state, model, outcome, ended, archived, reason = row[:11]
        owner, requester, implementation, test, backout, *more = row[11:]
        strength = models[model].by_slug[state].claim
        if archived is not None or strength == "none" or outcome == Change.Outcome.NOT_STARTED:
            found[pk] = None
            continue
        cut = [
            (period, downtime)
            for start, end, downtime in windows.get(pk, ())
            if (period := _until(start, end, ended)) is not None
        ]
        found[pk] = Proposal(
            Ref(Change.kind, f"{Change.prefix}-{number}", title, str(uid), pk, organisation),
            organisation,
            tuple(period for period, downtime in cut if not downtime),
            tuple(period for period, downtime in cut if downtime),
            tuple(item for (item,) in items.get(pk, ())),
            environments.expanded((place for (place,) in places.get(pk, ())), children),
            strength,
            bool(reason.strip()),
            model,
            partial(_facts, title, more, organisation, downtime=any(downtime for _, downtime in cut)),
            workers([person for (person,) in people.get(pk, ())], owner, requester),
            Times(implementation, test, backout),
            more[-1],
        )
    return found


def _facts(title: str, columns: Sequence[Any], place: int, *, downtime: bool) -> dict[str, Any]:
    category, priority, custom, model, template, organisation, start, submitted = columns
    return facts_of(
        title,
        category,
        priority,
        custom,
        model=model,
        template=template or "",
        organisation=organisation,
        downtime=downtime,
        notice=notice_of(start, submitted, place),
    )


def _until(start: Any, end: Any, ended: Any) -> Period | None:
    last = end if ended is None else min(end, ended)
    return Period(start, last) if start < last else None


def _of(model: Any, changes: Collection[int] | None) -> QuerySet[Any]:
    rows: QuerySet[Any] = model.objects.order_by("pk")
    return rows if changes is None else rows.filter(change_id__in=changes)


def _grouped(rows: QuerySet[Any], *columns: str) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = {}
    for change, *values in rows.values_list("change_id", *columns):
        found.setdefault(change, []).append(tuple(values))
    return found
