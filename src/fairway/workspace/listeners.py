"""Tells people what happened to the records that they have a part in, or follow.

Read from the log, in order: each event once, in one transaction with how far was read. Reading it twice tells
nobody twice.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.audit.queries import LoggedEvent
from fairway.jobs.commands import JobContext, enqueue, every, feeder, task
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.models import Versioned
from fairway.workspace import queries
from fairway.workspace.events import WorkspaceEvent
from fairway.workspace.models import Comment, Notification, NotificationSettings, Told, Watch

NAME = Told.NOTIFICATIONS
BATCH = 200
LATEST = timedelta(days=14)
"""Of what is older nobody is told any more: of history that was imported, or after a long pause."""
KEPT, KEPT_UNREAD = timedelta(days=60), timedelta(days=180)
QUIET = {WorkspaceEvent.COMMENT_EDIT, WorkspaceEvent.COMMENT_WITHDRAW}
"""Commands that tell only those who are named anew."""
Reason = Notification.Reason
WEIGHT = {reason: place for place, reason in enumerate(Reason.values)}
_log = logging.getLogger(__name__)


@feeder
def feed(at: datetime) -> None:
    """Ask for the job where the log has grown."""
    if position() < audit.head()[0]:
        with contextlib.suppress(IntegrityError), transaction.atomic():  # it waits already
            enqueue(tell, {}, unique_key=f"workspace.{NAME}")


@task(title="Tell people what happened")
def tell(context: JobContext) -> dict[str, int]:
    """Read on in the log to its end."""
    told = events = 0
    while True:
        after = position()
        batch = list(audit.logged(after=after, limit=BATCH))
        if not batch:
            return {"events": events, "notifications": told}
        made = due(batch, now=datetime.now(UTC))
        with context.transaction():
            if Told.objects.filter(name=NAME, sequence=after).update(sequence=batch[-1].sequence) == 0:
                return {"events": events, "notifications": told}  # somebody else reads on
            Notification.objects.bulk_create(made, batch_size=500, ignore_conflicts=True)
        told, events = told + len(made), events + len(batch)


def position() -> int:
    """Return the number of the last event that was told of."""
    known = Told.objects.filter(name=NAME).values_list("sequence", flat=True).first()
    if known is None:
        Told.objects.bulk_create([Told(name=NAME)], ignore_conflicts=True)
    return known or 0


@task(title="Remove old notifications")
def tidy(context: JobContext) -> dict[str, int]:
    """Remove notifications that were read two months ago, and those that nobody read in half a year."""
    now = datetime.now(UTC)
    read, _ = Notification.objects.filter(read_at__lt=now - KEPT).delete()
    unread, _ = Notification.objects.filter(at__lt=now - KEPT_UNREAD).delete()
    return {"removed": read + unread}


every("workspace.tidy", timedelta(days=1), tidy, offset=timedelta(hours=3))


def due(events: Sequence[LoggedEvent], *, now: datetime) -> list[Notification]:
    """Return what people are to be told of these events; reads only."""
    fresh = [(event, _subject(event)) for event in events if _at(event) > now - LATEST]
    named = [(event, uid) for event, uid in fresh if uid is not None]
    records = queries.refs(SYSTEM, ((event.subject_kind, uid) for event, uid in named))
    if not records:
        return []
    audience = _Audience(records, [event for event, _ in named])
    found: list[Notification] = []
    for event, uid in named:
        if uid in records:
            found += audience.of(event, records[uid])
    return found


def _subject(event: LoggedEvent) -> UUID | None:
    return UUID(event.subject_uid) if event.subject_uid else None


def _at(event: LoggedEvent) -> datetime:
    return datetime.fromisoformat(event.at)


class _Audience:
    """Who is told what: read once for a batch of events."""

    def __init__(self, records: Mapping[UUID, Versioned], events: Iterable[LoggedEvent]) -> None:
        self._parts: dict[UUID, dict[int, str]] = {uid: {} for uid in records}
        self._muted: set[tuple[UUID, int]] = set()
        self._mentions = {event.sequence: _mentioned(event) for event in events}
        rows = Watch.objects.filter(subject_uid__in=records)
        for uid, pk, muted in rows.values_list("subject_uid", "person_id", "muted"):
            if muted:
                self._muted.add((uid, pk))
            else:
                self._part(uid, pk, Reason.WATCHING)
        said = Comment.objects.filter(subject_uid__in=records, withdrawn_at=None)
        for uid, pk in said.values_list("subject_uid", "author_id").distinct():
            self._part(uid, pk, Reason.COMMENTED)
        for uid, record in records.items():
            for part, people in queries.kind_of(record.kind).people(record).items():
                for pk in people:
                    self._part(uid, pk, Reason(part))
        self._read_people()

    def _part(self, uid: UUID, pk: int, reason: str) -> None:
        known = self._parts[uid].get(pk)
        if known is None or WEIGHT[reason] < WEIGHT[known]:
            self._parts[uid][pk] = reason

    def _read_people(self) -> None:
        pks = {pk for parts in self._parts.values() for pk in parts}
        uids = {uid for some in self._mentions.values() for uid in some}
        active = accounts.active_people()
        self._people: dict[int, Any] = {one.pk: one for one in active.filter(pk__in=pks)}
        self._people |= {one.pk: one for one in active.filter(uid__in=uids)}
        self._by_uid = {str(one.uid): one.pk for one in self._people.values()}
        rows = NotificationSettings.objects.filter(person__in=self._people)
        self._settings = {row.person_id: row for row in rows}
        self._actors: dict[int, Actor] = {}
        self._reads: dict[tuple[int, UUID], bool] = {}

    def of(self, event: LoggedEvent, record: Versioned) -> Iterable[Notification]:
        """Yield what is told of one event."""
        wanted = dict.fromkeys(
            (self._by_uid[uid] for uid in self._mentions[event.sequence] if uid in self._by_uid),
            str(Reason.MENTIONED),
        )
        if event.command not in QUIET:
            wanted = {**self._parts[record.uid], **wanted}
        for pk, reason in wanted.items():
            person = self._people.get(pk)
            if person is None or str(person.uid) == event.actor_uid or (record.uid, pk) in self._muted:
                continue
            settings = self._settings.get(pk)
            if settings and (event.command in settings.muted or reason in settings.reasons_off):
                continue
            if self._may_read(pk, record):
                yield Notification(
                    person_id=pk,
                    sequence=event.sequence,
                    command=event.command,
                    subject_kind=record.kind,
                    subject_uid=record.uid,
                    reason=reason,
                    at=_at(event),
                )

    def _may_read(self, pk: int, record: Versioned) -> bool:
        known = self._reads.get((pk, record.uid))
        if known is None:
            if pk not in self._actors:
                self._actors[pk] = accounts.person(self._people[pk])
            known = self._reads[pk, record.uid] = queries.may_read(self._actors[pk], record)
        return known


def _mentioned(event: LoggedEvent) -> list[str]:
    """Return the uids of those whom an event's comment names anew."""
    rows = [row for row in event.rows if row.model == "workspace.Mention" and row.action == "create"]
    return [str(msgspec.json.decode(row.changes)["person_id"][1]) for row in rows]
