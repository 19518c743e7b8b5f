"""Roles become records: those that came with Fairway, and others, made by proposals that two people agree on."""

from __future__ import annotations

from datetime import UTC, datetime

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

import fairway.kernel.refs

SHIPPED = datetime(2026, 11, 23, tzinfo=UTC)
USER = settings.AUTH_USER_MODEL


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_share_links")]

    operations = [
        migrations.AddField("role", "version", models.PositiveIntegerField(default=1, editable=False)),
        migrations.AddField("role", "custom", models.JSONField(blank=True, default=dict)),
        migrations.AddField(
            "role",
            "created_at",
            models.DateTimeField(default=SHIPPED, editable=False, help_text="UTC"),
            preserve_default=False,
        ),
        migrations.AddField(
            "role",
            "archived_at",
            models.DateTimeField(blank=True, editable=False, help_text="UTC", null=True),
        ),
        migrations.AddField("role", "built_in", models.BooleanField(default=True)),  # those there are
        migrations.AlterField("role", "built_in", models.BooleanField(default=False)),
        migrations.CreateModel(
            name="RoleProposal",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uid", models.UUIDField(default=fairway.kernel.refs.uuid7, editable=False, unique=True)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("custom", models.JSONField(blank=True, default=dict)),
                ("created_at", models.DateTimeField(editable=False, help_text="UTC")),
                (
                    "archived_at",
                    models.DateTimeField(blank=True, editable=False, help_text="UTC", null=True),
                ),
                (
                    "action",
                    models.CharField(
                        choices=[("create", "new role"), ("edit", "change"), ("remove", "removal")],
                        max_length=10,
                    ),
                ),
                ("read", models.PositiveIntegerField(blank=True, null=True)),
                ("slug", models.CharField(max_length=60)),
                ("name", models.CharField(max_length=80)),
                ("description", models.CharField(blank=True, max_length=300)),
                ("permissions", models.JSONField(default=list)),
                ("reason", models.TextField(blank=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("confirmed", "confirmed"),
                            ("refused", "refused"),
                            ("withdrawn", "withdrawn"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, help_text="UTC", null=True)),
                ("comment", models.TextField(blank=True)),
                (
                    "decider",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=USER,
                    ),
                ),
                (
                    "proposer",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=USER),
                ),
                (
                    "role",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proposals",
                        to="accounts.role",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        F("slug"), condition=Q(state="open"), name="accounts_one_open_proposal"
                    ),
                    models.CheckConstraint(
                        condition=~Q(state="confirmed")
                        | (Q(decider__isnull=False) & ~Q(decider=F("proposer"))),
                        name="accounts_role_second_person",
                    ),
                    models.CheckConstraint(
                        condition=Q(state="open", decided_at__isnull=True)
                        | (~Q(state="open") & Q(decided_at__isnull=False)),
                        name="accounts_proposal_decided",
                    ),
                ],
            },
        ),
    ]
