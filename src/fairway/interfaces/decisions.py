"""Which context answers for which action: every door asks here, so no two can disagree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from fairway.accounts import queries as accounts
from fairway.changes import queries as changes
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid
from fairway.policy import Decision


class Question(Protocol):
    """May this be done to the system, there, then?"""

    action: str
    system: str
    environment: str
    change: str
    version: str


OWNERS: dict[str, Callable[..., Decision]] = {"deploy": changes.clearance}
"""Deploying is decided by changes until runbooks exist."""


def decision(question: Question, *, actor: Actor, at: datetime) -> Decision:
    """Return the owner's answer.

    :raises Forbidden: the actor may not ask. :raises Invalid: no such action.
    :raises NotFound: no such system, environment or change, or not for the actor.
    """
    accounts.require(actor, "decisions.ask", at=None)
    owner = OWNERS.get(question.action)
    if owner is None:
        raise Invalid.field(
            "action", f"“{question.action[:40]}” is not an action; there is {', '.join(OWNERS)}."
        )
    return owner(
        actor,
        action=question.action,
        item=question.system,
        environment=question.environment,
        change=question.change,
        version=question.version,
        at=at,
    )
