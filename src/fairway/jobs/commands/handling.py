"""The handle of a running job: whose it is, how far it is, and effects that happen once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

from django.db import transaction
from django_tasks.base import TaskResult

from fairway.audit import queries as audit
from fairway.jobs.backend import result_of
from fairway.jobs.models import Job
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Forbidden

TOLD_EVERY = 1.0  # seconds between two writes of progress


class LeaseLost(BaseException):
    """Another worker holds the job now; this one ends without a trace.

    Not an `Exception`: whoever catches everything in a task must not go on.
    """


class JobCancelled(BaseException):
    """Somebody asked for the job to be cancelled."""


class GivenBack(BaseException):
    """The worker is being stopped: another goes on from the checkpoint."""


class JobContext:
    """What a task is given as `context`; it has all that `TaskContext` of Django Tasks has."""

    def __init__(self, job: Job, *, lease: timedelta, stopping: Event | None = None) -> None:
        self._job, self._lease = job, lease
        self._stopping = stopping or Event()
        self._told = 0.0
        self.lost = False
        self.finished = False
        self._within = False
        self.state: dict[str, Any] = dict(job.checkpoint)
        """Where an earlier attempt stopped, empty at first; kept by `keep` and by `transaction`."""

    @property
    def task_result(self) -> TaskResult[Any]:
        return result_of(self._job)

    @property
    def key(self) -> str:
        return self._job.key

    @property
    def organisation(self) -> int | None:
        """Primary key of the organisation that the job belongs to."""
        return self._job.organisation_id

    @property
    def attempt(self) -> int:
        return self._job.attempts

    @property
    def actor(self) -> Actor:
        """For whom it runs, as of now: ask anew for each batch.

        :raises Forbidden: the person was deactivated meanwhile.
        """
        job = self._job
        user = Job.objects.select_related("user").get(pk=job.pk).user
        if user is None:
            return SYSTEM
        if not user.valid_at(datetime.now(UTC)):
            raise Forbidden(f"{user.name}, for whom this job runs, was deactivated or is not valid any more.")
        return Actor(
            "service" if user.is_service else "person",
            user.pk,
            str(user.uid),
            user.name,
            user.zone,
            None if job.scopes is None else frozenset(job.scopes),
            request_id=job.request_id or job.key,
            revisions=audit.revisions(),
        )

    def progress(self, done: int, total: int | None = None, text: str | None = None) -> None:
        """Tell how far it is; written once a second at most, and with each transaction.

        :raises JobCancelled: somebody asked for that. :raises LeaseLost: another worker has the job.
        """
        self._job.done = done
        if total is not None:
            self._job.total = total
        if text is not None:
            self._job.text = text[:200]
        if not self._within:
            self._check()
            if time.monotonic() - self._told >= TOLD_EVERY:
                self._write(**self._progress())

    def beat(self) -> None:
        """Write progress and make the lease last; only needed in long silence, for the worker does it too.

        :raises JobCancelled: somebody asked for that. :raises LeaseLost: another worker has the job.
        """
        self._check()
        self._write(**self._progress())

    def keep(self) -> None:
        """Keep `state`, for a later attempt to go on from.

        :raises JobCancelled: somebody asked for that. :raises LeaseLost: another worker has the job.
        """
        self._check()
        self._write(checkpoint=self.state, **self._progress())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what is written within together with `state` and progress, or nothing of it.

        Nobody can take the job over meanwhile, and whoever lost it does not get in: with `state` as the guard
        its effects happen once. Keep it short, for others wait.

        :raises JobCancelled: somebody asked for that. :raises LeaseLost: another worker has the job.
        """
        self._check()
        with transaction.atomic():
            self._write()
            self._within = True
            try:
                yield
            finally:
                self._within = False
            if not self.finished:
                self._write(checkpoint=self.state, **self._progress())

    def finish(self, result: Any = None) -> None:
        """Mark the job done, within `transaction`: together with its last effect."""
        self._write(
            state=Job.State.DONE, result=result, finished_at=datetime.now(UTC), checkpoint=self.state,
            error="", trace="", lease_owner="", lease_until=None, **self._progress(),
        )  # fmt: skip
        self.finished = True

    def _progress(self) -> dict[str, Any]:
        self._told = time.monotonic()
        return {"done": self._job.done, "total": self._job.total, "text": self._job.text}

    def _check(self) -> None:
        if self.lost:
            raise LeaseLost(self.key)
        if self._stopping.is_set():
            raise GivenBack(self.key)

    def _write(self, **values: Any) -> None:
        now = datetime.now(UTC)
        if "lease_until" not in values:
            values |= {"lease_until": now + self._lease, "heartbeat_at": now}
        mine = Job.objects.filter(pk=self._job.pk, fence=self._job.fence, state=Job.State.RUNNING)
        if mine.filter(cancel_requested=False).update(**values):
            return
        if mine.exists():
            raise JobCancelled(self.key)
        self.lost = True
        raise LeaseLost(self.key)
