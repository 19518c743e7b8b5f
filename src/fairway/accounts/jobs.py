"""Who sees jobs, and what they can do to them; in accounts, since that asks for permissions."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db.models import QuerySet

from fairway.accounts import queries
from fairway.audit.commands import Command, Plan
from fairway.jobs import queries as jobs
from fairway.jobs.queries import Job
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, NotFound


def seen(actor: Actor) -> QuerySet[Job]:
    """Return the jobs that the actor asked for, and those of organisations whose jobs they may see."""
    return jobs.jobs(organisations=queries.places(actor, "jobs.view"), own=actor.pk)


def job(actor: Actor, reference: str, *, lock: bool = False) -> Job:
    """Return a job by key or uid: one's own, or one of what one sees.

    :raises NotFound: there is none, or it is another branch's.
    """
    lookup = Job.lookup(reference)
    around = jobs.jobs(organisations=queries.access(actor).organisations, own=actor.pk)
    found = around.filter(**lookup) if lookup else Job.objects.none()
    if lock:
        found = found.select_for_update(of=("self",))
    one = found.first()
    if one is None:
        raise NotFound(f"There is no job “{reference}”.")
    return one


def read(actor: Actor, reference: str) -> Job:
    """Return a job to be shown.

    :raises NotFound: there is none, or it is another branch's. :raises Forbidden: it is somebody else's.
    """
    one = job(actor, reference)
    if one.user_id is None or one.user_id != actor.pk:
        queries.require(actor, "jobs.view", at=_place(one))
    return one


def may_manage(actor: Actor, found: Job) -> bool:
    """Say whether the actor may cancel, repeat or discard it: their own, and where they manage jobs."""
    return _own(actor, found) or queries.access(actor).may("jobs.manage", _place(found))


def _own(actor: Actor, found: Job) -> bool:
    return found.user_id is not None and found.user_id == actor.pk and actor.scopes is None


def _place(found: Job) -> int:
    return found.organisation_id if found.organisation_id is not None else -1  # the whole tree's


class _Step(Command):
    """What is done to one job; `permission` is empty: one's own jobs need none."""

    job: str

    def found(self, actor: Actor, *, lock: bool) -> Job:
        """:raises Forbidden: it is somebody else's, and the actor may not manage jobs there."""
        one = job(actor, self.job, lock=lock)
        if not _own(actor, one):
            queries.require(actor, "jobs.manage", at=_place(one))
        return one


class RetryJob(_Step, name="jobs.job.retry"):
    """Run a job again that failed or was cancelled; it goes on from what it kept."""

    permission: ClassVar[str] = "jobs.manage"

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        one = self.found(actor, lock=lock)
        if one.state not in {"failed", "cancelled"}:
            raise Conflict(
                f"{one.key} is {one.state}; only what failed or was cancelled can be run again.",
                code="jobs.job.state",
            )
        fresh = {
            "state": "ready", "attempts": 0, "run_after": at, "finished_at": None, "cancel_requested": False,
            "error": "", "trace": "",
        }  # fmt: skip
        return Plan(subject=one, change=[(one, fresh)])


class CancelJob(_Step, name="jobs.job.cancel"):
    """Cancel a job: at once while it waits; one that runs stops where it next can."""

    permission: ClassVar[str] = "jobs.manage"

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        one = self.found(actor, lock=lock)
        if one.state == "ready":
            return Plan(subject=one, change=[(one, {"state": "cancelled", "finished_at": at})])
        if one.state != "running":
            raise Conflict(f"{one.key} is {one.state}; it is over.", code="jobs.job.state")
        return Plan(subject=one, change=[(one, {"cancel_requested": True})])


class DiscardJob(_Step, name="jobs.job.discard"):
    """Lay a failed job aside for good: it is cancelled, and swept a month later."""

    permission: ClassVar[str] = "jobs.manage"

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        one = self.found(actor, lock=lock)
        if one.state != "failed":
            raise Conflict(
                f"{one.key} is {one.state}; only what failed can be discarded.", code="jobs.job.state"
            )
        return Plan(subject=one, change=[(one, {"state": "cancelled", "finished_at": at})])
