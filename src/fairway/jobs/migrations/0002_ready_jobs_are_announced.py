"""Numbers for jobs; PostgreSQL tells workers of jobs that became ready, when that commits."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from fairway.kernel.numbers import CreateNumbers


def announce(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE FUNCTION jobs_announce() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_notify('fairway_jobs', ''); RETURN NULL; END $$"
        )
        schema_editor.execute(
            "CREATE TRIGGER jobs_job_announced AFTER INSERT OR UPDATE OF state, run_after ON jobs_job"
            " FOR EACH ROW WHEN (NEW.state = 'ready') EXECUTE FUNCTION jobs_announce()"
        )


def silence(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION jobs_announce() CASCADE")


class Migration(migrations.Migration):
    dependencies = (("jobs", "0001_initial"), ("kernel", "0001_initial"))
    operations = (CreateNumbers("job"), migrations.RunPython(announce, silence))
