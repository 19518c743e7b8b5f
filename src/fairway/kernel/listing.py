"""Lists on every door: filters, sort, keyset pages, picked fields and totals, on plain values.

A page is sought by (sort column, uid), rows without a value last, so that page 1,000 costs what page 1
costs and rows that come or go meanwhile neither repeat nor hide others.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, dataclass_transform
from uuid import UUID

import msgspec
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, Q, QuerySet

from fairway.kernel.errors import FieldError, Invalid
from fairway.kernel.models import fold
from fairway.kernel.period import parse_instant
from fairway.kernel.refs import as_uid

DEFAULT_LIMIT, MOST = 50, 1000
OPERATORS = {
    "": "equal to this",
    "in": "one of these, separated by commas",
    "gte": "from this on",
    "lt": "before this",
    "contains": "with this somewhere in it, in upper or lower case",
}
Kind = Literal["text", "folded", "number", "instant", "flag", "uid"]
Format = Literal["", "json", "ndjson", "csv", "xlsx"]


@dataclass_transform(kw_only_default=True, field_specifiers=(msgspec.field,))
class _QueryMeta(msgspec.StructMeta):
    """Gives a query a field for each column and operator that has sense for it (`state`, `state__in`, …).

    `columns`: those of the list. What a class declares itself stays as it says.
    """

    def __new__(
        mcls,
        class_name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        columns: Mapping[str, Column] | None = None,
        **options: Any,
    ) -> Any:
        declared = namespace.setdefault("__annotations__", {})
        for name, column in (columns or {}).items():
            for operator in column.operators:
                full = f"{name}__{operator}" if operator else name
                if full not in declared:
                    declared[full] = Annotated[str, msgspec.Meta(description=OPERATORS[operator])]
                    namespace[full] = ""
        return super().__new__(mcls, class_name, bases, namespace, **options)


class ListQuery(msgspec.Struct, metaclass=_QueryMeta, kw_only=True, forbid_unknown_fields=True):
    """What every list takes; a list's own query adds its filters (`columns=`, and fields of its own).

    With a format other than JSON the whole result comes: then limit, cursor and count have no meaning.
    """

    limit: Annotated[int, msgspec.Meta(description="rows of a page, 1000 at most")] = DEFAULT_LIMIT
    cursor: Annotated[str, msgspec.Meta(description="`next` of the page before")] = ""
    sort: Annotated[str, msgspec.Meta(description="a field, with “-” before it the other way round")] = ""
    fields: Annotated[str, msgspec.Meta(description="only these fields, separated by commas")] = ""
    q: Annotated[str, msgspec.Meta(description="rows in which all these words occur")] = ""
    count: Annotated[bool, msgspec.Meta(description="also tell how many there are in all")] = False
    format: Annotated[Format, msgspec.Meta(description="instead of an Accept header")] = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A field of a list: where it stands in the database, how its text is read, whether it sorts.

    `refers`: the column is a foreign key, filtered by references; gives the filter on the other table for
    one. `through`: the foreign key, where the path goes beyond it to what is sorted by. `prefix`: of keys
    that are numbers (`CHG`).
    """

    path: str
    kind: Kind = "text"
    sorts: bool = False
    choices: tuple[str, ...] = ()
    refers: Callable[[str], Mapping[str, Any] | None] | None = None
    through: str = ""
    prefix: str = ""

    @property
    def operators(self) -> tuple[str, ...]:
        """Return the operators that have sense for this column."""
        if self.kind == "flag":
            return ("",)
        if self.kind == "instant":
            return ("", "gte", "lt")
        if self.kind == "number":
            return ("", "in", "gte", "lt")
        if self.kind == "uid" or self.refers is not None or self.choices:
            return ("", "in")
        return ("", "in", "contains")

    def read(self, name: str, text: str) -> Any:
        """Turn a filter's text into a value.

        :raises Invalid: it has no sense for this column.
        """
        if self.kind == "instant":
            return parse_instant(text, field=name)
        if self.kind == "flag":
            if text not in {"true", "false"}:
                raise Invalid.field(name, f"“{text[:40]}” is neither true nor false.")
            return text == "true"
        if self.kind == "uid":
            uid = as_uid(text)
            if uid is None:
                raise Invalid.field(name, f"“{text[:40]}” is not a uid.")
            return uid
        if self.kind == "number":
            digits = text.upper().removeprefix(f"{self.prefix}-") if self.prefix else text
            try:
                number = int(digits)
            except ValueError:
                what = f"a key such as {self.prefix}-7" if self.prefix else "a number"
                raise Invalid.field(name, f"“{text[:40]}” is not {what}.") from None
            if abs(number) >= 2**63:
                raise Invalid.field(name, f"“{text[:40]}” is out of range.")
            return number
        if self.choices and text not in self.choices:
            raise Invalid.field(name, f"“{text[:40]}” is none of {', '.join(self.choices)}.")
        return fold(text) if self.kind == "folded" else text

    def named(self, name: str, references: Sequence[str]) -> Q:
        """Return the filter for rows that point at one of these references.

        :raises Invalid: one can be no reference of this kind.
        """
        found = Q(pk__in=())
        for reference in references:
            lookup = self.refers(reference) if self.refers is not None else None
            if lookup is None:
                raise Invalid.field(name, f"“{reference[:40]}” is not a reference of this kind.")
            path = self.through or self.path
            found |= Q(**{f"{path}__{column}": value for column, value in lookup.items()})
        return found

    def place(self, value: Any) -> Any:
        """Return a cursor's value as this column compares it.

        :raises ValueError: it is none of this column's.
        """
        if self.kind == "instant":
            return parse_instant(str(value), field="cursor")
        if self.kind == "uid":
            return UUID(str(value))
        expected: Any = {"number": int | float, "flag": bool}.get(self.kind, str)
        if not isinstance(value, expected) or (isinstance(value, int) and abs(value) >= 2**63):
            raise ValueError(f"not a {self.kind}")
        return value


