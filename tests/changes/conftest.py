"""A small company: people in every role that changes know, items, an environment of each control level."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fairway.accounts import commands as accounts
from fairway.accounts import queries as who
from fairway.accounts.models import User
from fairway.audit.commands import Command, Outcome, execute, execute_many
from fairway.catalog.commands import CreateItem, CreateRelation
from fairway.changes import commands
from fairway.changes.commands.reading import Span
from fairway.changes.models import Change
from fairway.environments.commands import CreateEnvironment
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.cache import Kept
from tests.support.standing import standing

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def hours(start: float, end: float) -> Span:
    """A window so many hours from the evening of the first of December."""
    evening = NOON + timedelta(hours=9)
    return Span(evening + timedelta(hours=start), evening + timedelta(hours=end))


@dataclass
class Company:
    """Actors by name: `rita` requests, `ian` implements, `ann` and `amy` approve, `max` manages changes,
    `vera` looks on, all of retail; `bob` stands in for rita and may approve; `carl` manages changes in cards.
    """

    people: dict[str, Actor] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Actor:
        return self.people[name]

    def change(self, name: str = "rita", **more: Any) -> str:
        """Draft a change to payments-api in production in the evening; return its key."""
        given = {
            "title": "Patch the API",
            "items": ("payments-api",),
            "environments": ("prod",),
            "windows": (hours(0, 2),),
            **more,
        }
        outcome = execute(commands.CreateChange(**given), actor=self.people[name], at=NOON)
        assert outcome.subject is not None
        return outcome.subject.key

    def take(self, verb: str, name: str, key: str, *, at: datetime = NOON, **more: Any) -> Outcome:
        """Let somebody take a step."""
        return execute(commands.STEPS[verb](change=key, **more), actor=self.people[name], at=at)

    def vote(self, name: str, key: str, choice: str = "approve", **more: Any) -> Outcome:
        return self.take("vote", name, key, choice=choice, digest=stored(key).digest, **more)

    def scheduled(self, **more: Any) -> str:
        """Return the key of a change that is approved."""
        key = self.change(**more)
        self.take("submit", more.get("name", "rita"), key)
        self.vote("ann", key)
        return key


def stored(key: str) -> Change:
    return Change.objects.get(number=int(key.removeprefix("CHG-")))


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    Kept.forget_all()
    yield
    Kept.forget_all()


PEOPLE = {
    "rita": ("retail", "requester"),
    "ian": ("retail", "implementer"),
    "ann": ("retail", "approver"),
    "amy": ("retail", "approver"),
    "bob": ("retail", "approver"),
    "max": ("retail", "change-manager"),
    "ada": ("group", "administrator"),
    "vera": ("retail", "viewer"),
    "carl": ("cards", "change-manager"),
}


def all_done(made: Iterable[Command]) -> None:
    """Run commands in one transaction; none may be refused."""
    for answer in execute_many(made, actor=SYSTEM):
        assert isinstance(answer, Outcome), answer


def founded() -> Company:
    organisations = (("group", None), ("retail", "group"), ("cards", "group"))
    all_done(
        accounts.CreateOrganisation(slug=slug, name=slug.title(), parent=parent)
        for slug, parent in organisations
    )
    all_done(
        accounts.CreateUser(email=f"{name}@example.org", name=name.title(), organisation=organisation)
        for name, (organisation, _role) in PEOPLE.items()
    )
    items = (("payments-api", "retail"), ("ledger-db", "retail"), ("card-core", "cards"))
    environments = (
        ("prod", "production", "controlled"),
        ("sit2", "integration", "coordinated"),
        ("dev", "development", "open"),
    )
    all_done(
        [
            *(
                accounts.GrantRole(role=role, organisation=organisation, user=f"{name}@example.org")
                for name, (organisation, role) in PEOPLE.items()
            ),
            *(
                CreateItem(key=key, name=key.title(), kind="system", organisation=organisation)
                for key, organisation in items
            ),
            *(
                CreateEnvironment(
                    key=key, name=key.title(), tier=tier, organisation="retail", control=control
                )
                for key, tier, control in environments
            ),
        ]
    )
    execute(CreateRelation(source="payments-api", target="ledger-db", kind="depends-on"), actor=SYSTEM)
    made = Company()
    execute(
        accounts.Delegate(
            taker="bob@example.org",
            start=(NOON - timedelta(days=30)).isoformat(),
            end=(NOON + timedelta(days=30)).isoformat(),
        ),
        actor=who.person(User.objects.get(name="Rita")),
    )
    for user in User.objects.filter(email__endswith="@example.org"):
        made.people[user.name.lower()] = who.person(user)
    return made


founded_once = standing(founded)


@pytest.fixture
def company(founded_once: Company, db: None) -> Company:
    return Company(dict(founded_once.people))
