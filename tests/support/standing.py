"""Companies that are founded once for the tests of a module, not for each of them.

    founded_once = standing(found)

    @pytest.fixture
    def company(founded_once: Company, db: None) -> Company:
        return founded_once

`founded_once` is asked for before `db`: it stands in a transaction of its own, which is rolled back after the
module, and `db` undoes what a test writes. A test that asks for `committed` does not see it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker

from fairway.kernel.cache import Kept

T = TypeVar("T")


def standing(found: Callable[[], T]) -> Any:
    """Return a fixture that founds once for a module."""

    @pytest.fixture(scope="module")
    def founded_once(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[T]:
        with django_db_blocker.unblock(), transaction.atomic():
            Kept.forget_all()
            try:
                yield found()
            finally:
                transaction.set_rollback(True)
                Kept.forget_all()

    return founded_once
