"""Keeps what search knows of records, in the transaction that writes them.

A context enters its records once, when its app is ready; the command frame does the rest. What is kept
follows from the record's own row alone, so that `rebuild` gives the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.apps import apps
from django.db import connection, transaction

from fairway.audit import queries as audit
from fairway.audit.commands import projection
from fairway.kernel.models import Versioned
from fairway.workspace.models import SearchRow
from fairway.workspace.queries.kinds import KINDS, Kind
from fairway.workspace.rules import folded, index

BATCH, SHOWN_BODY = 500, 4_000
_COLUMNS = (
    "kind", "record_id", "uid", "organisation_id", "key", "key_folded", "title", "title_folded", "body",
    "state", "archived", "updated_at", "marks",
)  # fmt: skip
_UPSERT = (
    f"INSERT INTO workspace_searchrow ({', '.join(_COLUMNS)})"  # noqa: S608  (constants)
    f" VALUES ({', '.join(['%s'] * len(_COLUMNS))}) ON CONFLICT (kind, record_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[2:])
)
Texts = Callable[[Any], Iterable[str]]


class Searchable:
    """How the rows of a model are found: `body` gives their free text, `state` the name of their state."""

    def __init__(self, model: str, kind: Kind, *, body: Texts, state: Callable[[Any], str]) -> None:
        self.model, self.kind, self.body, self.state = model, kind, body, state

    def values(self, row: Any, at: datetime) -> tuple[Any, ...]:
        """Return the columns of a record's row, in the order of the statement."""
        texts = [text for text in self.body(row) if text]
        key, title = row.key, row.label
        return (
            self.kind.name, row.pk, row.uid, row.owning_organisation, key, folded(key)[:220], title[:400],
            folded(title)[:400], "\n".join(texts)[:SHOWN_BODY], self.state(row), row.archived_at is not None,
            at,
            index(
                kind=self.kind.name, organisation=row.owning_organisation, key=key, title=title, body=texts
            ),
        )  # fmt: skip


_searchable: dict[str, Searchable] = {}


def searchable(model: str, kind: Kind, *, body: Texts, state: Callable[[Any], str]) -> None:
    """Enter a model (`catalog.ConfigurationItem`): its records are found from the next write on.

    `body` and `state` may read nothing but the row.
    """
    entered = _searchable[kind.name] = Searchable(model, kind, body=body, state=state)
    KINDS[kind.name] = kind
    projection(model, dated=True)(partial(_project, entered))


def _project(entered: Searchable, rows: Sequence[Any], *, at: datetime) -> None:
    """Bring up to date what was written; what was removed is found no longer."""
    written = {row.pk: row for row in rows}
    gone = [pk for pk, row in written.items() if row._state.adding]
    if gone:
        SearchRow.objects.filter(kind=entered.kind.name, record_id__in=gone).delete()
    with audit.steady():
        _write(entered.values(row, at) for row in written.values() if not row._state.adding)


def _write(rows: Iterable[tuple[Any, ...]]) -> None:
    """Write rows of search, those there were anew."""
    uid, when = SearchRow._meta.get_field("uid"), connection.ops.adapt_datetimefield_value
    columns = _COLUMNS.index("uid"), _COLUMNS.index("updated_at")

    def adapted(row: tuple[Any, ...]) -> list[Any]:
        values = list(row)
        values[columns[0]] = uid.get_db_prep_value(values[columns[0]], connection)
        values[columns[1]] = when(values[columns[1]])
        return values

    with connection.cursor() as cursor:
        cursor.executemany(_UPSERT, [adapted(row) for row in rows])


def rebuild(kinds: Collection[str] = ()) -> int:
    """Write anew what search knows of all records (of these kinds), and return how many there are."""
    done = 0
    for entered in _searchable.values():
        if kinds and entered.kind.name not in kinds:
            continue
        with transaction.atomic():
            SearchRow.objects.filter(kind=entered.kind.name).delete()
            for some in _batches(entered):
                at = audit.last_written([row.uid for row in some])
                with audit.steady():
                    _write(entered.values(row, at.get(str(row.uid), row.created_at)) for row in some)
                done += len(some)
    return done


def refresh(kind: str, records: Collection[int]) -> None:
    """Write anew what search knows of these records of a kind, where what may be found of them changes."""
    entered = _searchable.get(kind)
    if entered is None:
        return
    manager = apps.get_model(entered.model)._default_manager
    wanted = sorted(records)
    for some in (wanted[start : start + BATCH] for start in range(0, len(wanted), BATCH)):
        known = dict(
            SearchRow.objects.filter(kind=kind, record_id__in=some).values_list("record_id", "updated_at")
        )
        with audit.steady():
            _write(entered.values(row, known[row.pk]) for row in manager.filter(pk__in=known))


def fill() -> int:
    """Write what search knows where it knows nothing yet: after an update from a version without search."""
    return 0 if SearchRow.objects.exists() else rebuild()


def _batches(entered: Searchable) -> Iterator[list[Versioned]]:
    """Yield all records of a kind, by primary key."""
    records = apps.get_model(entered.model)._default_manager.order_by("pk")
    last = 0
    while some := list(records.filter(pk__gt=last)[:BATCH]):
        yield some
        last = some[-1].pk
