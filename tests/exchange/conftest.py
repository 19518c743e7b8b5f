"""A company of two branches with people who may import, and what its database holds."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from fairway.accounts import queries as people
from fairway.accounts.commands import CreateOrganisation, CreateUser, GrantRole
from fairway.audit.commands import execute
from fairway.exchange.commands import import_table
from fairway.exchange.report import Report
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.cache import Kept
from tests.support.committed import committed as committed
from tests.support.standing import standing

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
Import = Callable[..., Report]
Contents = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Company:
    """`boss` may do all everywhere, `retail` all in that branch, `reader` reads there only."""

    boss: Actor
    retail: Actor
    reader: Actor


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    Kept.forget_all()
    yield
    Kept.forget_all()


def founded() -> Company:
    for key, parent in (("group", None), ("retail", "group"), ("cards", "group")):
        execute(CreateOrganisation(slug=key, name=key.title(), parent=parent), actor=SYSTEM)
    return Company(
        boss=_person("boss", "group", "administrator"),
        retail=_person("rita", "retail", "administrator"),
        reader=_person("vera", "retail", "viewer"),
    )


founded_once = standing(founded)


@pytest.fixture
def company(founded_once: Company, db: None) -> Company:
    return founded_once


def _person(name: str, organisation: str, role: str) -> Actor:
    email = f"{name}@example.org"
    execute(CreateUser(email=email, name=name.title(), organisation=organisation), actor=SYSTEM)
    execute(GrantRole(role=role, organisation=organisation, user=email), actor=SYSTEM)
    return people.person(people.user(SYSTEM, email))


def import_text(text: str | bytes, kind: str = "items", *, actor: Actor = SYSTEM, **options: Any) -> Report:
    content = text.encode() if isinstance(text, str) else text
    return import_table(io.BytesIO(content), kind=kind, actor=actor, at=AT, **options)


def contents() -> Contents:
    """Return every row of every table."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - the names are ours
            found[table] = sorted(cursor.fetchall(), key=repr)
    return found


def lasting_contents() -> Contents:
    """Return every row without what is drawn anew each time: inner keys, uids, salts and hashes."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - the names are ours
            names = [column[0] for column in cursor.description]
            kept = [n for n, name in enumerate(names) if name not in DRAWN and not name.endswith("_uid")]
            found[table] = sorted((tuple(row[n] for n in kept) for row in cursor.fetchall()), key=repr)
    return found


DRAWN = {"id", "uid", "hash", "previous_hash", "salt", "sqlite_sequence", "record_id"}


def problems(report: Report) -> list[tuple[int, str, str]]:
    return [(problem.row, problem.column, problem.message) for problem in report.problems]


def counts(report: Report) -> dict[str, int]:
    names = ("created", "updated", "unchanged", "refused", "skipped", "repeated")
    found = {name: getattr(report, name) for name in names}
    assert sum(found.values()) == report.rows
    return {name: count for name, count in found.items() if count}
