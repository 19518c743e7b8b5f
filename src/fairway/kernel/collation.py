"""Names and keys sort by their characters' numbers on every database, whatever the server's language."""

from __future__ import annotations

from django.apps import apps
from django.db import connection
from django.db.models import CharField

BINARY = "C"


def sort_binary() -> None:
    """Give keys and folded names the binary collation, where the database's own is another.

    SQLite sorts so by itself. On PostgreSQL it follows `fairway migrate`: a column's collation is no part
    of the models, for it has another name, or none, on each database. Columns that have it are left alone.
    """
    if connection.vendor != "postgresql":
        return
    wanted = _columns()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.table_name, c.column_name, c.character_maximum_length FROM information_schema.columns c"
            " JOIN pg_database d ON d.datname = current_database()"
            " WHERE c.table_schema = current_schema() AND c.data_type = 'character varying'"
            " AND coalesce(c.collation_name, d.datcollate) NOT IN ('C', 'POSIX', 'ucs_basic')"
            " ORDER BY c.table_name, c.column_name"
        )
        for table, column, length in cursor.fetchall():
            if (table, column) in wanted:
                name, of = map(connection.ops.quote_name, (column, table))
                cursor.execute(f'ALTER TABLE {of} ALTER {name} TYPE varchar({length}) COLLATE "{BINARY}"')


def _columns() -> set[tuple[str, str | None]]:
    """Return table and column of everything that lists sort by name or key."""
    return {
        (model._meta.db_table, field.column)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, CharField) and (field.name == "slug" or field.name.endswith("_folded"))
    }
