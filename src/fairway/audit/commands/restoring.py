"""Taking over a log that was written elsewhere, with the records that it tells of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Final
from uuid import UUID

from django.apps import apps

from fairway.audit.commands.journal import _projections
from fairway.audit.models import ChainHead, Event, EventRow, EventText, Revision
from fairway.audit.rules import LoggedEvent, Verification, verify
from fairway.kernel.errors import Conflict
from fairway.kernel.models import Row

AT_ONCE: Final = 500


def require_unwritten() -> None:
    """Check that no command has written anything yet, and let none begin before the transaction ends.

    :raises Conflict: one has.
    """
    if ChainHead.objects.select_for_update().get().sequence:
        raise Conflict("This database holds records already.", code="audit.log.begun")


def restore_log(events: Iterable[LoggedEvent], *, organisations: Mapping[str, int]) -> Verification:
    """Store events as the log of an empty database, and say whether they were a whole log.

    `organisations`: primary key by uid. Call it in a transaction, and give that up where there are flaws.
    """
    found = verify(_stored(events, organisations))
    sequence, last = found.last
    ChainHead.objects.update(sequence=sequence, hash=last)
    labels = {config.label for config in apps.get_app_configs() if config.name.startswith("fairway.")}
    Revision.objects.all().delete()
    Revision.objects.bulk_create(Revision(label=label, value=sequence) for label in sorted(labels))
    return found


def project(label: str, rows: Sequence[Row]) -> None:
    """Bring the projections up to date that follow from these rows alone, all of one model."""
    for labels, function, dated in _projections:
        if label in labels and not dated:
            function(rows)


def _stored(events: Iterable[LoggedEvent], organisations: Mapping[str, int]) -> Iterator[LoggedEvent]:
    left = iter(events)
    while some := list(islice(left, AT_ONCE)):
        Event.objects.bulk_create([_event(one, organisations) for one in some])
        EventRow.objects.bulk_create(
            [
                EventRow(
                    event_id=one.sequence,
                    position=row.position,
                    model=row.model,
                    row_uid=UUID(row.uid),
                    organisation_id=organisations.get(row.organisation),
                    action=row.action,
                    changes=row.changes,
                )
                for one in some
                for row in one.rows
            ],
            batch_size=AT_ONCE,
        )
        EventText.objects.bulk_create(
            [
                EventText(event_id=one.sequence, position=position, salt=salt, texts=texts)
                for one in some
                for position, (salt, texts) in one.texts.items()
            ],
            batch_size=AT_ONCE,
        )
        yield from some


def _event(one: LoggedEvent, organisations: Mapping[str, int]) -> Event:
    return Event(
        sequence=one.sequence,
        at=datetime.fromisoformat(one.at),
        actor_kind=one.actor_kind,
        actor_uid=UUID(one.actor_uid),
        on_behalf_of=one.on_behalf_of,
        request_id=one.request_id,
        command=one.command,
        subject_kind=one.subject_kind,
        subject_uid=UUID(one.subject_uid) if one.subject_uid else None,
        subject_key=one.subject_key,
        organisation_id=organisations.get(one.organisation),
        data=one.data,
        previous_hash=one.previous_hash,
        hash=one.hash,
    )