@dataclass(frozen=True, slots=True)
class Page:
    """`rows`: plain values by database path (those of `Listing.values`); `next`: where to go on, or None."""

    rows: list[dict[str, Any]]
    next: str | None
    total: int | None = None
    applied: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listing:
    """What may be asked of one list. `values` are the database paths that each row brings, `uid` included."""

    columns: Mapping[str, Column]
    values: Sequence[str]
    sort: str
    search: Callable[[str], Q] | None = None

    def page(self, queryset: QuerySet[Any, Any], query: ListQuery) -> Page:
        """Return one page. One statement; one more at the end, where rows without a value follow, and for a
        total.

        :raises Invalid: a filter, the sort, the cursor or the limit has no sense; names it.
        """
        if not 1 <= query.limit <= MOST:
            raise Invalid.field("limit", f"A page holds 1 to {MOST} rows.")
        filtered, applied = self.filtered(queryset, query)
        name, descending = self._sort(query)
        column = self.columns[name]
        after = _decode(query.cursor, column, wanted=query.sort or self.sort) if query.cursor else None
        values = {*self.values, "uid", column.path}
        rows: list[dict[str, Any]] = []
        for part in _parts(filtered, column.path, descending, after):
            rows += part.values(*values)[: query.limit + 1 - len(rows)]
            if len(rows) > query.limit:
                break
        more = len(rows) > query.limit
        rows = rows[: query.limit]
        following = _encode(query.sort or self.sort, rows[-1][column.path], rows[-1]["uid"]) if more else None
        return Page(rows, following, filtered.count() if query.count else None, applied)

    def filtered(
        self, queryset: QuerySet[Any, Any], query: ListQuery
    ) -> tuple[QuerySet[Any, Any], dict[str, str]]:
        """Apply the filters and the search words; return also those that were given, by name."""
        applied: dict[str, str] = {}
        for name in query.__struct_fields__:
            value = getattr(query, name)
            if name in ListQuery.__struct_fields__ or value is None or value == "":
                continue
            text = str(value).lower() if isinstance(value, bool) else str(value)
            base, _, operator = name.partition("__")
            column = self.columns[base]
            applied[name] = text
            if column.refers is not None:
                queryset = queryset.filter(
                    column.named(name, text.split(",") if operator == "in" else [text])
                )
            elif operator == "in":
                queryset = queryset.filter(
                    **{f"{column.path}__in": [column.read(name, part) for part in text.split(",") if part]}
                )
            elif operator == "contains":
                how = "contains" if column.kind == "folded" else "icontains"
                queryset = queryset.filter(**{f"{column.path}__{how}": column.read(name, text)})
            else:
                suffix = f"__{operator}" if operator else ""
                queryset = queryset.filter(**{f"{column.path}{suffix}": column.read(name, text)})
        if query.q.strip():
            if self.search is None:
                raise Invalid.field("q", "This list has no search words.")
            applied["q"] = query.q
            queryset = queryset.filter(self.search(query.q.strip()))
        return queryset, applied

    def _sort(self, query: ListQuery) -> tuple[str, bool]:
        wanted = query.sort or self.sort
        name = wanted.removeprefix("-")
        if name not in self.columns or not self.columns[name].sorts:
            possible = ", ".join(sorted(n for n, c in self.columns.items() if c.sorts))
            raise Invalid.field(
                "sort", f"“{wanted[:40]}” does not sort this list; there are {possible}, each also with “-”."
            )
        return name, wanted.startswith("-")


