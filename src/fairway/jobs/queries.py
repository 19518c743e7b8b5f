"""How jobs stand, for somebody who sees these organisations (None: all) and their own."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from fairway.jobs.models import Clock, Job
from fairway.kernel.listing import Column, Listing, ListQuery, search_words

STATES = tuple(str(state) for state in Job.State)


class JobQuery(ListQuery, kw_only=True):
    state: str = ""
    state__in: str = ""
    task: str = ""
    queue: str = ""


JOBS = Listing(
    columns={
        "key": Column("number", "number", sorts=True),
        "run_after": Column("run_after", "instant", sorts=True),
        "finished_at": Column("finished_at", "instant", sorts=True),
        "state": Column("state", choices=STATES),
        "task": Column("task"),
        "queue": Column("queue"),
    },
    values=(
        "number", "title", "task", "queue", "priority", "state", "attempts", "most_attempts", "run_after",
        "created_at", "started_at", "finished_at", "done", "total", "text", "result", "error", "unique_key",
        "cancel_requested", "version", "user__number", "user__name", "user__uid", "organisation__slug",
    ),
    sort="-key",
    search=search_words("title", "task"),
)  # fmt: skip


def jobs(*, organisations: Collection[int] | None, own: int | None) -> QuerySet[Job]:
    """Return jobs of these organisations and those that a person asked for; None: everything."""
    if organisations is None:
        return Job.objects.all()
    found = Q(organisation_id__in=organisations)
    if own is not None:
        found |= Q(user_id=own)
    return Job.objects.filter(found)


def ticked() -> dict[str, datetime]:
    """Return the last tick of each clock, by name."""
    return dict(Clock.objects.values_list("name", "ticked_at"))


def living(unique_key: str) -> bool:
    """Say whether a job of this key waits or runs."""
    return Job.objects.filter(unique_key=unique_key, state__in=("ready", "running")).exists()


def stale(now: datetime, *, kept: timedelta) -> QuerySet[Job]:
    """Return jobs that ended well or were given up, so long ago."""
    return Job.objects.filter(finished_at__lt=now - kept, state__in=("done", "cancelled"))
