from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0002_import_layout"),
    ]

    operations = [
        migrations.AddField(
            model_name="importrun",
            name="attempt",
            field=models.PositiveIntegerField(default=0, help_text="grows with each start; earlier ones end"),
        ),
    ]
