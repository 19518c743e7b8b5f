from __future__ import annotations

from collections.abc import Iterator

import pytest

from fairway.kernel.cache import Kept
from tests.jobs import tasks
from tests.support.committed import committed as committed
from tests.support.company import Company, found
from tests.support.standing import standing


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    Kept.forget_all()
    tasks.tried.clear()
    yield
    Kept.forget_all()


founded_once = standing(found)


@pytest.fixture
def company(founded_once: Company, db: None) -> Company:
    return founded_once
