"""PostgreSQL tells whoever listens that events were written, once for each transaction when it commits."""

from __future__ import annotations

from typing import Any

from django.db import migrations


def announce(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE FUNCTION audit_announce() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_notify('fairway_events', ''); RETURN NULL; END $$"
        )
        schema_editor.execute(
            "CREATE TRIGGER audit_event_announced AFTER INSERT ON audit_event"
            " FOR EACH STATEMENT EXECUTE FUNCTION audit_announce()"
        )


def silence(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION audit_announce() CASCADE")


class Migration(migrations.Migration):
    dependencies = (("audit", "0002_log_is_append_only"),)
    operations = (migrations.RunPython(announce, silence),)
