"""The demo company, loaded once for the tests of a module, into a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from fairway.accounts import queries as people
from fairway.demo import commands
from fairway.demo.story.changes import changes
from fairway.demo.story.planned import Clash, Planned
from fairway.exchange.commands import export_instance, import_instance
from fairway.kernel.actor import SYSTEM, Actor
from tests.support import templates
from tests.support.committed import another_database

NOW = datetime(2026, 11, 23, 16, 40, tzinfo=UTC)
PASSWORD = "harbour-light"


@dataclass(frozen=True)
class Bank:
    """The story that was told, and who looks at what came of it."""

    planned: list[Planned]
    clashes: list[Clash]
    imported: Path | None

    def actor(self, email: str = commands.PERSON) -> Actor:
        return people.person(people.user(SYSTEM, email))


@pytest.fixture(scope="module")
def bank(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bank]:
    """Tell the story; where a run on SQLite has told it already, PostgreSQL takes what that exported.

    So it stands on both for the price of one, and each test here shows what an export carries over.
    """
    folder, kept = tmp_path_factory.mktemp("demo"), templates.demo()
    with django_db_blocker.unblock(), another_database(folder):
        imported = connections["default"].vendor == "postgresql" and kept.exists()
        if imported:
            import_instance(kept)
        else:
            commands.load(password=PASSWORD, now=NOW)
        if connections["default"].vendor == "sqlite" and not kept.exists():
            export_instance(folder / "demo.zip")
            (folder / "demo.zip").rename(kept)
        yield Bank(*changes(NOW, seed=commands.SEED), kept if imported else None)
