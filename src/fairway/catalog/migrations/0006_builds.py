"""Builds with their artefacts and work items, and who may register them."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

import fairway.kernel.refs
from fairway.kernel.numbers import CreateNumbers

REGISTERING = ("administrator", "environment-manager", "release-manager")


def forward(apps: Any, schema_editor: Any) -> None:
    roles = apps.get_model("accounts", "Role").objects
    for role in roles.filter(slug__in=REGISTERING):
        roles.filter(pk=role.pk).update(permissions=sorted({*role.permissions, "catalog.register"}))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_share_links"),
        ("catalog", "0005_ownership"),
    ]

    operations = [
        migrations.RunPython(forward, migrations.RunPython.noop),
        CreateNumbers("build"),
        migrations.CreateModel(
            name="Build",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uid", models.UUIDField(default=fairway.kernel.refs.uuid7, editable=False, unique=True)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("custom", models.JSONField(blank=True, default=dict)),
                ("created_at", models.DateTimeField(editable=False, help_text="UTC")),
                ("archived_at", models.DateTimeField(blank=True, editable=False, help_text="UTC", null=True)),
                ("number", models.BigIntegerField(editable=False, unique=True)),
                ("build_version", models.CharField(help_text="what it is called: 2.3.0", max_length=100)),
                (
                    "name",
                    models.CharField(
                        editable=False, help_text="payments-api@2.3.0", max_length=201, unique=True
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("registered", "Registered"),
                            ("accepted", "Accepted"),
                            ("rejected", "Rejected"),
                            ("retired", "Retired"),
                        ],
                        default="registered",
                        max_length=10,
                    ),
                ),
                ("tag", models.CharField(blank=True, max_length=200)),
                ("branch", models.CharField(blank=True, max_length=200)),
                ("commit", models.CharField(blank=True, db_index=True, max_length=64)),
                ("commit_url", models.CharField(blank=True, max_length=1000)),
                (
                    "url",
                    models.CharField(
                        blank=True, help_text="where the run of the pipeline stands", max_length=1000
                    ),
                ),
                ("built_at", models.DateTimeField(help_text="UTC")),
                ("reason", models.TextField(blank=True, help_text="why its status is what it is")),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "system",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="builds",
                        to="catalog.configurationitem",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Artefact",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uid", models.UUIDField(default=fairway.kernel.refs.uuid7, editable=False, unique=True)),
                ("position", models.PositiveSmallIntegerField()),
                ("purl", models.CharField(db_index=True, help_text="a package URL", max_length=500)),
                (
                    "digest",
                    models.CharField(help_text="sha256:…, sha384:… or sha512:…", max_length=140, unique=True),
                ),
                (
                    "build",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="artefacts",
                        to="catalog.build",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CarriedWorkItem",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uid", models.UUIDField(default=fairway.kernel.refs.uuid7, editable=False, unique=True)),
                ("external_id", models.CharField(db_index=True, max_length=200)),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "build",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="work_items",
                        to="catalog.build",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="build",
            index=models.Index(models.F("built_at"), models.F("uid"), name="catalog_build_by_time"),
        ),
        migrations.AddIndex(
            model_name="build",
            index=models.Index(
                models.F("system"), models.F("built_at"), models.F("uid"), name="catalog_build_of_system"
            ),
        ),
        migrations.AddIndex(
            model_name="build",
            index=models.Index(
                models.F("status"), models.F("built_at"), models.F("uid"), name="catalog_build_by_status"
            ),
        ),
        migrations.AddConstraint(
            model_name="build",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["registered", "accepted", "rejected", "retired"])),
                name="catalog_build_status",
            ),
        ),
        migrations.AddConstraint(
            model_name="artefact",
            constraint=models.UniqueConstraint(
                models.F("build"), models.F("position"), name="catalog_artefact_in_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="carriedworkitem",
            constraint=models.UniqueConstraint(
                models.F("build"), models.F("external_id"), name="catalog_work_item_once"
            ),
        ),
    ]
