"""The table of search, and what finds its rows on each database."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

TABLE, FULL = "workspace_searchrow", "workspace_search_full"
# Words are handed over ready made (rules.words), so nothing here may cut or fold them once more: the ascii
# tokenizer takes every other character as part of a word, and the marks = ~ @ # too.
SQLITE = (
    f"CREATE INDEX workspace_search_key ON {TABLE} (key_folded, organisation_id)",
    f"CREATE INDEX workspace_search_title ON {TABLE} (title_folded, organisation_id)",
    f"CREATE VIRTUAL TABLE {FULL} USING fts5(marks, content='{TABLE}', content_rowid='id', detail=none,"
    " columnsize=0, prefix='2 3 4', tokenize=\"ascii tokenchars '=~@#_-.'\")",
    # The statements below are put together from constants alone.
    f"CREATE TRIGGER {FULL}_insert AFTER INSERT ON {TABLE} BEGIN"  # noqa: S608
    f" INSERT INTO {FULL}(rowid, marks) VALUES (new.id, new.marks); END",
    f"CREATE TRIGGER {FULL}_delete AFTER DELETE ON {TABLE} BEGIN"  # noqa: S608
    f" INSERT INTO {FULL}({FULL}, rowid, marks) VALUES ('delete', old.id, old.marks); END",
    f"CREATE TRIGGER {FULL}_update AFTER UPDATE OF marks ON {TABLE} WHEN old.marks <> new.marks BEGIN"  # noqa: S608
    f" INSERT INTO {FULL}({FULL}, rowid, marks) VALUES ('delete', old.id, old.marks);"
    f" INSERT INTO {FULL}(rowid, marks) VALUES (new.id, new.marks); END",
)
POSTGRESQL = (
    f'CREATE INDEX workspace_search_key ON {TABLE} (key_folded COLLATE "C", organisation_id)',
    f'CREATE INDEX workspace_search_title ON {TABLE} (title_folded COLLATE "C", organisation_id)',
    f"ALTER TABLE {TABLE} ADD COLUMN found tsvector"
    " GENERATED ALWAYS AS (array_to_tsvector(string_to_array(marks, ' '))) STORED",
    f"CREATE INDEX {FULL} ON {TABLE} USING gin (found)",
)


def make(apps: Any, schema_editor: Any) -> None:
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def unmake(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":  # there all of it goes with the table
        schema_editor.execute(f"DROP TABLE {FULL}")


class Migration(migrations.Migration):
    dependencies = (("workspace", "0002_permissions"),)
    operations = (
        migrations.CreateModel(
            name="SearchRow",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=40)),
                ("record_id", models.BigIntegerField()),
                ("uid", models.UUIDField()),
                ("organisation_id", models.BigIntegerField(null=True)),
                ("key", models.CharField(max_length=110)),
                ("key_folded", models.CharField(max_length=220)),
                ("title", models.CharField(max_length=400)),
                ("title_folded", models.CharField(max_length=800)),
                (
                    "body",
                    models.TextField(
                        blank=True, help_text="the beginning of its free text, for showing what was met"
                    ),
                ),
                ("state", models.CharField(blank=True, max_length=40)),
                ("archived", models.BooleanField(default=False)),
                ("updated_at", models.DateTimeField(help_text="UTC, when the record was last written")),
                ("marks", models.TextField(help_text="its words, as rules.words tells")),
            ],
        ),
        migrations.AddConstraint(
            model_name="searchrow",
            constraint=models.UniqueConstraint(fields=["kind", "record_id"], name="workspace_search_once"),
        ),
        migrations.RunPython(make, unmake),
    )
