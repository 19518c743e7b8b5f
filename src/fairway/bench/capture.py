"""Statements as the product ran them, in a form that a bare connection runs again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from fairway.bench.floor import Statement


@contextmanager
def statements() -> Iterator[list[Statement]]:
    """Collect every statement that this thread runs inside."""
    found: list[Statement] = []

    def note(
        execute: Callable[..., Any], query: str, params: Any, many: bool, context: Mapping[str, Any]
    ) -> Any:
        if many:
            raise ValueError("a statement that writes many rows has no place in a benchmark")
        found.append((_bare(query, params), [plain(one) for one in params or ()]))
        return execute(query, params, many, context)

    with connection.execute_wrapper(note):
        yield found


def _bare(query: str, params: Sequence[Any] | None) -> str:
    if params is None or connection.vendor == "postgresql":
        return query
    return (query % tuple("?" for _ in params)) if params else query.replace("%%", "%")


def plain(value: Any) -> Any:
    """Return a parameter as JSON can hold it; instants are marked."""
    if isinstance(value, datetime):
        return {"instant": value.isoformat()} if connection.vendor == "postgresql" else str(value)
    if isinstance(value, UUID):
        return str(value) if connection.vendor == "postgresql" else value.hex
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)  # psycopg has kinds of its own
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value
