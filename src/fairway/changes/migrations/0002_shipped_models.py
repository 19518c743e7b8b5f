"""The shipped change models and standard templates, and the numbers of changes.

The data stands beside, in shipped.json; later changes to it are migrations and files of their own.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import migrations

from fairway.kernel.numbers import CreateNumbers
from fairway.kernel.refs import uuid7


def forward(apps: Any, schema_editor: Any) -> None:
    shipped = json.loads(Path(__file__).with_name("shipped.json").read_text(encoding="utf-8"))
    templates = shipped.pop("templates")
    change_model, change_template = (
        apps.get_model("changes", "ChangeModel"),
        apps.get_model("changes", "ChangeTemplate"),
    )
    models = [
        change_model(uid=uuid7(), slug=slug, position=position, **model)
        for position, (slug, model) in enumerate(shipped.items())
    ]
    change_model.objects.bulk_create(models)
    standard = next(model for model in models if model.slug == "standard")
    change_template.objects.bulk_create(
        change_template(
            uid=uuid7(),
            model=standard,
            authorised=True,
            position=position,
            duration=timedelta(minutes=template.pop("minutes")),
            **template,
        )
        for position, template in enumerate(templates)
    )


class Migration(migrations.Migration):
    dependencies = (("changes", "0001_initial"), ("kernel", "0001_initial"))
    operations = (CreateNumbers("change"), migrations.RunPython(forward, migrations.RunPython.noop))
