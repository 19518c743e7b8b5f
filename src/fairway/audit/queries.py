"""Reading the log."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Max, Q

from fairway.audit import checkpoints
from fairway.audit.models import ChainHead, Event, EventRow, EventText, Revision
from fairway.audit.naming import SOURCE as SOURCE
from fairway.audit.naming import cdevent as cdevent
from fairway.audit.naming import kind_of as kind_of
from fairway.audit.rules import Checkpoint, LoggedRow, Verification, canonical, instant, verify
from fairway.audit.rules import LoggedEvent as LoggedEvent
from fairway.audit.veils import cover as cover
from fairway.audit.veils import covered, veiled
from fairway.audit.veils import veil as veil
from fairway.kernel.actor import Actor
from fairway.kernel.cache import Remembered
from fairway.kernel.errors import Invalid
from fairway.kernel.refs import HIDDEN, as_uid

NAMED_ANYWHERE = ("accounts.Organisation", "accounts.User")
"""Records that others may name to whoever sees these: who did it, and where it hangs in the tree."""
_steady: ContextVar[Mapping[str, int] | None] = ContextVar("steady", default=None)


def revisions() -> Mapping[str, int]:
    """Return, per app, the number of the last event that wrote one of its rows; absent: never written."""
    held = _steady.get()
    return dict(Revision.objects.values_list("label", "value")) if held is None else held


@contextmanager
def steady(known: Mapping[str, int] | None = None) -> Iterator[None]:
    """Let everything inside go by the same revisions, read once: one answer, from one state of what is kept.

    `known`: those that were read for this very answer already. Enter it after taking locks, never before.
    """
    if _steady.get() is not None:
        yield
        return
    token = _steady.set(known or revisions())
    try:
        yield
    finally:
        _steady.reset(token)


def head() -> tuple[int, str]:
    """Return the last event's number and hash."""
    return ChainHead.objects.values_list("sequence", "hash").get()


@dataclass(frozen=True, slots=True)
class WrittenRow:
    """One row that an event wrote; `action`: create, change or remove; `changes`: field to [before,
    after].
    """

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


@dataclass(frozen=True, slots=True)
class Outline:
    """An event without what it wrote; `rows`: the uids of those it wrote of one model."""

    sequence: int
    at: datetime
    actor: str
    command: str
    rows: Sequence[str]


def outlines(sequences: Collection[int], *, model: str) -> list[Outline]:
    """Return these events in outline, with the rows of one model that they wrote; two statements."""
    rows: dict[int, list[str]] = {}
    written = EventRow.objects.filter(event_id__in=sequences, model=model).order_by("event_id", "position")
    for sequence, uid in written.values_list("event_id", "row_uid"):
        rows.setdefault(sequence, []).append(str(uid))
    events = Event.objects.filter(pk__in=sequences).values_list("pk", "at", "actor_uid", "command")
    return [
        Outline(sequence, at, str(actor), command, rows.get(sequence, ()))
        for sequence, at, actor, command in events
    ]


def last_written(uids: Collection[UUID]) -> dict[str, datetime]:
    """Return, by uid, the instant of the last event that wrote each of these rows; two statements."""
    rows = EventRow.objects.filter(row_uid__in=uids).values_list("row_uid").annotate(Max("event_id"))
    last = {str(uid): sequence for uid, sequence in rows.order_by()}
    at = dict(Event.objects.filter(pk__in=set(last.values())).values_list("pk", "at"))
    return {uid: at[sequence] for uid, sequence in last.items()}


def event(sequence: int, *, organisations: Collection[int] | None) -> LoggedEvent | None:
    """Return one whole event for somebody who sees these organisations (None: all), or None."""
    if not 0 < sequence < 2**63:
        return None
    only = Q() if organisations is None else Q(organisation_id__in=organisations)
    return next(logged(after=sequence - 1, until=sequence, only=only), None)


def asked_for(request_id: str, actor: UUID, *, limit: int) -> list[int]:
    """Return the numbers of the last events that one request of an actor left, newest first."""
    if not request_id:
        return []
    found = Event.objects.filter(request_id=request_id, actor_uid=actor).order_by("-sequence")
    return list(found.values_list("pk", flat=True)[:limit])


def last_writer(row: UUID, *, after: int) -> tuple[str, datetime] | None:
    """Return who wrote a row last, and when, since an event; None: nobody."""
    last = EventRow.objects.filter(row_uid=row, event_id__gt=after).order_by("-event_id").first()
    return (str(last.event.actor_uid), last.event.at) if last is not None else None


def logged(
    *, after: int = 0, until: int | None = None, limit: int | None = None, only: Q | None = None
) -> Iterator[LoggedEvent]:
    """Yield whole events in order, after a number and until one, in batches; texts that were erased are
    absent.
    """
    last = after
    left = limit
    while left is None or left > 0:
        step = 500 if left is None else min(500, left)
        query = Event.objects.filter(sequence__gt=last)
        if until is not None:
            query = query.filter(sequence__lte=until)
        if only is not None:
            query = query.filter(only)
        events = list(query.order_by("sequence")[:step])
        if not events:
            return
        yield from _assemble(events)
        last = events[-1].sequence
        left = None if left is None else left - len(events)


