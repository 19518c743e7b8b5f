"""What imports saw of controlled items and no change accounts for."""

import django.db.models.deletion
from django.db import migrations, models

import fairway.kernel.refs
from fairway.kernel.numbers import CreateNumbers


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_who_may_see_to_jobs"),
        ("catalog", "0004_kinds_are_records"),
        ("changes", "0004_proposed_edits"),
    ]

    operations = [
        CreateNumbers("drift"),
        migrations.CreateModel(
            name="Drift",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uid", models.UUIDField(default=fairway.kernel.refs.uuid7, editable=False, unique=True)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("custom", models.JSONField(blank=True, default=dict)),
                ("created_at", models.DateTimeField(editable=False, help_text="UTC")),
                ("archived_at", models.DateTimeField(blank=True, editable=False, help_text="UTC", null=True)),
                ("number", models.BigIntegerField(editable=False, unique=True)),
                ("source", models.CharField(max_length=200)),
                ("field", models.CharField(max_length=220)),
                ("recorded", models.JSONField(null=True)),
                ("observed", models.JSONField(null=True)),
                (
                    "digest",
                    models.CharField(
                        editable=False, help_text="names the value that was seen", max_length=64
                    ),
                ),
                ("first_seen", models.DateTimeField(help_text="UTC")),
                ("last_seen", models.DateTimeField(help_text="UTC")),
                ("count", models.PositiveIntegerField(default=1)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("matched", "Matched"),
                            ("proposed", "Proposed"),
                            ("dismissed", "Dismissed"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("reason", models.TextField(blank=True, help_text="why it was dismissed")),
                (
                    "change",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="drifts",
                        to="changes.change",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.configurationitem",
                    ),
                ),
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
                    models.Index(models.F("last_seen"), models.F("uid"), name="changes_drift_by_last"),
                    models.Index(
                        models.F("state"),
                        models.F("last_seen"),
                        models.F("uid"),
                        name="changes_drift_by_state",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("item"),
                        models.F("source"),
                        models.F("field"),
                        models.F("digest"),
                        name="changes_drift_once",
                    )
                ],
            },
        ),
    ]
