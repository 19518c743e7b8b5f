"""A small company: two branches under one root, people in them, and a few items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from fairway.accounts import commands as accounts
from fairway.accounts import queries as who
from fairway.accounts.models import User
from fairway.audit.commands import execute
from fairway.catalog.commands import CreateItem, CreateRelation
from fairway.kernel.actor import SYSTEM, Actor
from tests.support.committed import committed as committed
from tests.support.standing import standing


@dataclass(frozen=True)
class Company:
    """Actors: `boss` sees and edits all, `retail` and `cards` their branch, `reader` only reads retail."""

    boss: Actor
    retail: Actor
    cards: Actor
    reader: Actor


def person(name: str, organisation: str, role: str) -> Actor:
    email = f"{name}@example.org"
    execute(accounts.CreateUser(email=email, name=name.title(), organisation=organisation), actor=SYSTEM)
    execute(accounts.GrantRole(role=role, organisation=organisation, user=email), actor=SYSTEM)
    return who.person(User.objects.get(email=email))


def founded() -> Company:
    for slug, parent in (("group", None), ("retail", "group"), ("cards", "group")):
        execute(accounts.CreateOrganisation(slug=slug, name=slug.title(), parent=parent), actor=SYSTEM)
    return Company(
        boss=person("boss", "group", "administrator"),
        retail=person("rita", "retail", "administrator"),
        cards=person("carl", "cards", "administrator"),
        reader=person("vera", "retail", "viewer"),
    )


founded_once = standing(founded)


@pytest.fixture
def company(founded_once: Company, db: None) -> Company:
    return founded_once


@pytest.fixture
def item(company: Company) -> Callable[..., str]:
    def make(key: str, organisation: str = "retail", kind: str = "system", **more: object) -> str:
        command = CreateItem(key=key, name=key.title(), kind=kind, organisation=organisation, **more)  # type: ignore[arg-type]
        execute(command, actor=SYSTEM)
        return key

    return make


@pytest.fixture
def relate(company: Company) -> Callable[..., None]:
    def make(source: str, target: str, kind: str = "depends-on") -> None:
        execute(CreateRelation(source=source, target=target, kind=kind), actor=SYSTEM)

    return make