def _parts(
    queryset: QuerySet[Any, Any], path: str, descending: bool, after: tuple[Any, UUID] | None
) -> Iterator[QuerySet[Any, Any]]:
    """Yield the rows beyond the cursor: those with a value in its order, then those without, by uid.

    Each part is one range of an index, on both databases; NULLS LAST and OR IS NULL would be none.
    """
    beyond, tie = ("lt", "-uid") if descending else ("gt", "uid")
    nullable = _nullable(queryset.model, path)
    if after is None or after[0] is not None:
        valued = queryset.filter(**{f"{path}__isnull": False}) if nullable else queryset
        if after is not None:
            value, uid = after
            valued = valued.filter(
                Q(**{f"{path}__{beyond}e": value}),
                Q(**{f"{path}__{beyond}": value}) | Q(**{f"uid__{beyond}": uid}),
            )
        yield valued.order_by(f"-{path}" if descending else path, tie)
    if nullable:
        empty = queryset.filter(**{f"{path}__isnull": True})
        if after is not None and after[0] is None:
            empty = empty.filter(**{f"uid__{beyond}": after[1]})
        yield empty.order_by(tie)


def _nullable(model: type[Model], path: str) -> bool:
    """Say whether a path may end in NULL; what is no field (an annotation) may."""
    found: Any = model
    for step in path.split("__"):
        try:
            field = found._meta.get_field(step)
        except (FieldDoesNotExist, AttributeError):
            return True
        if field.null:
            return True
        found = field.related_model
    return False


def picked(query: ListQuery, names: Sequence[str]) -> frozenset[str] | None:
    """Return the fields that the caller picked (`fields=key,title`), None for all.

    :raises Invalid: there is no such field.
    """
    wanted = frozenset(filter(None, query.fields.split(",")))
    unknown = sorted(wanted - set(names))
    if unknown:
        raise Invalid.fields(
            [FieldError("fields", f"There is no field “{unknown[0][:40]}”; there are {', '.join(names)}.")]
        )
    return wanted or None


def search_words(*paths: str) -> Callable[[str], Q]:
    """Return a search for rows in which every word occurs in one of the (folded) columns."""

    def search(text: str) -> Q:
        found = Q()
        for word in fold(text).split()[:8]:
            one = Q()
            for path in paths:
                one |= Q(**{f"{path}__contains": word})
            found &= one
        return found

    return search


def _encode(sort: str, value: Any, uid: UUID) -> str:
    told = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(msgspec.json.encode([sort, told, str(uid)])).decode().rstrip("=")


def _decode(cursor: str, column: Column, *, wanted: str) -> tuple[Any, UUID]:
    """Return the value and uid of the last row seen.

    :raises Invalid: it is no cursor of ours, or one of another sort.
    """
    try:
        sort, value, uid = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if sort != wanted:
            raise Invalid.field(
                "cursor", "This cursor belongs to another sort; ask for the first page again."
            )
        return (None if value is None else column.place(value)), UUID(uid)
    except (binascii.Error, msgspec.DecodeError, ValueError, TypeError, AttributeError) as cause:
        raise Invalid.field(
            "cursor", "This is not a cursor of this list; ask for the first page again."
        ) from cause
