"""Tasks for the tests; what they do is a team that is made, so that a second time shows."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, ClassVar

from fairway.accounts.commands import CreateTeam
from fairway.audit.commands import Command, Plan, execute
from fairway.jobs.commands import JobContext, task
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Busy, Invalid

tried: list[int] = []
"""The attempts that were made, in the order in which they were."""


@task(title="Add up", attempts=3)
def add(context: JobContext, left: int, right: int) -> int:
    return left + right


@task(attempts=3)
def fail(context: JobContext, how: str) -> None:
    tried.append(context.attempt)
    errors: dict[str, Exception] = {
        "fault": RuntimeError("the disk is full"),
        "problem": Invalid("Row 7 has no key."),
        "busy": Busy("Many are writing."),
    }
    raise errors[how]


@task(attempts=3)
def count_up(context: JobContext, to: int, break_at: int) -> dict[str, Any]:
    """Make a team a step, and break once: the next attempt goes on behind the last one made."""
    tried.append(context.attempt)
    for number in range(context.state.get("next", 0), to):
        with context.transaction():
            slug = f"team-{number}"
            execute(CreateTeam(slug=slug, name=slug, organisation="retail"), actor=context.actor)
            context.state["next"] = number + 1
            context.progress(number + 1, to, slug)
            if number == break_at and context.attempt == 1:
                raise RuntimeError("broken")
    return {"made": to}


@task()
def finish_with_effect(context: JobContext) -> None:
    with context.transaction():
        execute(CreateTeam(slug="once", name="Once", organisation="retail"), actor=context.actor)
        context.finish({"made": 1})


class Mark(Command):
    """Leave a note in the log and nothing else: how often it was done is how often it stands there."""

    command: ClassVar[str] = "test.step.mark"
    job: str
    step: int

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        return Plan(note={"job": self.job, "step": self.step})


@task(attempts=50)
def walk(context: JobContext, steps: int, seconds: float) -> int:
    """Leave a mark a step, the last one together with the end."""
    for step in range(context.state.get("next", 0), steps):
        time.sleep(seconds)
        with context.transaction():
            execute(Mark(job=context.key, step=step), actor=context.actor)
            context.state["next"] = step + 1
            if step == steps - 1:
                context.finish(steps)
    return steps
