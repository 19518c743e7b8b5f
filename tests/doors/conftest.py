from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from fairway.accounts.commands import CreateToken
from fairway.audit.commands import execute
from fairway.kernel.actor import Actor
from fairway.kernel.cache import Kept
from tests.support.company import Company, found
from tests.support.standing import standing


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    Kept.forget_all()
    yield
    Kept.forget_all()


founded_once = standing(found)


@pytest.fixture
def company(founded_once: Company, db: None) -> Company:
    return founded_once


class Caller:
    """Calls the API as somebody, by token."""

    def __init__(self, actor: Actor, **more: Any) -> None:
        token = execute(CreateToken(name="test", **more), actor=actor).answer
        self.token = token
        self.client = Client(headers={"Authorization": f"Bearer {token}"})

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        more = {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return getattr(self.client, method)(f"/api/v1/{path}", headers=names, **more)


@pytest.fixture
def boss(company: Company) -> Caller:
    return Caller(company.boss)


@pytest.fixture
def rita(company: Company) -> Caller:
    return Caller(company.rita)


@pytest.fixture
def vera(company: Company) -> Caller:
    return Caller(company.vera)
