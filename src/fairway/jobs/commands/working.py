"""Workers: they claim jobs under leases, run them, and keep the leases of what they run."""

from __future__ import annotations

import logging
import os
import random
import secrets
import socket
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import DatabaseError, close_old_connections, connection, connections, transaction

from fairway.jobs.backend import QUEUES, task_named
from fairway.jobs.commands.handling import GivenBack, JobCancelled, JobContext, LeaseLost
from fairway.jobs.commands.ticking import tick
from fairway.jobs.models import Job
from fairway.jobs.rules import back_off
from fairway.kernel.errors import Busy, Problem
from fairway.kernel.watching import EVENTS, JOBS, Watcher, watcher

log = logging.getLogger("fairway.jobs")
LEASE = timedelta(seconds=30)
LANES: Mapping[str, int] = {"default": 2, "webhooks": 2}
"""How many jobs of each queue one worker runs at a time."""
LOOK = 1.0
"""Seconds between two looks at what became due by time alone: retries, ticks, leases that ran out."""
GRACE = 10.0
"""Seconds that running jobs have, when the worker is stopped, to reach a point where they can be left."""
_feeders: list[Callable[[datetime], None]] = []
_chance = random.Random()  # noqa: S311 - spreads retries, keeps no secret


def feeder(feed: Callable[[datetime], None]) -> Callable[[datetime], None]:
    """Register what makes jobs of news: every worker calls it when something was written, and each second."""
    _feeders.append(feed)
    return feed


def claim(queue: str, *, owner: str, lease: timedelta, now: datetime) -> Job | None:
    """Take the next job of a queue under a new lease; None where there is none.

    First those whose worker is gone, then what is ready, by priority and time.
    """
    lost = Job.objects.filter(queue=queue, state=Job.State.RUNNING, lease_until__lt=now).order_by(
        "lease_until"
    )
    ready = Job.objects.filter(queue=queue, state=Job.State.READY, run_after__lte=now)
    ready = ready.order_by("-priority", "run_after", "id")
    for some in (lost, ready):
        # On SQLite a transaction takes the one writer's turn: look first.
        if connection.vendor == "sqlite" and not some.exists():
            continue
        with transaction.atomic():
            found = some.select_for_update(skip_locked=True, of=("self",)).first()
            if found is None:
                continue
            found.fence += 1
            found.attempts += 1
            found.state, found.lease_owner = Job.State.RUNNING, owner
            found.started_at = found.heartbeat_at = now
            found.lease_until = now + lease
            found.save(
                update_fields=[
                    "fence", "attempts", "state", "lease_owner", "started_at", "heartbeat_at", "lease_until",
                ]
            )  # fmt: skip
            return found
    return None


def run(job: Job, context: JobContext) -> None:
    """Run a claimed job and write how it ended, unless its lease was lost meanwhile."""
    try:
        if job.attempts > job.most_attempts:
            _end(job, Job.State.FAILED, error=f"Its worker was lost {job.most_attempts} times.")
            return
        if job.cancel_requested:
            raise JobCancelled(job.key)
        result = task_named(job.task).func(context, **job.arguments)
    except LeaseLost:
        log.warning("%s went on elsewhere: the lease was lost", job.key)
    except JobCancelled:
        _end(job, Job.State.CANCELLED)
    except GivenBack:
        give_back(job)
    except BaseException as error:
        _failed(job, error)
        if not isinstance(error, Exception):
            raise
    else:
        if not context.finished:
            _end(job, Job.State.DONE, result=result, **context._progress())


def give_back(job: Job) -> None:
    """Let another worker take the job at once; the attempt does not count."""
    _mine(job).update(
        state=Job.State.READY, attempts=job.attempts - 1, lease_owner="", lease_until=None,
        fence=job.fence + 1,
    )  # fmt: skip


def _mine(job: Job) -> Any:
    return Job.objects.filter(pk=job.pk, fence=job.fence, state=Job.State.RUNNING)


def _end(job: Job, state: Job.State, *, error: str = "", trace: str = "", **values: Any) -> None:
    """Write the end under the lease's number: who lost it writes nothing."""
    written = _mine(job).update(
        state=state, finished_at=datetime.now(UTC), lease_owner="", lease_until=None,
        error=error, trace=trace, **values,
    )  # fmt: skip
    if not written:
        log.warning("%s ended here after its lease was lost; nothing was written", job.key)


def _failed(job: Job, error: BaseException) -> None:
    """Have it tried again, or lay it aside where that cannot help."""
    trace = "".join(traceback.format_exception(error))[-8000:]
    told = error.detail if isinstance(error, Problem) else f"{type(error).__name__}: {error}"
    final = isinstance(error, Problem | LookupError | TypeError) and not isinstance(error, Busy)
    if final or job.attempts >= job.most_attempts:
        _end(job, Job.State.FAILED, error=told[:2000], trace=trace)
        return
    _mine(job).update(
        state=Job.State.READY, run_after=datetime.now(UTC) + back_off(job.attempts, _chance.random()),
        lease_owner="", lease_until=None, error=told[:2000], trace=trace,
    )  # fmt: skip


