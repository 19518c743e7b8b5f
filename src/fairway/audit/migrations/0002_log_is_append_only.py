"""The database itself refuses to edit or delete events."""

from __future__ import annotations

from typing import Any

from django.db import migrations

TABLES = ("audit_event", "audit_eventrow")
MESSAGE = "the event log is append-only"


def seal(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION '{MESSAGE}'; END $$"
        )
        for table in TABLES:
            schema_editor.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION audit_append_only()"
            )
            schema_editor.execute(
                f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
            )
    else:
        for table in TABLES:
            for action in ("UPDATE", "DELETE"):
                schema_editor.execute(
                    f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table}"
                    f" BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
                )


def unseal(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION audit_append_only() CASCADE")
    else:
        for table in TABLES:
            for action in ("update", "delete"):
                schema_editor.execute(f"DROP TRIGGER {table}_no_{action}")


def begin(apps: Any, schema_editor: Any) -> None:
    apps.get_model("audit", "ChainHead").objects.create(id=1, sequence=0, hash="0" * 64)


class Migration(migrations.Migration):
    dependencies = (("audit", "0001_initial"),)
    operations = (
        migrations.RunPython(begin, migrations.RunPython.noop),
        migrations.RunPython(seal, unseal),
    )
