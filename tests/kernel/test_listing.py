"""Lists: pages by key against sorting in Python; filters; what has no sense is named."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairway.accounts.models import ApiToken, User
from fairway.kernel.errors import Invalid
from fairway.kernel.listing import Column, Listing, ListQuery, picked, search_words
from fairway.kernel.refs import uuid7
from tests.support.company import Company

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Query(ListQuery, kw_only=True):
    name: str = ""
    name__contains: str = ""
    revoked__gte: str = ""
    revoked__lt: str = ""
    user: str = ""
    user__in: str = ""


TOKENS = Listing(
    columns={
        "name": Column("name", sorts=True),
        "revoked": Column("revoked_at", "instant", sorts=True),
        "expires": Column("expires_at", "instant", sorts=True),
        "user": Column("user__number", "number", sorts=True),
        "hidden": Column("hint"),
    },
    values=("name", "revoked_at", "expires_at"),
    sort="name",
    search=search_words("name", "hint"),
)
PATHS = {name: column.path for name, column in TOKENS.columns.items()}


def make(name: str, revoked: int | None = None, expires: int = 0, *, uid: UUID | None = None) -> ApiToken:
    user = User.objects.order_by("pk")[0]
    uid = uid or uuid7()
    return ApiToken(
        uid=uid, user=user, name=name, digest=uid.hex, hint="fw_", created_at=NOON,
        expires_at=NOON + timedelta(minutes=expires),
        revoked_at=None if revoked is None else NOON + timedelta(minutes=revoked),
    )  # fmt: skip


def pages(sort: str, limit: int) -> list[UUID]:
    """Return all uids, page by page."""
    found: list[UUID] = []
    cursor = ""
    while True:
        page = TOKENS.page(ApiToken.objects.all(), Query(sort=sort, limit=limit, cursor=cursor))
        assert len(page.rows) <= limit
        found += [row["uid"] for row in page.rows]
        if page.next is None:
            return found
        assert len(page.rows) == limit
        cursor = page.next


def in_python(rows: list[ApiToken], sort: str) -> list[UUID]:
    """Sort as the list promises: by value, then uid; rows without a value last."""
    path = PATHS[sort.removeprefix("-")]
    values = {row.uid: row.user.number if path == "user__number" else getattr(row, path) for row in rows}
    back = sort.startswith("-")
    with_value = sorted(
        (u for u in values if values[u] is not None), key=lambda u: (values[u], u), reverse=back
    )
    without = sorted((u for u in values if values[u] is None), reverse=back)
    return [*with_value, *without]


SORTS = st.sampled_from(
    [f"{sign}{name}" for name in ("name", "revoked", "expires", "user") for sign in ("", "-")]
)
ROWS = st.lists(
    st.tuples(st.sampled_from(["", "a", "b", "é", "z z"]), st.none() | st.integers(0, 2), st.integers(0, 2)),
    max_size=12,
)


@given(rows=ROWS, sort=SORTS, limit=st.integers(1, 5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_together_are_the_sorted_list(
    company: Company, rows: list[tuple[str, int | None, int]], sort: str, limit: int
) -> None:
    with transaction.atomic():
        made = ApiToken.objects.bulk_create([make(*row) for row in rows])
        assert pages(sort, limit) == in_python(made, sort)
        transaction.set_rollback(True)


@given(rows=ROWS, late=ROWS, sort=SORTS, limit=st.integers(1, 4), gone=st.integers(0, 11))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_that_come_and_go_neither_repeat_nor_hide_others(
    company: Company, rows: list[tuple[str, int | None, int]], late: list[tuple[str, int | None, int]],
    sort: str, limit: int, gone: int,
) -> None:  # fmt: skip
    with transaction.atomic():
        made = ApiToken.objects.bulk_create([make(*row) for row in rows])
        first = TOKENS.page(ApiToken.objects.all(), Query(sort=sort, limit=limit))
        seen = [row["uid"] for row in first.rows]
        ApiToken.objects.bulk_create([make(*row) for row in late])
        removed = {row.uid for row in made[gone : gone + 1]}
        ApiToken.objects.filter(uid__in=removed).delete()
        cursor = first.next
        while cursor is not None:
            page = TOKENS.page(ApiToken.objects.all(), Query(sort=sort, limit=limit, cursor=cursor))
            seen += [row["uid"] for row in page.rows]
            cursor = page.next
        assert len(seen) == len(set(seen))
        if first.next is not None:
            assert {row.uid for row in made} - removed <= set(seen)
        transaction.set_rollback(True)


def test_a_page_is_one_statement_and_a_total_one_more(company: Company) -> None:
    ApiToken.objects.bulk_create([make(f"n{n}", revoked=n) for n in range(30)])
    for sort in ("name", "revoked"):
        cursor = TOKENS.page(ApiToken.objects.all(), Query(limit=10, sort=sort)).next or ""
        for query, most in (
            (Query(limit=10, cursor=cursor, sort=sort), 1),
            (Query(limit=10, sort=sort, count=True), 2),
        ):
            with CaptureQueriesContext(connection) as captured:
                page = TOKENS.page(ApiToken.objects.all(), query)
            assert len(captured) == most
            assert page.total == (30 if query.count else None)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (Query(name="Beta"), ["Beta"]),
        (Query(name__contains="et"), ["Beta"]),
        (Query(revoked__gte="2026-11-23T12:01:00Z"), ["Beta", "gamma"]),
        (Query(revoked__gte="2026-11-23T13:01:00+01:00", revoked__lt="2026-11-23T12:02:00Z"), ["Beta"]),
        (Query(user__in="1,99"), ["Beta", "alpha", "gamma"]),
        (Query(user__in=","), []),
        (Query(user="99999"), []),
        (Query(q="gam fw"), ["gamma"]),
        (Query(q="  "), ["Beta", "alpha", "gamma"]),
    ],
)
def test_filters(company: Company, query: Query, names: list[str]) -> None:
    ApiToken.objects.bulk_create([make("alpha"), make("Beta", 1), make("gamma", 2)])
    if query.user__in == "1,99":  # whatever number the first person has
        query = Query(user__in=f"{User.objects.order_by('pk')[0].number},99")
    page = TOKENS.page(ApiToken.objects.all(), query)
    assert sorted(row["name"] for row in page.rows) == names
    assert set(page.applied) == {
        n for n in query.__struct_fields__ if getattr(query, n) not in {"", 50, False, "  "}
    }


def cursor_of(value: Any, sort: str = "name", uid: str = "01a20953-e90c-7da2-9f06-a217df71d282") -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode([sort, value, uid])).decode().rstrip("=")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (Query(limit=0), "limit"),
        (Query(limit=1001), "limit"),
        (Query(sort="nothing"), "sort"),
        (Query(sort="hidden"), "sort"),
        (Query(sort="--name"), "sort"),
        (Query(revoked__gte="yesterday"), "revoked__gte"),
        (Query(revoked__gte="2026-11-23T12:00:00"), "revoked__gte"),
        (Query(user="x"), "user"),
        (Query(user="9" * 30), "user"),
        (Query(cursor="?"), "cursor"),
        (Query(cursor="AAAA"), "cursor"),
        (Query(cursor="é"), "cursor"),
        (Query(cursor=cursor_of("a"), sort="-name"), "cursor"),
        (Query(cursor=cursor_of("a"), sort="expires"), "cursor"),
        (Query(cursor=cursor_of(7)), "cursor"),
        (Query(cursor=cursor_of(["a"])), "cursor"),
        (Query(cursor=cursor_of("a", uid="x")), "cursor"),
        (Query(cursor=cursor_of("a", "user"), sort="user"), "cursor"),
        (Query(cursor=cursor_of(10**30, "user"), sort="user"), "cursor"),
        (Query(cursor=cursor_of("a", "revoked"), sort="revoked"), "cursor"),
    ],
)
def test_what_has_no_sense_is_named(company: Company, query: Query, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        TOKENS.page(ApiToken.objects.all(), query)
    assert [error.field for error in caught.value.errors] == [field]


def test_a_list_without_search_words_says_so(db: None) -> None:
    plain = Listing(columns={"name": Column("name", sorts=True)}, values=("name",), sort="name")
    with pytest.raises(Invalid, match="no search words"):
        plain.page(ApiToken.objects.all(), ListQuery(q="x"))


def test_fields_are_picked_from_those_there_are() -> None:
    assert picked(ListQuery(), ["key", "name"]) is None
    assert picked(ListQuery(fields="name"), ["key", "name"]) == frozenset({"name"})
    with pytest.raises(Invalid, match="no field “nmae”"):
        picked(ListQuery(fields="key,nmae"), ["key", "name"])
