"""People gain a folded name, which both databases sort alike; failed sign-ins are counted."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models


def fill(apps: Any, schema_editor: Any) -> None:
    people = apps.get_model("accounts", "User")
    for pk, name in list(people.objects.values_list("pk", "name")):
        people.objects.filter(pk=pk).update(name_folded=name.casefold()[:400])


class Migration(migrations.Migration):
    dependencies = (("accounts", "0002_built_in_roles"),)
    operations = (
        migrations.AddField(
            model_name="user",
            name="name_folded",
            field=models.CharField(db_index=True, default="", editable=False, max_length=400),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.CreateModel(
            name="SignInFailure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("minute", models.DateTimeField(db_index=True, help_text="UTC, start of the minute")),
                ("key", models.CharField(max_length=64)),
                ("count", models.PositiveIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("key"), models.F("minute"), name="accounts_failures_a_minute"
                    )
                ],
            },
        ),
    )
