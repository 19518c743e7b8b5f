"""The built-in roles; later changes to them are migrations of their own."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from fairway.kernel.numbers import CreateNumbers
from fairway.kernel.refs import uuid7

VIEW = [
    "accounts.view", "audit.view", "calendars.view", "catalog.view", "changes.view", "decisions.ask",
    "environments.view",
]  # fmt: skip
ALL = [
    "accounts.administer", "accounts.invite", "calendars.edit", "catalog.edit", "catalog.import", "changes.approve",
    "changes.assess", "changes.edit", "changes.implement", "changes.import", "changes.manage", "changes.request",
    "environments.edit",
]  # fmt: skip
ROLES = [
    ("viewer", "Viewer", "Sees everything in the branch, changes nothing.", []),
    ("requester", "Requester", "Requests changes.", ["changes.request"]),
    ("implementer", "Implementer", "Carries changes out.", ["changes.request", "changes.implement"]),
    ("approver", "Approver", "Approves or rejects changes.", ["changes.approve"]),
    ("change-manager", "Change manager", "Runs the change process of the branch.",
     ["changes.request", "changes.edit", "changes.assess", "changes.approve", "changes.manage", "changes.import",
      "calendars.edit"]),
    ("environment-manager", "Environment manager", "Keeps environments and what stands in them.",
     ["environments.edit", "catalog.edit", "catalog.import", "calendars.edit", "changes.request"]),
    ("release-manager", "Release manager", "Plans releases.", ["changes.request", "changes.edit", "calendars.edit"]),
    ("project-manager", "Project manager", "Plans a project's changes.", ["changes.request"]),
    ("test-manager", "Test manager", "Plans tests and the environments they need.", ["changes.request"]),
    ("run-coordinator", "Run coordinator", "Leads a cut-over.", ["changes.request", "changes.implement"]),
    ("auditor", "Auditor", "Reads everything, the event log included.", []),
    ("administrator", "Administrator", "Keeps people, organisations, roles and the catalogue.", ALL),
]  # fmt: skip


def forward(apps: Any, schema_editor: Any) -> None:
    role = apps.get_model("accounts", "Role")
    role.objects.bulk_create(
        role(uid=uuid7(), slug=slug, name=name, description=description, position=position,
             permissions=sorted({*VIEW, *permissions}))
        for position, (slug, name, description, permissions) in enumerate(ROLES)
    )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = (("accounts", "0001_initial"), ("kernel", "0001_initial"))
    operations = (CreateNumbers("user"), migrations.RunPython(forward, migrations.RunPython.noop))
