"""Writes the rows of one transaction's commands and closes it with projections and events."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Any, TypeVar
from uuid import UUID

from django.apps import apps
from django.db import transaction
from django.db.models import F, Field, ForeignKey, Model

from fairway.audit.commands.command import Command, Outcome, Plan, refused
from fairway.audit.models import ChainHead, Event, EventRow, EventText, Revision
from fairway.audit.rules import LoggedEvent, LoggedRow, canonical, commitment, instant
from fairway.kernel.actor import Actor
from fairway.kernel.cache import Remembered
from fairway.kernel.db import append
from fairway.kernel.errors import Problem, Stale
from fairway.kernel.models import Row, Versioned
from fairway.kernel.numbers import next_numbers
from fairway.kernel.refs import Ref

Project = TypeVar("Project", bound=Callable[..., None])
_projections: list[tuple[tuple[str, ...], Callable[..., None], bool]] = []


def projection(*labels: str, dated: bool = False) -> Callable[[Project], Project]:
    """Register what brings a projection up to date when rows of these models were written.

    It runs once per transaction, after the rows and before the event, with every row written or removed
    (`_state.adding`); `dated`: and with the instant of the event, as `at`.
    """

    def register(project: Project) -> Project:
        _projections.append((labels, project, dated))
        return project

    return register


@dataclass(slots=True)
class _Entry:
    """An event in the making, and the rows that it wrote."""

    command: str
    note: Mapping[str, Any]
    texts: Mapping[str, str]
    subject: Ref | None = None
    rows: list[tuple[str, str, int | None, str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    written: list[Row] = field(default_factory=list)


class Journal:
    """Runs the commands of one transaction, and closes it with projections and events as its last
    statements.
    """

    def __init__(self, actor: Actor, at: datetime) -> None:
        self.actor, self.at = actor, at
        self._entries: list[_Entry] = []
        self._first = 0
        self._uids: dict[tuple[str, int], str] = {}

    def run(self, command: Command) -> Outcome:
        """Plan under lock and write the rows. What is raised leaves the journal as it was, not the
        database.
        """
        plan = self._plan(command)
        for model, group in groupby(plan.create, type):
            self._create(model, list(group))
        outcome = self._write(command, plan)
        self._follow(plan)
        return outcome

    def run_together(self, commands: Sequence[Command]) -> list[Outcome | Problem]:
        """Plan all, then write all, what is new of one model in one statement.

        What planning raises is that command's answer. Whatever writing raises leaves the journal spoilt: give
        it up, and run the commands one by one.
        """
        plans: list[Plan | Problem] = []
        for command in commands:
            try:
                plans.append(self._plan(command))
            except Problem as problem:
                plans.append(problem)
        new: dict[type[Row], list[Row]] = {}
        for plan in plans:
            for row in plan.create if isinstance(plan, Plan) else ():
                new.setdefault(type(row), []).append(row)
        for model, rows in new.items():
            self._create(model, rows)
        answers: list[Outcome | Problem] = []
        for command, plan in zip(commands, plans, strict=True):
            if isinstance(plan, Plan):
                answers.append(self._write(command, plan))
                self._follow(plan)
            else:
                answers.append(plan)
        return answers

    def _follow(self, plan: Plan) -> None:
        for command in plan.follow:
            self.run(command)

    def _plan(self, command: Command) -> Plan:
        plan = command.plan(actor=self.actor, at=self.at, lock=True)
        if plan.decision.denied:
            raise refused(plan, command)
        return plan

    def _write(self, command: Command, plan: Plan) -> Outcome:
        """Write what a plan changes and removes, and note that with what it created before."""
        entry = _Entry(command.command, plan.note, plan.texts)
        for row in plan.create:
            after = {f.attname: getattr(row, f.attname) for f in _logged_fields(type(row))}
            self._note(row, "create", {}, after, entry)
        for row, values in plan.change:
            self._change(row, values, entry)
        for row in plan.remove:
            self._remove(row, entry)
        entry.subject = plan.subject.ref() if plan.subject is not None else None
        position = None
        if entry.rows or entry.note or entry.texts:
            self._entries.append(entry)
            position = len(self._entries)  # becomes the sequence when the journal closes
        created = any(row is plan.subject for row in plan.create)
        version = plan.subject.version if plan.subject is not None else None
        return Outcome(plan.decision, entry.subject, position, created, plan.answer, version=version)

    def numbered(self, outcome: Outcome) -> Outcome:
        """Return the outcome with its event's number, once the journal is closed."""
        if outcome.sequence is None:
            return outcome
        return replace(outcome, sequence=self._first + outcome.sequence)

    def close(self) -> None:
        """Bring projections up to date and append the events, the head locked last and briefly."""
        if not self._entries:
            return
        touched: dict[str, list[Row]] = {}
        for entry in self._entries:
            for written in entry.written:
                touched.setdefault(written._meta.label, []).append(written)
        for labels, project, dated in _projections:
            concerned = [row for label in labels for row in touched.get(label, ())]
            if concerned:
                project(concerned, **({"at": self.at} if dated else {}))
        if self._uids:
            transaction.on_commit(lambda: _UIDS.learn(self._uids))
        head = ChainHead.objects.select_for_update().get()
        self._first = head.sequence
        events: list[dict[str, Any]] = []
        rows: list[dict[str, Any]] = []
        texts: list[EventText] = []
        for entry in self._entries:
            event, its_rows, its_texts = self._seal(entry, head)
            events.append(event)
            rows += its_rows
            texts += its_texts
        append(Event, events)
        append(EventRow, rows)
        if texts:
            EventText.objects.bulk_create(texts, batch_size=500)
        ChainHead.objects.update(sequence=head.sequence, hash=head.hash)
        apps_written = sorted({label.partition(".")[0] for label in touched})
        if apps_written:
            Revision.objects.bulk_create(
                [Revision(label=label, value=head.sequence) for label in apps_written],
                update_conflicts=True, unique_fields=["label"], update_fields=["value"],
            )  # fmt: skip

    def _create(self, model: type[Row], rows: list[Row]) -> None:
        unnumbered = [row for row in rows if getattr(row, "number", 0) is None]
        if unnumbered:
            numbers = next_numbers(unnumbered[0].kind, len(unnumbered))  # type: ignore[attr-defined]
            for row, number in zip(unnumbered, numbers, strict=True):
                row.number = number  # type: ignore[attr-defined]
        for row in rows:
            if isinstance(row, Versioned) and not row.created_at:  # type: ignore[truthy-bool]  # None until now
                row.created_at = self.at
            row.before_write()
        model._default_manager.bulk_create(rows)

    def _change(self, row: Row, values: Mapping[str, Any], entry: _Entry) -> None:
        columns = {f.name: f.attname for f in row._meta.concrete_fields}
        columns |= {attname: attname for attname in columns.values()}  # either may be named
        named = {columns[name] for name in values}
        before = {
            name: getattr(row, name)
            for name in dict.fromkeys(columns.values())
            if name in row.__dict__ or name in named
        }
        for name, value in values.items():
            setattr(row, name, value)
        row.before_write()
        after = {name: getattr(row, name) for name in before if getattr(row, name) != before[name]}
        if not after:
            return
        matching = type(row)._default_manager.filter(pk=row.pk)
        written: dict[str, Any] = dict(after)
        if isinstance(row, Versioned):
            matching = matching.filter(**{"version": row.version})
            written["version"] = F("version") + 1
        if matching.update(**written) == 0:
            raise Stale(f"{row} was changed by somebody else meanwhile; read it again.")
        if isinstance(row, Versioned):
            row.version += 1
        logged = [f.attname for f in _logged_fields(type(row)) if f.attname in after]
        self._note(row, "change", {n: before[n] for n in logged}, {n: after[n] for n in logged}, entry)

    def _remove(self, row: Row, entry: _Entry) -> None:
        before = {f.attname: getattr(row, f.attname) for f in _logged_fields(type(row))}
        self._note(row, "remove", before, {}, entry)
        removed, _ = type(row)._default_manager.filter(pk=row.pk).delete()
        if removed == 0:
            raise Stale(f"{row} was removed by somebody else meanwhile.")
        row._state.adding = True  # it is stored no longer: projections see it by this

    def as_logged(self, row: Row) -> dict[str, Any]:
        """Return a row's columns as the log would keep them."""
        return {
            f.attname: self._plain(row, f.attname, getattr(row, f.attname)) for f in _logged_fields(type(row))
        }

    def _note(
        self, row: Row, action: str, before: dict[str, Any], after: dict[str, Any], entry: _Entry
    ) -> None:
        entry.written.append(row)
        names = before | after
        was = {name: self._plain(row, name, value) for name, value in before.items()}
        now = {name: self._plain(row, name, value) for name, value in after.items()}
        changed = {name: [was.get(name), now.get(name)] for name in names}
        texts = {name: changed.pop(name) for name in names if name in row.free_text}
        if not any(any(pair) for pair in texts.values()):
            texts = {}  # empty words need no digest
        entry.rows.append((row._meta.label, str(row.uid), row.owning_organisation, action, changed, texts))

    def _plain(self, row: Row, attname: str, value: Any) -> Any:
        """Return a column's value as the log keeps it: references by uid, instants in canonical form."""
        if isinstance(value, int) and not isinstance(value, bool) and attname.endswith("_id"):
            label = _foreign(type(row), attname)
            if label is None:
                return value
            related = row._state.fields_cache.get(attname.removesuffix("_id"))
            return (
                str(related.uid) if related is not None and related.pk == value else self._uid(label, value)
            )
        return plain(value)

    def _uid(self, label: str, pk: int) -> str:
        """Return the uid of a row. It never changes once committed; until then it is known to this journal
        alone.
        """
        key = (label, pk)
        known = self._uids.get(key) or _UIDS.get(key)
        if known is None:
            manager = apps.get_model(label)._default_manager
            known = self._uids[key] = str(manager.values_list("uid", flat=True).get(pk=pk))
        return known

    def _whose(self, organisation: int | None) -> str:
        return "" if organisation is None else self._uid("accounts.Organisation", organisation)

    def _seal(
        self, entry: _Entry, head: ChainHead
    ) -> tuple[dict[str, Any], list[dict[str, Any]], list[EventText]]:
        """Turn the entry into the next event of the chain and move the head; rows as `append` takes them."""
        texts: list[EventText] = []

        def chained(position: int, facts: Mapping[str, Any], words: Mapping[str, Any]) -> str:
            if not words:
                return canonical(facts)
            salt = secrets.token_hex(16)
            texts.append(EventText(event_id=sequence, position=position, salt=salt, texts=words))
            return canonical({**facts, "_texts": commitment(salt, words)})

        sequence = head.sequence + 1
        subject, actor = entry.subject, self.actor
        data = chained(0, entry.note, entry.texts)
        logged_rows = [
            LoggedRow(position, label, uid, self._whose(where), action, chained(position, facts, words))
            for position, (label, uid, where, action, facts, words) in enumerate(entry.rows, start=1)
        ]
        logged = LoggedEvent(
            sequence=sequence,
            at=instant(self.at),
            actor_kind=actor.kind,
            actor_uid=actor.uid,
            on_behalf_of=actor.on_behalf_of,
            request_id=actor.request_id[:64],
            command=entry.command,
            subject_kind=subject.kind if subject else "",
            subject_uid=subject.uid if subject else "",
            subject_key=subject.key if subject else "",
            organisation=self._whose(subject.organisation if subject else None),
            data=data,
            rows=logged_rows,
            previous_hash=head.hash,
        )
        event: dict[str, Any] = {
            "sequence": sequence,
            "at": self.at,
            "actor_kind": logged.actor_kind,
            "actor_uid": UUID(actor.uid),
            "on_behalf_of": logged.on_behalf_of,
            "request_id": logged.request_id,
            "command": logged.command,
            "subject_kind": logged.subject_kind,
            "subject_uid": UUID(logged.subject_uid) if logged.subject_uid else None,
            "subject_key": logged.subject_key,
            "organisation_id": subject.organisation if subject else None,
            "data": data,
            "previous_hash": head.hash,
            "hash": logged.digest(),
        }
        rows = [
            {
                "event_id": sequence,
                "position": row.position,
                "model": row.model,
                "row_uid": UUID(row.uid),
                "organisation_id": where,
                "action": row.action,
                "changes": row.changes,
            }
            for row, (_, _, where, *_) in zip(logged_rows, entry.rows, strict=True)
        ]
        head.sequence, head.hash = sequence, event["hash"]
        return event, rows, texts


_UIDS: Remembered[tuple[str, int], str] = Remembered(most=200_000)


def plain(value: Any) -> Any:
    """Return a value as the log keeps it: JSON's own kinds, instants in canonical form, the rest as text."""
    if value is None or isinstance(value, bool | int | str | list | dict):
        return value
    if isinstance(value, datetime):
        return instant(value) if value.tzinfo else value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value)


@lru_cache(maxsize=512)
def _logged_fields(model: type[Row]) -> tuple[Field[Any, Any], ...]:
    left_out = {"id", "uid", "version", "name_folded"} | model.unlogged | model.credentials
    return tuple(f for f in model._meta.concrete_fields if f.name not in left_out)


@lru_cache(maxsize=512)
def _foreign(model: type[Model], attname: str) -> str | None:
    """Return the label of the model that a column points at, where its rows have a uid."""
    found = next(f for f in model._meta.concrete_fields if f.attname == attname)
    if isinstance(found, ForeignKey):
        target = found.related_model
        return target._meta.label if issubclass(target, Row) else None
    return None
