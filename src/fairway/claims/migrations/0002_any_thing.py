from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("claims", "0001_initial")]

    operations = [
        migrations.RemoveIndex("claimrow", "claims_by_item"),
        migrations.RemoveIndex("claimrow", "claims_by_time"),
        migrations.RenameField("claimrow", "item_id", "thing_id"),
        migrations.AddField(
            "claimrow",
            "thing",
            models.SmallIntegerField(default=0, help_text="kind of the thing: 0 item, 1 environment, ..."),
        ),
        migrations.AddField(
            "claimrow",
            "usage",
            models.CharField(
                blank=True, default="", help_text="the kind of use as which it is shared", max_length=40
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "claimrow",
            "units",
            models.PositiveIntegerField(default=1, help_text="how much of the thing's capacity it takes"),
        ),
        migrations.AddIndex("claimrow", models.Index("thing", "thing_id", "ends", name="claims_by_thing")),
        migrations.AddIndex("claimrow", models.Index("thing", "magnitude", "starts", name="claims_of_time")),
    ]
