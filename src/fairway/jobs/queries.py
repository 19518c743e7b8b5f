"""How jobs stand, for somebody who sees these organisations (None: all) and their own."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from fairway.audit import queries as audit
from fairway.jobs.models import Clock
from fairway.jobs.models import Delivery as Delivery
from fairway.jobs.models import Job as Job
from fairway.jobs.models import Webhook as Webhook
from fairway.kernel.listing import Column, Listing, ListQuery, search_words

STATES = tuple(str(state) for state in Job.State)


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


class JobQuery(ListQuery, kw_only=True, columns=JOBS.columns):
    """Filters of the list."""


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


def webhooks(*, organisations: Collection[int] | None, own: int | None) -> QuerySet[Webhook]:
    """Return webhooks of these organisations and a person's own, without those that were removed."""
    found = Webhook.objects.filter(archived_at=None).select_related("owner", "organisation")
    if organisations is None:
        return found
    return found.filter(Q(organisation_id__in=organisations) | Q(owner_id=own or 0))


def webhooks_due(now: datetime) -> list[str]:
    """Return the uids of webhooks that have events to look at or to send."""
    head, _ = audit.head()
    pending = Delivery.objects.filter(webhook=OuterRef("pk"), status="pending", next_at__lte=now)
    due = Webhook.objects.filter(active=True).filter(Q(position__lt=head) | Exists(pending))
    return [str(uid) for uid in due.values_list("uid", flat=True)]


def deliveries(webhook: Webhook) -> QuerySet[Delivery]:
    """Return what was and is to be sent, the newest first."""
    return webhook.deliveries.order_by("-id")


DELIVERIES = Listing(
    columns={
        "key": Column("id", "number", sorts=True),
        "sequence": Column("sequence", "number"),
        "status": Column("status", choices=tuple(str(status) for status in Delivery.Status)),
    },
    values=(
        "id", "sequence", "command", "status", "attempts", "next_at", "sent_at", "answer",
        "milliseconds", "error",
    ),
    sort="-key",
)  # fmt: skip
