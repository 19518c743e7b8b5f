"""The demo company, loaded once for the tests of a module and rolled back after them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction

from fairway.accounts import queries as people
from fairway.demo import commands
from fairway.demo.story.changes import changes
from fairway.demo.story.planned import Clash, Planned
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.cache import Kept

NOW = datetime(2026, 11, 23, 16, 40, tzinfo=UTC)
PASSWORD = "harbour-light"


@dataclass(frozen=True)
class Bank:
    """The story that was told, and who looks at what came of it."""

    planned: list[Planned]
    clashes: list[Clash]

    def actor(self, email: str = commands.PERSON) -> Actor:
        return people.person(people.user(SYSTEM, email))


@pytest.fixture(scope="module")
def bank(django_db_setup: None, django_db_blocker: Any) -> Iterator[Bank]:
    with django_db_blocker.unblock(), transaction.atomic():
        Kept.forget_all()
        try:
            commands.load(password=PASSWORD, now=NOW)
            yield Bank(*changes(NOW, seed=commands.SEED))
        finally:
            transaction.set_rollback(True)
            Kept.forget_all()
