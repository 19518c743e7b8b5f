"""Builds that carry changes."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import fairway.kernel.refs


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0006_builds"),
        ("changes", "0008_locked"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CarriedChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uid", models.UUIDField(default=fairway.kernel.refs.uuid7, editable=False, unique=True)),
                ("at", models.DateTimeField(help_text="UTC")),
                (
                    "build",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="carries",
                        to="catalog.build",
                    ),
                ),
                (
                    "by",
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="carried_by",
                        to="changes.change",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(models.F("change"), models.F("build"), name="changes_build_once")
                ],
            },
        ),
    ]
