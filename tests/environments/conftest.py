"""The company of the tests, with items and environments to put them in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fairway.audit.commands import execute
from fairway.catalog.commands import CreateItem
from fairway.environments.commands import CreateEnvironment, CreateInstance
from fairway.kernel.actor import SYSTEM
from tests.support.company import Company, found
from tests.support.standing import standing

founded_once = standing(found)


@pytest.fixture
def company(founded_once: Company, db: None) -> Company:
    return founded_once


@pytest.fixture
def item(company: Company) -> Callable[..., str]:
    def make(key: str, organisation: str = "retail", kind: str = "system") -> str:
        execute(CreateItem(key=key, name=key.title(), kind=kind, organisation=organisation), actor=SYSTEM)
        return key

    return make


@pytest.fixture
def environment(company: Company) -> Callable[..., str]:
    def make(key: str, organisation: str = "retail", tier: str = "production", **more: object) -> str:
        command = CreateEnvironment(key=key, name=key.title(), tier=tier, organisation=organisation, **more)  # type: ignore[arg-type]
        execute(command, actor=SYSTEM)
        return key

    return make


@pytest.fixture
def stand(company: Company) -> Callable[[str, str], None]:
    def make(item: str, environment: str) -> None:
        execute(CreateInstance(item=item, environment=environment), actor=SYSTEM)

    return make
