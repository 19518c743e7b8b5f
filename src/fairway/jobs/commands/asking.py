"""Declaring tasks, and asking for them to be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Concatenate, TypeVar, cast

import django_tasks
from django.db import IntegrityError, transaction
from typing_extensions import ParamSpec

from fairway.jobs.backend import Task, job_of, stored
from fairway.jobs.commands.handling import JobContext
from fairway.jobs.models import Job
from fairway.kernel.actor import SYSTEM, Actor

T = TypeVar("T")
P = ParamSpec("P")


def task(
    *, title: str = "", queue: str = "default", priority: int = 0, attempts: int = 5
) -> Callable[[Callable[Concatenate[JobContext, P], T]], Task[P, T]]:
    """Make a function of a module a task; its first argument is `context`, the others are JSON.

    It may be run more than once: effects that must not be repeated go through `context.transaction()`.
    """
    declare = django_tasks.task(
        takes_context=True, queue_name=queue, priority=priority, title=title, attempts=attempts
    )

    def declared(function: Callable[Concatenate[JobContext, P], T]) -> Task[P, T]:
        return cast("Task[P, T]", declare(function))  # type: ignore[arg-type]  # the context is ours

    return declared


def queued(
    task: Task[..., Any],
    arguments: Mapping[str, Any],
    *,
    actor: Actor,
    organisation: int | None,
    title: str = "",
    unique_key: str = "",
    run_after: datetime | None = None,
    priority: int | None = None,
) -> Job:
    """Return a job for a command to create: `Plan(subject=job, create=[job])`.

    It runs for the actor, with what they may at that time, and is shown to them and to whoever may see jobs
    of the organisation. Of one `unique_key` only one may wait or run.

    :raises TypeError: the arguments are not those of the task.
    """
    return job_of(
        task, arguments, actor=actor, organisation=organisation, title=title, unique_key=unique_key,
        run_after=run_after, priority=priority,
    )  # fmt: skip


def enqueue(
    task: Task[..., Any],
    arguments: Mapping[str, Any],
    *,
    actor: Actor = SYSTEM,
    organisation: int | None = None,
    title: str = "",
    unique_key: str = "",
    run_after: datetime | None = None,
    priority: int | None = None,
) -> Job:
    """Store a job apart from any command, in the present transaction where there is one; no event tells it.

    :raises IntegrityError: a job of this unique key waits or runs.
    """
    return stored(
        job_of(
            task, arguments, actor=actor, organisation=organisation, title=title, unique_key=unique_key,
            run_after=run_after, priority=priority,
        )
    )  # fmt: skip


def rearm(task: Task[..., Any], arguments: Mapping[str, Any], *, unique_key: str) -> None:
    """Have Fairway's own job of a key done again: one row, however often; nothing where it waits or runs."""
    ended = Job.objects.filter(unique_key=unique_key, user=None, state__in=("done", "failed", "cancelled"))
    living = Job.objects.filter(unique_key=unique_key, state__in=("ready", "running"))
    if living.exists():
        return
    try:
        with transaction.atomic():
            last = ended.order_by("-pk").values_list("pk", flat=True).first()
            fresh = {
                "state": Job.State.READY,
                "attempts": 0,
                "run_after": datetime.now(UTC),
                "finished_at": None,
            }
            again = last is not None and ended.filter(pk=last).update(**fresh, cancel_requested=False)
            if not again:
                stored(job_of(task, arguments, unique_key=unique_key))
    except IntegrityError:  # another worker was quicker
        return
