"""Readings that are compiled once answer as Django's own queries do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import TextField, Value
from django.db.models.functions import Cast
from django.test.utils import CaptureQueriesContext

from fairway.accounts.commands import CreateOrganisation
from fairway.accounts.models import Organisation
from fairway.audit.commands import execute
from fairway.kernel.actor import SYSTEM
from fairway.kernel.db import Prepared, fetch

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
COLUMNS = ("pk", "uid", "slug", "custom", "created_at", "archived_at", "parent__slug")


def build(slug: str, pk: int) -> Any:
    return Organisation.objects.filter(slug=slug, pk__gt=pk).values_list(*COLUMNS)


def both(one: int, other: int) -> Any:
    def part(pk: int, name: str) -> Any:
        rows = Organisation.objects.filter(pk=pk).order_by()
        return rows.annotate(part=Value(name, TextField()), text=Cast("pk", TextField())).values_list(
            "part", "text"
        )

    return part(one, "one").union(part(other, "other"), all=True)


@pytest.fixture
def tree() -> None:
    for slug, parent in (("bank", None), ("retail", "bank"), ("cards", "retail")):
        execute(CreateOrganisation(slug=slug, name=slug.title(), parent=parent), actor=SYSTEM, at=AT)


@pytest.mark.usefixtures("tree")
def test_rows_are_those_of_the_queryset() -> None:
    Organisation.objects.filter(slug="cards").update(archived_at=AT)
    prepared = Prepared(build, "a stand-in", -1_234_567)
    for slug in ("bank", "retail", "cards", "nothing"):
        assert prepared(slug, 0) == list(build(slug, 0)), slug
    [row] = prepared("cards", 0)
    assert row[4] == row[5] == AT
    assert row[6] == "retail"


@pytest.mark.usefixtures("tree")
def test_each_part_of_a_union_takes_its_own_parameter() -> None:
    first, second = list(Organisation.objects.order_by("pk").values_list("pk", flat=True)[:2])
    prepared = Prepared(both, -1_000_001, -1_000_002)
    assert sorted(prepared(first, second)) == sorted([("one", str(first)), ("other", str(second))])
    assert sorted(prepared(second, 0)) == [("one", str(second))]


@pytest.mark.usefixtures("tree")
def test_it_is_one_statement_and_values_are_parameters() -> None:
    prepared = Prepared(build, "a stand-in", -1_234_567)
    with CaptureQueriesContext(
        connection,
    ) as ran:
        assert prepared("x' OR '1'='1", 0) == []
    assert len(ran) == 1


def test_a_stand_in_that_cannot_be_found_is_refused() -> None:
    prepared = Prepared(lambda pk: Organisation.objects.filter(pk__in=[1]).values_list("pk"), 5)
    with pytest.raises(ValueError, match="stand"):
        prepared(1)


def test_as_many_parameters_as_stand_ins() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        Prepared(build, "a stand-in", -1)("bank")


@pytest.mark.usefixtures("tree")
def test_readings_are_the_same_whether_somebody_listens_or_not() -> None:
    query = "SELECT slug, created_at, 100 %% 7 FROM accounts_organisation WHERE slug IN (%s, %s) ORDER BY 1"
    alone = fetch(query, ["cards", "bank"])
    with CaptureQueriesContext(connection) as ran:
        assert fetch(query, ["cards", "bank"]) == alone
    assert len(ran) == 1
    assert [row[0] for row in alone] == ["bank", "cards"]
    assert alone[0][2] == 2


def test_a_faulty_reading_raises_what_django_raises() -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        fetch("SELECT nothing FROM nowhere WHERE x = %s", [1])