def verification(*, checkpoint: Path | None = None, export: Path | None = None) -> Verification:
    """Walk the whole log, or events that were exported from it, and say what is wrong with it.

    `checkpoint`: a file that `checkpoint()` made before; with it a cut or rewritten tail shows. With
    `export` (a file of `exported()`) no database is asked.

    :raises Invalid: the checkpoint's signature does not fit, or a line of the export is no event; names it.
    :raises OSError: a file cannot be read.
    """
    known = checkpoints.read(checkpoint.read_bytes()) if checkpoint is not None else None
    if export is not None:
        with export.open("rb") as lines:
            return verify(_read(lines), checkpoint=known)
    last = head()  # first: what is appended meanwhile is not looked at
    return verify(logged(until=last[0]), head=last, checkpoint=known)


def checkpoint(*, at: datetime | None = None) -> str:
    """Return a signed checkpoint of the log as it stands, as JSON; keep it where nobody can edit the log.

    Signed with Ed25519 (RFC 8032); the key is made on first use in the data folder, for its owner alone.
    """
    sequence, last = head()
    known = Checkpoint(sequence, last, instant(at or datetime.now(UTC)))
    return checkpoints.sign(known, folder=settings.CONFIGURATION.data)


def exported(*, after: int = 0, texts: bool = False) -> Iterator[bytes]:
    """Yield the log as NDJSON, one event a line, fit for `verification(export=…)` without a server.

    `texts`: with the free text, which holds personal data; the chain is verifiable without. PostgreSQL gives
    texts and the names in them in an order of its own: they are told in one, so that the bytes are the same.
    """
    for event in logged(after=after, until=head()[0]):
        told: dict[int, Any] = {
            position: (salt, msgspec.Raw(canonical(kept).encode()))
            for position, (salt, kept) in sorted(event.texts.items())
        }
        yield msgspec.json.encode(replace(event, texts=told if texts else {})) + b"\n"


def _read(lines: Iterable[bytes]) -> Iterator[LoggedEvent]:
    decoder = msgspec.json.Decoder(LoggedEvent)
    for number, line in enumerate(lines, start=1):
        try:
            yield decoder.decode(line)
        except msgspec.DecodeError as cause:
            raise Invalid(f"Line {number} is not an event: {cause}.") from cause


def feed(
    *,
    after: int,
    limit: int,
    organisations: Collection[int] | None,
    subject: UUID | None = None,
    until: int | None = None,
    reader: Actor | None = None,
) -> list[dict[str, Any]]:
    """Return events as plain values for somebody who sees these organisations (None: all), rows filtered
    alike. Without a `reader`, fields that are not for everybody are left out.

    References are uids, those to records of other organisations “hidden”; instants UTC in RFC 3339; free
    text stands where it was not erased.
    """
    only = Q()
    if organisations is not None:
        only &= Q(organisation_id__in=organisations)
    if subject is not None:
        only &= Q(subject_uid=subject)
    seen = _seen(organisations)
    with steady():
        told = [
            _told(event, seen, reader) for event in logged(after=after, until=until, limit=limit, only=only)
        ]
    if organisations is not None:
        _hide_strangers(told, organisations)
    return told


def _hide_strangers(told: list[dict[str, Any]], organisations: Collection[int]) -> None:
    """Take out the uids of records of other organisations; people and organisations may be named anywhere.

    The log itself knows whose a record is: one statement for each five hundred that are named.
    """
    pairs = [
        pair
        for event in told
        for row in event["rows"]
        for name, pair in row["changes"].items()
        if name.endswith("_id")
    ]
    uids = sorted(
        {uid for pair in pairs for value in pair if isinstance(value, str) and (uid := as_uid(value))}
    )
    owners: dict[str, int] = {}
    for some in (uids[start : start + 500] for start in range(0, len(uids), 500)):
        rows = EventRow.objects.filter(row_uid__in=some).exclude(organisation_id=None)
        rows = rows.exclude(model__in=NAMED_ANYWHERE).order_by("event_id", "position")
        found = rows.values_list("row_uid", "organisation_id")
        owners.update((str(uid), where) for uid, where in found if where is not None)
    strangers = {uid for uid, where in owners.items() if where not in organisations}
    for pair in pairs:
        pair[:] = [HIDDEN.kind if isinstance(value, str) and value in strangers else value for value in pair]


