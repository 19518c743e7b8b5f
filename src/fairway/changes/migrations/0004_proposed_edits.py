"""Changes may propose edits of items, applied while they are implementing."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import fairway.kernel.refs


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0003_redundancy"),
        ("changes", "0003_pins"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ProposedEdit",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uid", models.UUIDField(default=fairway.kernel.refs.uuid7, editable=False, unique=True)),
                ("patch", models.JSONField()),
                ("seen", models.JSONField()),
                ("proposed_at", models.DateTimeField(help_text="UTC")),
                ("applied_at", models.DateTimeField(blank=True, help_text="UTC", null=True)),
                (
                    "applied_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "change",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="edits", to="changes.change"
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
                    "proposed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(models.F("change"), models.F("item"), name="changes_edit_once")
                ],
            },
        ),
    ]
