"""Numbers of human keys: unique per kind; gaps are allowed, reuse is not."""

from __future__ import annotations

from typing import Any

from django.db import connection, migrations


def next_numbers(kind: str, count: int = 1) -> list[int]:
    """Return the next numbers of a kind; call it inside a transaction.

    A sequence on PostgreSQL; elsewhere a counter row, held by the one writer.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(%s::regclass) FROM generate_series(1, %s)", [f"number_{kind}", count]
            )
            return [row[0] for row in cursor.fetchall()]
        cursor.execute(
            "UPDATE kernel_counter SET value = value + %s WHERE kind = %s RETURNING value", [count, kind]
        )
        (last,) = cursor.fetchone()
        return list(range(last - count + 1, last + 1))


def go_on_after(kind: str, last: int) -> None:
    """Let the next number of a kind be higher than this one; for records that bring their numbers along."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT setval(%s::regclass, %s)", [f"number_{kind}", last])
        else:
            cursor.execute("UPDATE kernel_counter SET value = %s WHERE kind = %s", [last, kind])


class CreateNumbers(migrations.RunPython):
    """A migration operation that sets up the numbers of a kind; the first one given is `start`."""

    def __init__(self, kind: str, start: int = 1) -> None:
        self.kind, self.start = kind, start

        def forward(apps: Any, schema_editor: Any) -> None:
            if schema_editor.connection.vendor == "postgresql":
                schema_editor.execute(f'CREATE SEQUENCE "number_{kind}" AS bigint START {start:d}')
            else:
                apps.get_model("kernel", "Counter").objects.create(kind=kind, value=start - 1)

        def backward(apps: Any, schema_editor: Any) -> None:
            if schema_editor.connection.vendor == "postgresql":
                schema_editor.execute(f'DROP SEQUENCE "number_{kind}"')
            else:
                apps.get_model("kernel", "Counter").objects.filter(kind=kind).delete()

        super().__init__(forward, backward)

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        return (type(self).__name__, (self.kind, self.start), {})
