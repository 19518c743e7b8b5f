"""Reading the log."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db.models import Q

from fairway.audit.models import ChainHead, Event, EventRow, EventText, Revision
from fairway.audit.rules import GENESIS, Flaw, LoggedEvent, LoggedRow, flaws, instant


def revisions() -> Mapping[str, int]:
    """Return, per app, the number of the last event that wrote one of its rows; absent: never written."""
    return dict(Revision.objects.values_list("label", "value"))


def head() -> tuple[int, str]:
    """Return the last event's number and hash."""
    return ChainHead.objects.values_list("sequence", "hash").get()


@dataclass(frozen=True, slots=True)
class WrittenRow:
    """One row that an event wrote; `action`: create, change or remove; `changes`: field to [before, after]."""

    model: str
    uid: str
    action: str
    changes: Mapping[str, Any]


def rows_written(label: str, *, after: int, limit: int) -> list[WrittenRow]:
    """Return the rows of an app that were written after an event's number, oldest first; no free text.

    One statement: for caches that follow the log instead of reading their tables anew.
    """
    rows = EventRow.objects.filter(event_id__gt=after, model__startswith=f"{label}.")
    columns = rows.order_by("event_id", "position").values_list("model", "row_uid", "action", "changes")
    return [
        WrittenRow(model, str(uid), action, msgspec.json.decode(changes))
        for model, uid, action, changes in columns[:limit]
    ]


def logged(*, after: int = 0, limit: int | None = None, only: Q | None = None) -> Iterator[LoggedEvent]:
    """Yield whole events in order from after a number on, in batches; texts that were erased are absent."""
    last = after
    left = limit
    while left is None or left > 0:
        step = 500 if left is None else min(500, left)
        query = Event.objects.filter(sequence__gt=last)
        if only is not None:
            query = query.filter(only)
        events = list(query.order_by("sequence")[:step])
        if not events:
            return
        yield from _assemble(events)
        last = events[-1].sequence
        left = None if left is None else left - len(events)


def verify(*, sequence: int | None = None, hash_then: str | None = None) -> Iterator[Flaw]:
    """Yield every flaw of the log: edits, gaps, and against a checkpoint (number and hash) a cut or changed tail."""
    seen, known, last = 0, None, GENESIS
    for flaw_or_event in _with_flaws():
        if isinstance(flaw_or_event, Flaw):
            yield flaw_or_event
            continue
        seen, last = flaw_or_event.sequence, flaw_or_event.hash
        if seen == sequence:
            known = last
    number, stored = head()
    if (number, stored) != (seen, last):
        yield Flaw(seen, f"the log ends at event {seen}, its head says {number}")
    if sequence and seen < sequence:
        yield Flaw(seen, f"the tail is cut: the checkpoint knows event {sequence}, the log ends at {seen}")
    elif sequence and known != hash_then:
        yield Flaw(sequence, "is not the event that the checkpoint knows")


def _with_flaws() -> Iterator[LoggedEvent | Flaw]:
    previous_sequence, previous_hash = 0, GENESIS
    for event in logged():
        yield from flaws([event], after=previous_sequence, hash_before=previous_hash)
        yield event
        previous_sequence, previous_hash = event.sequence, event.hash


def feed(
    *, after: int, limit: int, organisations: Collection[int] | None, subject: str | None = None
) -> list[dict[str, Any]]:
    """Return events as plain values for somebody who sees these organisations (None: all), rows filtered alike.

    References are uids, instants UTC in RFC 3339; free text stands where it was not erased.
    """
    only = Q()
    if organisations is not None:
        only &= Q(organisation_id__in=organisations)
    if subject is not None:
        only &= Q(subject_uid=subject)
    return [_told(event, organisations) for event in logged(after=after, limit=limit, only=only)]


def history(*, subject: str, organisations: Collection[int] | None, limit: int = 50) -> list[dict[str, Any]]:
    """Return the newest events of one record, newest first."""
    query = Event.objects.filter(subject_uid=subject)
    if organisations is not None:
        query = query.filter(organisation_id__in=organisations)
    events = list(query.order_by("-sequence")[:limit])
    return [_told(event, organisations) for event in _assemble(events)]


def _told(event: LoggedEvent, organisations: Collection[int] | None) -> dict[str, Any]:
    def merged(position: int, chained: str) -> dict[str, Any]:
        facts = msgspec.json.decode(chained)
        facts.pop("_texts", None)
        words = event.texts.get(position)
        return {**facts, **(words[1] if words else {})}

    return {
        "sequence": event.sequence,
        "at": event.at,
        "actor": {"kind": event.actor_kind, "uid": event.actor_uid},
        "on_behalf_of": event.on_behalf_of or None,
        "request_id": event.request_id or None,
        "command": event.command,
        "subject": {"kind": event.subject_kind, "uid": event.subject_uid, "key": event.subject_key}
        if event.subject_uid
        else None,
        "data": merged(0, event.data),
        "rows": [
            {
                "model": row.model,
                "uid": row.uid,
                "action": row.action,
                "changes": merged(row.position, row.changes),
            }
            for row in event.rows
            if organisations is None or row.organisation in organisations
        ],
        "hash": event.hash,
    }


def _assemble(events: list[Event]) -> Iterator[LoggedEvent]:
    rows: dict[int, list[LoggedRow]] = {}
    numbers = [event.sequence for event in events]
    for row in EventRow.objects.filter(event_id__in=numbers).order_by("event_id", "position"):
        rows.setdefault(row.event_id, []).append(
            LoggedRow(row.position, row.model, str(row.row_uid), row.organisation_id, row.action, row.changes)
        )
    texts: dict[int, dict[int, tuple[str, Any]]] = {}
    for text in EventText.objects.filter(event_id__in=numbers):
        texts.setdefault(text.event_id, {})[text.position] = (text.salt, text.texts)
    for event in events:
        yield LoggedEvent(
            sequence=event.sequence,
            at=instant(event.at),
            actor_kind=event.actor_kind,
            actor_uid=str(event.actor_uid),
            on_behalf_of=event.on_behalf_of,
            request_id=event.request_id,
            command=event.command,
            subject_kind=event.subject_kind,
            subject_uid=str(event.subject_uid) if event.subject_uid else "",
            subject_key=event.subject_key,
            organisation=event.organisation_id,
            data=event.data,
            rows=rows.get(event.sequence, []),
            previous_hash=event.previous_hash,
            hash=event.hash,
            texts=texts.get(event.sequence, {}),
        )
