"""A small company with items that need each other, and claims on them."""

from __future__ import annotations

import pytest

from fairway.audit.commands import execute
from fairway.catalog.commands import CreateItem, CreateRelation
from fairway.environments.commands import CreateEnvironment
from fairway.kernel.actor import SYSTEM
from tests.support import company as companies
from tests.support.company import Company
from tests.support.standing import standing

NEEDS = (("till", "ledger"), ("ledger", "database"), ("database", "network"), ("portal", "database"))
"""What depends on what: the failure of the second reaches the first."""


def founded() -> Company:
    made = companies.found()
    homes = {"till": "shops", "ledger": "retail", "database": "group", "portal": "cards", "network": "group"}
    for key, organisation in homes.items():
        shared = key == "network"
        command = CreateItem(key=key, name=key, kind="system", organisation=organisation, shared=shared)
        execute(command, actor=SYSTEM)
    for source, target in NEEDS:
        execute(CreateRelation(source=source, target=target, kind="depends-on"), actor=SYSTEM)
    for key, tier in (("prod", "production"), ("sit2", "system_test")):
        execute(CreateEnvironment(key=key, name=key, tier=tier, organisation="group"), actor=SYSTEM)
    return made


founded_once = standing(founded)


@pytest.fixture
def company(founded_once: Company, db: None) -> Company:
    return founded_once
