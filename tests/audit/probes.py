"""Commands for trying the frame: on teams, not in the registry, doing exactly what a test asks for."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from fairway.accounts.models import Organisation, Team
from fairway.audit.commands import Command, Plan
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Forbidden, Problem
from fairway.policy import ALLOW, Decision, Finding, Severity, decide

BLOCKED = decide([Finding("test.rule", Severity.BLOCK)])


class Make(Command):
    """Make a team; `refuse`, `forbid`: say no instead, before or after a row was written."""

    command: ClassVar[str] = "test.team.make"
    slug: str
    name: str = "Team"
    refuse: bool = False
    forbid: bool = False
    twice: bool = False
    note: dict[str, Any] = {}
    texts: dict[str, str] = {}

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        if self.forbid:
            raise Forbidden("No.")
        root = Organisation.objects.get(parent=None)
        made = Team(slug=self.slug, name=self.name, organisation=root)
        rows = [made, Team(slug=self.slug, name="Same", organisation=root)] if self.twice else [made]
        decision: Decision = BLOCKED if self.refuse else ALLOW
        return Plan(
            decision, subject=made, create=rows, note=self.note, texts=self.texts, refusal="It is blocked."
        )


class Rename(Command):
    """Rename a team as it was read at a version; also make another first, to be undone on failure."""

    command: ClassVar[str] = "test.team.rename"
    slug: str
    name: str
    read_at: int
    make: str = ""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        team = Team.objects.get(slug=self.slug)
        team.version = self.read_at
        made = [Team(slug=self.make, name="New", organisation=team.organisation)] if self.make else []
        return Plan(subject=team, create=made, change=[(team, {"name": self.name})])


class Drop(Command):
    """Remove a team; `gone`: somebody else does so between plan and write."""

    command: ClassVar[str] = "test.team.drop"
    slug: str
    gone: bool = False

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        team = Team.objects.get(slug=self.slug)
        if self.gone:
            Team.objects.filter(pk=team.pk).delete()
        return Plan(remove=[team])


class Fail(Command):
    """Raise a problem."""

    command: ClassVar[str] = "test.fail"

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        raise Problem("It fails.")
