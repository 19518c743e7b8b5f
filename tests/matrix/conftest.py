"""The world is made once for all tests of the matrix; each test finds it as it was made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test.utils import override_settings

from fairway.kernel.cache import Kept

from .world import World, build, stored


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the matrix out of the quick run: every role on every route takes its time."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="package")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    quick = override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
    with quick, django_db_blocker.unblock(), transaction.atomic():
        Kept.forget_all()
        try:
            world = build()
            world.tables = stored()
            yield world
        finally:
            transaction.set_rollback(True)
            Kept.forget_all()


@pytest.fixture
def world(made: World, db: None) -> World:
    """The world; `db` undoes at the end what a test writes."""
    return made
