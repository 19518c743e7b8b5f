"""Batches of independent commands: few statements, and the same as running them one by one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Self

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from fairway.accounts.models import Organisation, Team
from fairway.audit import queries
from fairway.audit.commands import Command, Outcome, Plan, execute_many
from fairway.audit.models import Event, EventRow
from fairway.kernel import ahead
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Problem, Refused
from tests.audit.probes import Make
from tests.support.company import Company


class MakeAlone(Make):
    command: ClassVar[str] = "test.team.make"


class MakeTogether(Make):
    command: ClassVar[str] = "test.team.make"
    independent: ClassVar[bool] = True


class Put(Command):
    """Make a team or rename the one there is, as read ahead."""

    command: ClassVar[str] = "test.team.put"
    independent: ClassVar[bool] = True
    slug: str
    name: str

    @classmethod
    def read_ahead(cls, commands: Sequence[Self], *, actor: Actor, lock: bool) -> None:
        slugs = {command.slug for command in commands}
        found = {team.slug: team for team in Team.objects.filter(slug__in=slugs)}
        ahead.learn("test.put", {slug: found.get(slug) for slug in slugs})

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        root = ahead.recall("test.root", None, lambda: Organisation.objects.get(parent=None))
        team = ahead.take("test.put", self.slug, lambda: Team.objects.filter(slug=self.slug).first())
        if team is not None:
            return Plan(subject=team, change=[(team, {"name": self.name})])
        made = Team(slug=self.slug, name=self.name, organisation=root)
        return Plan(subject=made, create=[made])


def told(answers: Sequence[Outcome | Problem], start: int) -> list[Any]:
    return [
        (answer.sequence - start if answer.sequence else None, answer.created, str(answer.subject))
        if isinstance(answer, Outcome)
        else (type(answer), answer.detail)
        for answer in answers
    ]


def written() -> Any:
    """Return teams and log without uids, which are drawn anew."""
    teams = sorted(Team.objects.values_list("slug", "name", "version"))
    events = list(Event.objects.order_by("sequence").values_list("sequence", "command", "subject_key"))
    rows = list(EventRow.objects.order_by("event", "position").values_list("event", "position", "action"))
    return teams, events, rows


def test_together_is_the_same_as_one_by_one(company: Company) -> None:
    given: list[dict[str, Any]] = [
        {"slug": "one"},
        {"slug": "no", "refuse": True},
        {"slug": "two", "note": {"why": "test"}},
        {"slug": "three", "name": "Drei"},
    ]
    seen = []
    for kind in (MakeAlone, MakeTogether):
        with transaction.atomic():
            start, _ = queries.head()
            answers = list(execute_many([kind(**one) for one in given], actor=company.boss))
            seen.append((told(answers, start), written()))
            assert queries.verification().whole
            transaction.set_rollback(True)
    assert seen[0] == seen[1]
    assert seen[0][0][1] == (Refused, "It is blocked.")


def test_those_that_meet_are_run_one_by_one(company: Company) -> None:
    commands = [MakeTogether(slug="one"), MakeTogether(slug="two"), MakeTogether(slug="one", name="Again")]
    answers = list(execute_many(commands, actor=company.boss))
    assert [type(answer) for answer in answers] == [Outcome, Outcome, Conflict]
    assert set(Team.objects.filter(slug__in=["one", "two"]).values_list("slug", "name")) == {
        ("one", "Team"),
        ("two", "Team"),
    }
    assert queries.verification().whole


def test_the_same_record_twice_in_a_batch_ends_as_one_by_one(company: Company) -> None:
    list(execute_many([Put(slug="known", name="First")], actor=company.boss))
    commands = [Put(slug="known", name="Second"), Put(slug="new", name="A"), Put(slug="known", name="Third")]
    commands += [Put(slug="new", name="B")]
    answers = list(execute_many(commands, actor=company.boss))
    assert [isinstance(answer, Outcome) and answer.created for answer in answers] == [
        False,
        True,
        False,
        False,
    ]
    found = dict(Team.objects.filter(slug__in=["known", "new"]).values_list("slug", "name"))
    assert found == {"known": "Third", "new": "B"}


def test_a_batch_takes_a_fixed_number_of_statements(company: Company) -> None:
    def statements(count: int, prefix: str) -> int:
        commands = [Put(slug=f"{prefix}{n}", name="Team") for n in range(count)]
        with CaptureQueriesContext(connection) as captured:
            answers = list(execute_many(commands, actor=company.boss))
        assert all(isinstance(answer, Outcome) for answer in answers)
        return len(captured)

    statements(1, "warm")
    assert statements(50, "a") == statements(10, "b")


def test_nothing_read_ahead_outlives_its_batch(company: Company) -> None:
    list(execute_many([Put(slug="one", name="One")], actor=company.boss))
    assert ahead.known("test.root")(None) is None
    assert ahead.take("test.put", "one", lambda: "asked") == "asked"
    with ahead.reading_ahead():
        ahead.learn("test.put", {"one": None})
        assert ahead.take("test.put", "one", lambda: "asked") is None
        assert ahead.take("test.put", "one", lambda: "asked") == "asked"
