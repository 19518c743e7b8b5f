"""Waivers: exceptions from single findings, and how many a window bears."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import fairway.kernel.refs
from fairway.kernel.numbers import CreateNumbers


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_share_links"),
        ("calendars", "0001_initial"),
        ("changes", "0006_calendar_feeds"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateNumbers("waiver"),
        migrations.CreateModel(
            name="WaiverQuota",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uid", models.UUIDField(default=fairway.kernel.refs.uuid7, editable=False, unique=True)),
                ("most", models.PositiveIntegerField()),
                (
                    "window",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="calendars.window"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Waiver",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uid", models.UUIDField(default=fairway.kernel.refs.uuid7, editable=False, unique=True)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("custom", models.JSONField(blank=True, default=dict)),
                ("created_at", models.DateTimeField(editable=False, help_text="UTC")),
                ("archived_at", models.DateTimeField(blank=True, editable=False, help_text="UTC", null=True)),
                ("number", models.BigIntegerField(editable=False, unique=True)),
                ("finding", models.CharField(help_text="the finding's id", max_length=32)),
                ("rule", models.CharField(max_length=60)),
                ("other_kind", models.CharField(blank=True, max_length=20)),
                ("other_uid", models.CharField(blank=True, max_length=36)),
                ("other_key", models.CharField(blank=True, max_length=100)),
                (
                    "waivable_by",
                    models.CharField(help_text="the role that waives the rule, in words", max_length=40),
                ),
                ("starts_at", models.DateTimeField(help_text="UTC, included: the occurrence")),
                ("ends_at", models.DateTimeField(help_text="UTC, excluded")),
                ("expires_at", models.DateTimeField(help_text="UTC; from then on it does not count")),
                ("reason", models.TextField(help_text="why it has to be done all the same")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("granted", "Granted"),
                            ("refused", "Refused"),
                            ("used", "Used"),
                            ("revoked", "Revoked"),
                        ],
                        default="requested",
                        max_length=10,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, help_text="UTC", null=True)),
                ("decision_note", models.TextField(blank=True)),
                (
                    "used_at",
                    models.DateTimeField(blank=True, help_text="UTC; a start relied on it", null=True),
                ),
                (
                    "change",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="waivers",
                        to="changes.change",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "scope",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(models.F("change"), models.F("state"), name="changes_waiver_by_change"),
                    models.Index(models.F("other_uid"), models.F("state"), name="changes_waiver_by_other"),
                    models.Index(models.F("state"), models.F("number"), name="changes_waiver_by_state"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                        name="changes_waiver_order",
                    ),
                    models.UniqueConstraint(
                        models.F("change"),
                        models.F("finding"),
                        condition=models.Q(("state", "requested")),
                        name="changes_waiver_once",
                    ),
                ],
            },
        ),
    ]
