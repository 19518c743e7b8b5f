"""The company of the tests with one of each kind of record, in the branch retail and in its twin cards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from fairway.accounts.commands import CreateToken
from fairway.accounts.models import User
from fairway.audit.commands import execute
from fairway.calendars.commands import CreateWindow
from fairway.catalog.commands import CreateItem
from fairway.changes.commands import CreateChange
from fairway.environments.commands import CreateEnvironment
from fairway.kernel.actor import SYSTEM, Actor
from tests.support.company import Company, found
from tests.support.standing import standing

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)


founded_once = standing(found)


@pytest.fixture
def company(founded_once: Company, db: None) -> Company:
    return founded_once


@pytest.fixture
def records(company: Company) -> dict[str, str]:
    """The keys of an item, an environment, a window and a change of retail, by kind."""
    execute(CreateItem(key="till", name="Till", kind="system", organisation="retail"), actor=SYSTEM)
    execute(
        CreateEnvironment(key="prod", name="Production", tier="production", organisation="retail"),
        actor=SYSTEM,
    )
    far = AT + timedelta(days=30)
    window = CreateWindow(
        name="Sales",
        kind="soft_freeze",
        organisation="retail",
        starts_at=far,
        ends_at=far + timedelta(days=1),
    )
    made = execute(window, actor=SYSTEM).subject
    change = execute(
        CreateChange(
            title="Till 2",
            organisation="retail",
            items=("till",),
            environments=("prod",),
            owner="vera@example.org",
        ),
        actor=company.rita,
    ).subject
    assert made is not None
    assert change is not None
    return {"item": "till", "environment": "prod", "window": made.key, "change": change.key}


class Caller:
    """Calls the API as somebody, by token."""

    def __init__(self, actor: Actor) -> None:
        token = execute(CreateToken(name="test"), actor=actor).answer
        self.client = Client(headers={"Authorization": f"Bearer {token}"})

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        more = {"data": body, "content_type": "application/json"} if body is not None else {}
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return getattr(self.client, method)(f"/api/v1/{path}", headers=names, **more)


@pytest.fixture
def api() -> Callable[[Actor], Caller]:
    return Caller


@pytest.fixture
def browser() -> Callable[[Actor], Client]:
    def open_as(actor: Actor) -> Client:
        client = Client()
        client.force_login(User.objects.get(uid=actor.uid))
        return client

    return open_as
