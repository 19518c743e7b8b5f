"""Baselines of the catalogue."""

import django.db.models.deletion
from django.db import migrations, models

import fairway.kernel.refs
from fairway.kernel.numbers import CreateNumbers


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_own_roles"),
        ("catalog", "0006_builds"),
    ]

    operations = [
        CreateNumbers("baseline"),
        migrations.CreateModel(
            name="Baseline",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uid", models.UUIDField(default=fairway.kernel.refs.uuid7, editable=False, unique=True)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("custom", models.JSONField(blank=True, default=dict)),
                ("created_at", models.DateTimeField(editable=False, help_text="UTC")),
                ("archived_at", models.DateTimeField(blank=True, editable=False, help_text="UTC", null=True)),
                ("number", models.BigIntegerField(editable=False, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True)),
                ("sequence", models.BigIntegerField(help_text="the last event that it holds")),
                ("taken_at", models.DateTimeField(help_text="UTC")),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(models.F("taken_at"), models.F("uid"), name="catalog_baseline_by_time")
                ],
            },
        ),
    ]
