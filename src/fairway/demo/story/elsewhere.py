"""Jobs and webhooks of the company: what was done in the background, and where events went."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from fairway.accounts import queries
from fairway.audit import queries as audit
from fairway.jobs.commands import delivering, enqueue, sweep
from fairway.jobs.queries import Delivery, Job, Webhook
from fairway.kernel.actor import SYSTEM, Actor

FAILED = "Row 212 has no key: write a key, such as payments-api, in the column “key”."

JOBS: tuple[tuple[str, int, dict[str, Any]], ...] = (
    ("Import of scanners.csv", 260,
     {"state": "failed", "error": FAILED, "done": 211, "total": 640, "attempts": 1}),
    ("Import of servers.xlsx", 45,
     {"state": "done", "done": 1840, "total": 1840, "attempts": 1, "result": {"rows": 1840}}),
    ("Sweep ended jobs", 30, {"state": "done", "attempts": 1, "result": {"deleted": 12}}),
)  # fmt: skip
"""Title, minutes ago, and how it ended."""
GONE = "The receiver answered 410: it wants no more."
HOOKS: tuple[tuple[str, str, list[str], str], ...] = (
    ("Operations chat", "https://chat.fairway.example/hooks/changes", ["change"], ""),
    ("Data warehouse", "https://warehouse.fairway.example/in", [], GONE),
)


def fill(now: datetime, *, person: Actor) -> None:
    """Write them as workers leave them. The webhooks are off: a demo sends nothing anywhere."""
    root = queries.root()
    if root is None or person.pk is None:
        raise RuntimeError("the company is founded before")
    for title, minutes, values in JOBS:
        at = now - timedelta(minutes=minutes)
        by = person if title.startswith("Import") else SYSTEM
        job = enqueue(sweep, {}, actor=by, organisation=root.pk, title=title, run_after=at)
        told: dict[str, Any] = {"started_at": at, "finished_at": at + timedelta(seconds=41), "created_at": at}
        Job.objects.filter(pk=job.pk).update(**told, **values)
    head, _ = audit.head()
    for name, url, kinds, reason in HOOKS:
        hook = Webhook.objects.create(
            name=name, url=url, kinds=kinds, organisation_id=root.pk, owner_id=person.pk, active=False,
            reason=reason, secret=delivering.sealed(delivering.new_secret()), position=head, created_at=now,
        )  # fmt: skip
        _deliveries(hook, head, now)


def _deliveries(hook: Webhook, head: int, now: datetime) -> None:
    events = audit.feed(after=max(0, head - 40), limit=40, organisations=None, reader=SYSTEM)
    sent = [event for event in events if delivering.wanted(hook, event)][-14:]
    last = len(sent) - 1
    Delivery.objects.bulk_create(
        Delivery(
            webhook=hook, sequence=event["sequence"], command=event["command"], next_at=now,
            sent_at=now - timedelta(minutes=3 * (last - place)), attempts=2 if place == 5 else 1,
            status="failed" if hook.reason and place == last else "sent",
            answer=410 if hook.reason and place == last else 204, milliseconds=31 + place * 7 % 40,
            error="Answered 410." if hook.reason and place == last else "",
        )
        for place, event in enumerate(sent)
    )  # fmt: skip
