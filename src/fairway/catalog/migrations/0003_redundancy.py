"""An item may need only some of several others."""

import django.db.models.deletion
from django.db import migrations, models

import fairway.kernel.refs


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_people_sort_by_folded_name"),
        ("catalog", "0002_shipped_kinds"),
    ]

    operations = [
        migrations.CreateModel(
            name="Redundancy",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uid", models.UUIDField(default=fairway.kernel.refs.uuid7, editable=False, unique=True)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("custom", models.JSONField(blank=True, default=dict)),
                ("created_at", models.DateTimeField(editable=False, help_text="UTC")),
                ("archived_at", models.DateTimeField(blank=True, editable=False, help_text="UTC", null=True)),
                (
                    "name",
                    models.CharField(
                        blank=True, help_text="tells two groups of one item apart", max_length=80
                    ),
                ),
                ("needed", models.PositiveSmallIntegerField(help_text="how many members have to stand")),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="redundancies",
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
                (
                    "relation_kind",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.relationkind",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="relation",
            name="redundancy",
            field=models.ForeignKey(
                blank=True,
                help_text="the group in which it counts; none: its failure simply travels",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="relations",
                to="catalog.redundancy",
            ),
        ),
        migrations.AddConstraint(
            model_name="redundancy",
            constraint=models.UniqueConstraint(
                models.F("item"), models.F("relation_kind"), models.F("name"), name="catalog_redundancy_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="redundancy",
            constraint=models.CheckConstraint(
                condition=models.Q(("needed__gte", 1)), name="catalog_redundancy_needed"
            ),
        ),
    ]
