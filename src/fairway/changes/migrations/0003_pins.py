"""People may say what a change affects and what not."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import fairway.kernel.refs


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0003_redundancy"),
        ("changes", "0002_shipped_models"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Pin",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uid", models.UUIDField(default=fairway.kernel.refs.uuid7, editable=False, unique=True)),
                ("affected", models.BooleanField()),
                ("reason", models.TextField()),
                ("pinned_at", models.DateTimeField(help_text="UTC")),
                (
                    "change",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="pins", to="changes.change"
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
                    "person",
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
                    models.UniqueConstraint(models.F("change"), models.F("item"), name="changes_pin_once")
                ],
            },
        ),
    ]
