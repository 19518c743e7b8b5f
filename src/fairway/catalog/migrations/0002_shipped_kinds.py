"""The kinds of items and relations that Fairway brings along; their uids are the same in every instance."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import migrations

# slug, name, one and the same in all environments unless told otherwise
ITEM_KINDS = [
    ("business-service", "Business service", False),
    ("system", "System", False),
    ("component", "Component", False),
    ("database", "Database", False),
    ("host", "Host", False),
    ("network", "Network", True),
    ("middleware", "Middleware", False),
    ("third-party", "Third party", True),
]
# slug, name, the same read backwards, where failure travels
RELATION_KINDS = [
    ("depends-on", "depends on", "is needed by", "to_source"),
    ("runs-on", "runs on", "carries", "to_source"),
    ("part-of", "is part of", "consists of", "to_target"),
    ("connects-to", "connects to", "is reached from", "to_source"),
]
# 23 November 2026, 00:00 UTC, version 7; the last digits are the row's place in the lists above
ITEM_UID = "01a205b3-d000-7a01-8000-0000000000{:02d}"
RELATION_UID = "01a205b3-d000-7a02-8000-0000000000{:02d}"


def ship(apps: Any, schema_editor: Any) -> None:
    """Write the kinds; no event: they stand before the first one."""
    apps.get_model("catalog", "ItemKind").objects.bulk_create(
        apps.get_model("catalog", "ItemKind")(
            uid=UUID(ITEM_UID.format(place)), slug=slug, name=name, shared_default=shared, position=place
        )
        for place, (slug, name, shared) in enumerate(ITEM_KINDS, start=1)
    )
    apps.get_model("catalog", "RelationKind").objects.bulk_create(
        apps.get_model("catalog", "RelationKind")(
            uid=UUID(RELATION_UID.format(place)),
            slug=slug,
            name=name,
            reverse_name=reverse,
            failure=failure,
            position=place,
        )
        for place, (slug, name, reverse, failure) in enumerate(RELATION_KINDS, start=1)
    )


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
