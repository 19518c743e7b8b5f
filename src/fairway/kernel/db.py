"""What both databases do differently, in one place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.models import (
    AutoField,
    DateTimeField,
    DecimalField,
    DurationField,
    JSONField,
    Model,
    QuerySet,
    UUIDField,
)
from django.db.models.expressions import Col, RawSQL


@contextmanager
def snapshot() -> Iterator[None]:
    """Let several reads see one state of the database, without taking the writer's lock.

    On SQLite `atomic()` begins IMMEDIATE here (see the settings) and would wait for every writer.
    """
    connection.ensure_connection()
    if connection.in_atomic_block or getattr(connection.connection, "in_transaction", False):
        yield  # one is open already
    elif connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("COMMIT")
    else:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield


def fetch(query: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a reading in SQL, with `%s` for parameters, and return its rows as the database gives them.

    For hot paths: on SQLite it goes straight to the driver, unless somebody listens to what is run; that
    spares half of what a small reading costs, first of all turning `%s` into the driver's marks each time.
    """
    here = connections[DEFAULT_DB_ALIAS]  # looked up once: the proxy would do so at each use
    if here.vendor != "sqlite" or here.execute_wrappers or here.queries_logged:
        with here.cursor() as cursor:
            cursor.execute(query, params)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows
    here.ensure_connection()
    here.validate_no_broken_transaction()
    with here.wrap_database_errors:
        found: list[tuple[Any, ...]] = here.connection.execute(_marked(query), params).fetchall()
        return found


def append(model: type[Model], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert new rows of a model, each given as the values of all its columns but the key that the database
    gives; that is not told, and nothing is checked before.

    On SQLite it spares four fifths of what `bulk_create` costs, which makes an object of each row and
    prepares each value by itself.
    """
    if not rows:
        return
    here = connections[DEFAULT_DB_ALIAS]
    if here.vendor != "sqlite":
        model._default_manager.bulk_create([model(**row) for row in rows], batch_size=500)
        return
    query, columns, prepared = _appending(model)
    values = [[row[column] for column in columns] for row in rows]
    for place, prepare in prepared:
        for one in values:
            if one[place] is not None:
                one[place] = prepare(one[place])
    with here.cursor() as cursor:
        cursor.executemany(query, values)


@lru_cache(maxsize=64)
def _appending(
    model: type[Model],
) -> tuple[str, list[str], list[tuple[int, Callable[[Any], Any]]]]:
    """Return the statement that inserts a row, its columns, and what has to be done to some values."""
    fields = [field for field in model._meta.local_concrete_fields if not isinstance(field, AutoField)]
    prepared: list[tuple[int, Callable[[Any], Any]]] = []
    for place, field in enumerate(fields):
        if isinstance(field, UUIDField):
            prepared.append((place, attrgetter("hex")))
        elif isinstance(field, DateTimeField):
            prepared.append((place, connection.ops.adapt_datetimefield_value))
        elif isinstance(field, JSONField | DurationField | DecimalField):
            raise TypeError(f"{model.__name__}.{field.name} is of a kind that is not appended")
    quote = connection.ops.quote_name
    names = ", ".join(quote(field.column or field.attname) for field in fields)
    query = f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({', '.join(['%s'] * len(fields))})"  # noqa: S608
    return query, [field.attname for field in fields], prepared


@lru_cache(maxsize=512)
def _marked(query: str) -> str:
    return query.replace("%s", "?").replace("%%", "%")


class Prepared:
    """A reading that is put into SQL once for each database; Django would do so anew for each question.

    For hot paths: it spares most of what a small query costs. `build` makes a queryset of `values_list` from
    stand-ins of its parameters, which are whole numbers or texts used nowhere else in it; calling it with the
    real ones gives the rows, converted as Django would.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Any]], *stand_ins: int | str) -> None:
        self._build, self._stand_ins = build, stand_ins
        self._compiled: dict[str, _Compiled] = {}

    def __call__(self, *values: int | str) -> list[tuple[Any, ...]]:
        here = connections[DEFAULT_DB_ALIAS]
        compiled = self._compiled.get(here.vendor)
        if compiled is None:
            compiled = self._compiled[here.vendor] = self._compile()
        params = list(compiled.params)
        for places, value in zip(compiled.places, values, strict=True):
            for place in places:
                params[place] = type(params[place])(value)  # psycopg's own number, where there is one
        rows = fetch(compiled.query, params)
        return [compiled.converted(row, here) for row in rows] if compiled.converters else rows

    def _compile(self) -> _Compiled:
        """:raises ValueError: a stand-in does not stand in the query as it is."""
        compiled = _compiled(self._build(*self._stand_ins))
        compiled.places = [
            [place for place, param in enumerate(compiled.params) if _is_stand_in(param, one)]
            for one in self._stand_ins
        ]
        if not all(compiled.places):
            raise ValueError(
                f"{self._stand_ins} do not all stand in {compiled.query}, {list(compiled.params)}"
            )
        return compiled


def rows(query: QuerySet[Any, Any]) -> list[tuple[Any, ...]]:
    """Return what a queryset of `values_list` gives, converted as Django would; for thousands of rows.

    On SQLite it takes a third of the time that Django takes for each row.
    """
    compiled = _compiled(query)
    found = fetch(compiled.query, compiled.params)
    if not compiled.converters or not found:
        return found
    here = connections[DEFAULT_DB_ALIAS]
    columns = list(zip(*found, strict=True))
    for position, convert, expression in compiled.converters:
        columns[position] = tuple([convert(value, expression, here) for value in columns[position]])
    return list(zip(*columns, strict=True))


def among(keys: Collection[int]) -> RawSQL:
    """Return what `field__in` takes of thousands of primary keys: they are one parameter."""
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::bigint[])", [list(keys)])
    return RawSQL("SELECT value FROM json_each(%s)", [str(list(keys))])


def _compiled(query: QuerySet[Any, Any]) -> _Compiled:
    compiler = query.query.get_compiler(connection=connection)
    text, params = compiler.as_sql()
    columns = [column for column, _, _ in compiler.select[: compiler.col_count]]
    converters = []
    for position, (some, expression) in compiler.get_converters(columns).items():
        quick = _QUICK.get(type(expression.output_field)) if isinstance(expression, Col) else None
        if quick is not None and connection.vendor == "sqlite":
            converters.append((position, quick, expression))
        else:
            converters += [(position, converter, expression) for converter in some]
    return _Compiled(text, list(params), [], converters)


def _instant(value: datetime | None, *_: object) -> datetime | None:
    return None if value is None else value.replace(tzinfo=UTC)  # the driver has read the text already


def _uid(value: str | None, *_: object) -> UUID | None:
    return None if value is None else UUID(value)


_QUICK: dict[type, Callable[..., Any]] = {DateTimeField: _instant, UUIDField: _uid}
"""What Django's own conversions on SQLite come to where the time zone is UTC, at a third of their cost."""


def _is_stand_in(param: object, one: int | str) -> bool:
    """Say whether a parameter is the stand-in; psycopg binds numbers as its own kinds of int."""
    return isinstance(param, type(one)) and not isinstance(param, bool) and param == one


@dataclass(slots=True)
class _Compiled:
    query: str
    params: Sequence[Any]
    places: Sequence[Sequence[int]]
    converters: Sequence[tuple[int, Callable[..., Any], Any]]

    def converted(self, row: tuple[Any, ...], here: Any) -> tuple[Any, ...]:
        values = list(row)
        for position, convert, expression in self.converters:
            values[position] = convert(values[position], expression, here)
        return tuple(values)