def history(
    *,
    organisations: Collection[int] | None,
    subject: UUID | None = None,
    actor: UUID | None = None,
    command: str = "",
    without: str = "",
    before: int | None = None,
    limit: int = 50,
    reader: Actor | None = None,
) -> list[dict[str, Any]]:
    """Return the newest events before a number, newest first: of one record, by one actor, of commands so
    named.

    `command` is a name or the beginning of one that ends with a dot (`accounts.grant.`); `without`: the
    beginning of those to leave out. Without a `reader`, fields that are not for everybody are left out.
    """
    query = Event.objects.all()
    if organisations is not None:
        query = query.filter(organisation_id__in=organisations)
    if subject is not None:
        query = query.filter(subject_uid=subject)
    if actor is not None:
        query = query.filter(actor_uid=actor)
    if command:
        query = query.filter(**{"command__startswith" if command.endswith(".") else "command": command})
    if without:
        query = query.exclude(command__startswith=without)
    if before is not None:
        query = query.filter(sequence__lt=before)
    events = list(query.order_by("-sequence")[:limit])
    seen = _seen(organisations)
    with steady():
        return [_told(event, seen, reader) for event in _assemble(events)]


def life(
    subject: UUID, *, organisations: Collection[int] | None, reader: Actor | None = None
) -> list[dict[str, Any]]:
    """Return every event about one record, oldest first, for somebody who may see it now.

    Unlike `feed` it holds what was written when the record was another organisation's, so that its past can
    be told from its beginning: each event and row names its organisation by uid, and the caller leaves out
    what is not to be shown. Rows tell whether free text of theirs was `erased`. Three statements for five
    hundred events.
    """
    told = []
    with steady():
        for event in logged(only=Q(subject_uid=subject)):
            facts = _told(event, None, reader)
            for row, kept in zip(facts["rows"], event.rows, strict=True):
                row["organisation"] = kept.organisation
                row["erased"] = kept.position not in event.texts and '"_texts":' in kept.changes
            told.append({**facts, "organisation": event.organisation})
    if organisations is not None:
        _hide_strangers(told, organisations)
    return told


def visible_uids(organisations: Collection[int] | None) -> frozenset[str] | None:
    """Return these organisations by uid, as the log names them; None: all."""
    return _seen(organisations)


def uids_of_organisations(pks: Collection[int]) -> dict[int, str]:
    """Return the uid of each organisation; one that is not there has none. They never change once
    committed.
    """
    known = {pk: uid for pk in pks if (uid := _ORGANISATIONS.get(pk)) is not None}
    missing = set(pks) - known.keys()
    if missing:
        rows = apps.get_model("accounts.Organisation")._default_manager.values_list("pk", "uid")
        found = {pk: str(uid) for pk, uid in rows}
        if not connection.in_atomic_block:  # else it may yet be rolled back, and its number given again
            _ORGANISATIONS.learn(found)
        known.update((pk, found[pk]) for pk in missing & found.keys())
    return known


_ORGANISATIONS: Remembered[int, str] = Remembered(most=100_000)


def _seen(organisations: Collection[int] | None) -> frozenset[str] | None:
    return None if organisations is None else frozenset(uids_of_organisations(organisations).values())


def _told(event: LoggedEvent, organisations: Collection[str] | None, reader: Actor | None) -> dict[str, Any]:
    def merged(position: int, chained: str) -> dict[str, Any]:
        facts = msgspec.json.decode(chained)
        facts.pop("_texts", None)
        words = event.texts.get(position)
        return {**facts, **(words[1] if words else {})}

    secret = {row.uid for row in event.rows if covered(row.model, row.uid, reader)}
    named = event.subject_uid and event.subject_uid not in secret
    told = {
        "sequence": event.sequence,
        "at": event.at,
        "actor": {"kind": event.actor_kind, "uid": event.actor_uid},
        "on_behalf_of": event.on_behalf_of or None,
        "request_id": event.request_id or None,
        "command": event.command,
        "subject": {"kind": event.subject_kind, "uid": event.subject_uid, "key": event.subject_key}
        if named
        else None,
        "data": {} if event.subject_uid in secret else merged(0, event.data),
        "rows": [
            {
                "model": row.model,
                "uid": row.uid,
                "action": row.action,
                "changes": veiled(row.model, merged(row.position, row.changes), row.organisation, reader),
            }
            for row in event.rows
            if (organisations is None or row.organisation in organisations) and row.uid not in secret
        ],
        "hash": event.hash,
    }
    return {**told, "type": kind_of(told)}


def _assemble(events: list[Event]) -> Iterator[LoggedEvent]:
    rows: dict[int, list[LoggedRow]] = {}
    numbers = [event.sequence for event in events]
    written = list(EventRow.objects.filter(event_id__in=numbers).order_by("event_id", "position"))
    whose = {event.organisation_id for event in events} | {row.organisation_id for row in written}
    uids = uids_of_organisations({pk for pk in whose if pk is not None})

    def uid_of(pk: int | None) -> str:
        return "" if pk is None else uids.get(pk, f"no organisation {pk}")

    for row in written:
        owner = uid_of(row.organisation_id)
        rows.setdefault(row.event_id, []).append(
            LoggedRow(row.position, row.model, str(row.row_uid), owner, row.action, row.changes)
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
            organisation=uid_of(event.organisation_id),
            data=event.data,
            rows=rows.get(event.sequence, []),
            previous_hash=event.previous_hash,
            hash=event.hash,
            texts=texts.get(event.sequence, {}),
        )
