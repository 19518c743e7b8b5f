"""Kinds of items and relations become records: edited, ordered and put away like others."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import migrations, models

SHIPPED = datetime(2026, 11, 23, tzinfo=UTC)


def configuring(apps: Any, schema_editor: Any) -> None:
    for role in apps.get_model("accounts", "Role").objects.filter(slug="administrator"):
        role.permissions = sorted({*role.permissions, "catalog.configure"})
        role.save()


def columns(model: str) -> list[Any]:
    return [
        migrations.AddField(model, "version", models.PositiveIntegerField(default=1, editable=False)),
        migrations.AddField(model, "custom", models.JSONField(blank=True, default=dict)),
        migrations.AddField(
            model,
            "created_at",
            models.DateTimeField(default=SHIPPED, editable=False, help_text="UTC"),
            preserve_default=False,
        ),
        migrations.AddField(
            model,
            "archived_at",
            models.DateTimeField(blank=True, editable=False, help_text="UTC", null=True),
        ),
        migrations.AddField(model, "description", models.CharField(blank=True, max_length=300)),
    ]


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_redundancy"), ("accounts", "0002_built_in_roles")]

    operations = [
        *columns("itemkind"),
        *columns("relationkind"),
        migrations.AddField(
            "itemkind",
            "strict",
            models.BooleanField(default=False, help_text="items hold no attributes but those defined"),
        ),
        migrations.AlterField("relationkind", "name", models.CharField(max_length=80)),
        migrations.RunPython(configuring, migrations.RunPython.noop),
    ]
