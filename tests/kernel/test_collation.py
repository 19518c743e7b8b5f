"""Names sort alike whatever language the database server speaks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection

from fairway.accounts.models import Organisation
from fairway.kernel.collation import sort_binary

NAMES = ["a b", "a-b", "a_b", "ab", "äb", "b", "zb", "éb", "a1", "a10", "a2"]


def stored() -> list[str]:
    return list(Organisation.objects.order_by("name_folded").values_list("name_folded", flat=True))


def held() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(collation_name, 'default') FROM information_schema.columns"
            " WHERE table_name = 'accounts_organisation' AND column_name IN ('name_folded', 'slug')"
        )
        return [name for (name,) in cursor.fetchall()]


def organisations() -> None:
    at = datetime(2026, 12, 1, tzinfo=UTC)
    root = Organisation.objects.create(slug="root", name="0", name_folded="0", created_at=at)
    for number, name in enumerate(NAMES):
        Organisation.objects.create(
            slug=f"o{number}", name=name, name_folded=name, parent=root, created_at=at
        )


def test_names_sort_by_the_numbers_of_their_characters(db: None) -> None:
    organisations()
    assert stored() == sorted([*NAMES, "0"])


@pytest.mark.postgres_only
def test_a_server_of_another_language_is_told_to_sort_so_too(db: None) -> None:
    with connection.cursor() as cursor:
        for column in ("name_folded", "slug"):
            cursor.execute(
                f'ALTER TABLE accounts_organisation ALTER {column} TYPE varchar(400) COLLATE "und-x-icu"'
            )
    organisations()
    assert stored() != sorted([*NAMES, "0"])
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    sort_binary()
    assert held() == ["C", "C"]
    assert stored() == sorted([*NAMES, "0"])
