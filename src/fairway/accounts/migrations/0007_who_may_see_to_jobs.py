"""Administrators see to jobs and webhooks, auditors see them."""

from __future__ import annotations

from typing import Any

from django.db import migrations

NEW = {
    "administrator": ["jobs.view", "jobs.manage", "jobs.subscribe"],
    "auditor": ["jobs.view"],
}


def forward(apps: Any, schema_editor: Any) -> None:
    roles = apps.get_model("accounts", "Role").objects
    for role in roles.filter(slug__in=NEW):
        roles.filter(pk=role.pk).update(permissions=sorted({*role.permissions, *NEW[role.slug]}))


class Migration(migrations.Migration):
    dependencies = (("accounts", "0006_limits_and_validity"),)
    operations = (migrations.RunPython(forward, migrations.RunPython.noop),)
