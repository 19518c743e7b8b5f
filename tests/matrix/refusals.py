"""What commands say to those who may not: by themselves, whichever door they come through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from django.db import connection

from fairway.accounts import queries
from fairway.accounts.models import User
from fairway.audit.commands import Command, Journal, Plan
from fairway.kernel.errors import Problem

from .world import Person, World

OWN = {
    *("accounts.share_link.create", "accounts.token.create", "changes.feed.create"),
    *("workspace.columns.choose", "workspace.settings.edit", "workspace.view.create"),
}
"""What people do for themselves: then it is theirs, and no record of a branch is named."""


@contextmanager
def planned() -> Iterator[list[Command]]:
    """Collect the commands that the frame plans within."""
    found: list[Command] = []
    planning = Journal._plan

    def noted(journal: Journal, command: Command) -> Plan:
        found.append(command)
        return planning(journal, command)

    with patch.object(Journal, "_plan", noted):
        yield found


def granted(world: World, commands: Iterable[Command], *others: Person) -> list[str]:
    """Return which of these commands north's nobody, the administrator of south or others may run: none.

    What may be done to oneself alone is left out. Python decides it, so one database shows it.
    """
    once = {repr(command): command for command in commands if command.command not in OWN}
    if not once or connection.vendor == "postgresql":
        return []
    found = []
    for person in (world.north.people["nobody"], world.south.people["administrator"], *others):
        actor = queries.person(User.objects.get(uid=person.named.uid))
        for words, command in once.items():
            try:
                command.plan(actor=actor, at=world.now)
            except Problem:
                continue
            if actor.uid not in words:
                found.append(f"{actor.name}: {words}")
    return found
