"""A small company with items and environments, on which windows can be laid."""

from __future__ import annotations

import pytest

from fairway.audit.commands import execute
from fairway.catalog.commands import CreateItem
from fairway.environments.commands import CreateEnvironment
from fairway.kernel.actor import SYSTEM
from tests.support import company as companies
from tests.support.company import Company
from tests.support.standing import standing


def founded() -> Company:
    made = companies.found()
    for key, organisation in (("ledger", "retail"), ("till", "shops"), ("switch", "cards")):
        execute(CreateItem(key=key, name=key.title(), kind="system", organisation=organisation), actor=SYSTEM)
    for key, tier in (("prod", "production"), ("uat", "acceptance")):
        execute(CreateEnvironment(key=key, name=key, tier=tier, organisation="retail"), actor=SYSTEM)
    return made


founded_once = standing(founded)


@pytest.fixture
def company(founded_once: Company, db: None) -> Company:
    return founded_once
