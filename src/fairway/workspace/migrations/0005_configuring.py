"""Administrators define the fields of records in their branches."""

from __future__ import annotations

from typing import Any

from django.db import migrations


def forward(apps: Any, schema_editor: Any) -> None:
    for role in apps.get_model("accounts", "Role").objects.filter(slug="administrator"):
        role.permissions = sorted({*role.permissions, "workspace.configure"})
        role.save()


class Migration(migrations.Migration):
    dependencies = (("workspace", "0004_fields"), ("accounts", "0002_built_in_roles"))
    operations = (migrations.RunPython(forward, migrations.RunPython.noop),)
