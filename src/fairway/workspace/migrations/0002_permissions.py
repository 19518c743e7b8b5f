"""Who of the built-in roles comments, and who shares saved views."""

from __future__ import annotations

from typing import Any

from django.db import migrations

SILENT = {"viewer", "auditor"}
SHARING = {
    "administrator", "change-manager", "environment-manager", "project-manager", "release-manager", "test-manager",
}  # fmt: skip


def forward(apps: Any, schema_editor: Any) -> None:
    for role in apps.get_model("accounts", "Role").objects.all():
        more = {"workspace.comment"} if role.slug not in SILENT else set()
        more |= {"workspace.share"} if role.slug in SHARING else set()
        role.permissions = sorted({*role.permissions, *more})
        role.save()


class Migration(migrations.Migration):
    dependencies = (("workspace", "0001_initial"), ("accounts", "0002_built_in_roles"))
    operations = (migrations.RunPython(forward, migrations.RunPython.noop),)
