"""The Django Tasks API over our table: what a task is, and how a job is made of it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from django.db import transaction
from django.utils.module_loading import import_string
from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task as DjangoTask
from django_tasks.base import TaskError, TaskResult, TaskResultStatus
from django_tasks.exceptions import TaskResultDoesNotExist
from typing_extensions import ParamSpec

from fairway.jobs.models import Job
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.numbers import next_numbers
from fairway.kernel.refs import as_uid

T = TypeVar("T")
P = ParamSpec("P")
QUEUES = ("default", "webhooks")
STATUS = {
    Job.State.READY: TaskResultStatus.READY,
    Job.State.RUNNING: TaskResultStatus.RUNNING,
    Job.State.DONE: TaskResultStatus.SUCCESSFUL,
    Job.State.FAILED: TaskResultStatus.FAILED,
    Job.State.CANCELLED: TaskResultStatus.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(DjangoTask[P, T]):
    """A function that a worker may run. `title`: what people read; `attempts`: how often it is tried."""

    title: str = ""
    attempts: int = 5

    def named(self) -> str:
        return self.title or self.name.replace("_", " ").capitalize()


class Backend(BaseTaskBackend):
    """Jobs in the table of this database: what is asked for in a transaction is seen when it commits."""

    task_class = Task
    supports_defer = True
    supports_get_result = True
    supports_priority = True

    def enqueue(self, task: DjangoTask[P, T], args: Any, kwargs: Any) -> TaskResult[T]:
        """Store a job that Fairway itself asks for."""
        self.validate_task(task)
        bound = inspect.signature(task.func).bind(None, *args, **kwargs)
        given = {name: value for name, value in bound.arguments.items() if name != "context"}
        kept = stored(job_of(task, given))
        return cast("TaskResult[T]", result_of(kept))

    def get_result(self, result_id: str) -> TaskResult[Any]:
        """Return how a job stands, by its uid.

        :raises TaskResultDoesNotExist: there is none.
        """
        uid = as_uid(result_id)
        found = Job.objects.filter(uid=uid).first() if uid else None
        if found is None:
            raise TaskResultDoesNotExist(result_id)
        return result_of(found)


def task_named(path: str) -> Task[..., Any]:
    """Return the task at a dotted path.

    :raises LookupError: this version of Fairway has no such task.
    """
    try:
        found = import_string(path)
    except ImportError as cause:
        raise LookupError(f"There is no task {path} in this version.") from cause
    if not isinstance(found, Task):
        raise LookupError(f"{path} is no task.")
    return found


def job_of(
    task: DjangoTask[..., Any],
    arguments: Mapping[str, Any],
    *,
    actor: Actor = SYSTEM,
    organisation: int | None = None,
    title: str = "",
    unique_key: str = "",
    run_after: datetime | None = None,
    priority: int | None = None,
) -> Job:
    """Return the row of a job, not yet stored.

    :raises TypeError: the arguments are not those of the task.
    """
    inspect.signature(task.func).bind(None, **arguments)
    known = cast("Task[..., Any]", task)
    return Job(
        task=task.module_path,
        title=(title or known.named())[:200],
        arguments=dict(arguments),
        queue=task.queue_name,
        priority=task.priority if priority is None else priority,
        most_attempts=known.attempts,
        unique_key=unique_key,
        run_after=run_after or task.run_after or datetime.now(UTC),
        organisation_id=organisation,
        user_id=actor.pk,
        scopes=None if actor.scopes is None else sorted(actor.scopes),
        request_id=actor.request_id[:64],
    )


def stored(job: Job) -> Job:
    """Store a job apart from any command; it stands in no event."""
    with transaction.atomic():
        (job.number,) = next_numbers(Job.kind)
        job.created_at = datetime.now(UTC)
        job.save(force_insert=True)
    return job


def result_of(job: Job) -> TaskResult[Any]:
    """Return a job in the words of the Django Tasks API."""
    found: TaskResult[Any] = TaskResult(
        task=task_named(job.task),
        id=str(job.uid),
        status=STATUS[Job.State(job.state)],
        enqueued_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        last_attempted_at=job.started_at,
        args=[],
        kwargs=dict(job.arguments),
        backend="default",
        errors=[TaskError(exception_class_path="builtins.Exception", traceback=job.trace or job.error)]
        if job.error
        else [],
        worker_ids=[job.lease_owner] * job.attempts,
    )
    object.__setattr__(found, "_return_value", job.result)
    return found
