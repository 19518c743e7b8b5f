"""Everything that a database holds, for comparing what stood before with what stands after."""

from __future__ import annotations

from django.db import connection

Dump = dict[str, list[str]]


def dump(*, without: frozenset[str] = frozenset()) -> Dump:
    """Return every row of every table as text, sorted, leaving some tables out."""
    found: Dump = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table not in without:
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
                found[table] = sorted(repr(row) for row in cursor.fetchall())
    return found


def holds(word: str, *tables: str) -> list[str]:
    """Return the tables (of these, or of all) in which a word stands."""
    return [
        table
        for table, rows in dump().items()
        if (not tables or table in tables) and any(word in row for row in rows)
    ]