def drain(*, now: datetime | None = None, most: int = 1000) -> int:
    """Run what is ready, here and now, one after the other, and say how many; for tests and tools.

    `now`: as if it were this instant, which makes retries due.
    """
    owner = _name()
    for count in range(most):
        at = now or datetime.now(UTC)
        found = next(filter(None, (claim(queue, owner=owner, lease=LEASE, now=at) for queue in QUEUES)), None)
        if found is None:
            return count
        run(found, JobContext(found, lease=LEASE))
    return most


class Worker:
    """Runs jobs in threads, several of each queue at a time, until it is told to stop."""

    def __init__(self, *, lanes: Mapping[str, int] = LANES, lease: timedelta = LEASE) -> None:
        self.name = _name()
        self._lanes, self._lease = lanes, lease
        self._stop = threading.Event()
        self._news = threading.Condition()
        self._running: dict[int, tuple[Job, JobContext]] = {}
        self._lock = threading.Lock()
        self._seen: dict[str, datetime] = {}
        self._nudge = threading.Event()

    def stop(self) -> None:
        """Take no more jobs, and give back what runs as soon as it lets go."""
        self._stop.set()
        with self._news:
            self._news.notify_all()

    def run(self) -> None:
        """Work until `stop` is called from another thread or a signal handler."""
        lanes = [
            threading.Thread(target=self._guarded, args=(self._lane, queue), name=f"{queue}-{n}", daemon=True)
            for queue, many in self._lanes.items()
            for n in range(many)
        ]
        keeper = threading.Thread(target=self._guarded, args=(self._keep_leases,), daemon=True)
        for thread in (*lanes, keeper):
            thread.start()
        self._guarded(self._look_out)
        limit = time.monotonic() + GRACE
        for thread in (*lanes, keeper):
            thread.join(max(0.0, limit - time.monotonic()))
        with self._lock:
            left = list(self._running.values())
        for job, context in left:
            context.lost = True
            give_back(job)
        connections.close_all()

    def _guarded(self, work: Callable[..., None], *arguments: Any) -> None:
        """Repeat what a thread does when the database went away meanwhile."""
        while not self._stop.is_set():
            try:
                work(*arguments)
            except DatabaseError:
                log.exception("the database did not answer; trying again")
                connections.close_all()
                self._stop.wait(1.0)
        connections.close_all()

    def _look_out(self) -> None:
        """Wake the lanes when there is something to do; make the jobs of clocks and of news."""
        watching: Watcher = watcher(EVENTS, JOBS)
        try:
            while not self._stop.is_set():
                now = datetime.now(UTC)
                tick(now, self._seen)
                for feed in _feeders:
                    feed(now)
                if _due(tuple(self._lanes), now):
                    with self._news:
                        self._news.notify_all()
                if watching.wait(LOOK):
                    self._stop.wait(0.02)  # what was written together is looked at together
        finally:
            watching.close()

    def _lane(self, queue: str) -> None:
        while not self._stop.is_set():
            close_old_connections()
            job = claim(queue, owner=self.name, lease=self._lease, now=datetime.now(UTC))
            if job is None:
                with self._news:
                    if not self._stop.is_set():
                        self._news.wait(30.0)
                continue
            context = JobContext(job, lease=self._lease, stopping=self._stop)
            with self._lock:
                self._running[job.pk] = (job, context)
            try:
                run(job, context)
            finally:
                with self._lock:
                    self._running.pop(job.pk, None)

    def _keep_leases(self) -> None:
        """Make the leases of what runs here last; learn which were lost, and which are to be cancelled."""
        while not self._stop.wait(self._lease.total_seconds() / 3):
            with self._lock:
                held = list(self._running.values())
            now = datetime.now(UTC)
            for job, context in held:
                with transaction.atomic():
                    # Locked by its own transaction it cannot be taken over, and that makes the lease last.
                    row = Job.objects.select_for_update(skip_locked=True).filter(pk=job.pk).first()
                    if row is None:
                        continue
                    if row.fence != job.fence or row.state != Job.State.RUNNING:
                        context.lost = not context.finished
                        continue
                    Job.objects.filter(pk=job.pk).update(lease_until=now + self._lease, heartbeat_at=now)


def _due(queues: tuple[str, ...], now: datetime) -> bool:
    """Say whether a job could be claimed now; two look-ups in small indexes."""
    ready = Job.objects.filter(queue__in=queues, state=Job.State.READY, run_after__lte=now)
    return ready.exists() or Job.objects.filter(state=Job.State.RUNNING, lease_until__lt=now).exists()


def _name() -> str:
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(3)}"
