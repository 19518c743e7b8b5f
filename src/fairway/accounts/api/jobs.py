"""Jobs over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Path, Query

from fairway.accounts import jobs
from fairway.accounts.api.shared import KeyPath
from fairway.accounts.web import ApiController, DryRun, RefView, operation
from fairway.audit.commands import Command
from fairway.jobs.queries import JOBS, Job, JobQuery
from fairway.kernel.api import list_of
from fairway.kernel.listing import Page


class JobView(msgspec.Struct, kw_only=True):
    """`state`: ready, running, done, failed or cancelled; `done` of `total` (null: not known) is how far."""

    key: str
    uid: str
    title: str
    task: str
    queue: str
    priority: int
    state: str
    attempts: int
    most_attempts: int
    created_at: datetime
    run_after: datetime
    started_at: datetime | None
    finished_at: datetime | None
    done: int
    total: int | None
    text: str
    result: Any
    error: str
    cancel_requested: bool
    asked_by: RefView | None
    organisation: str | None
    version: int


JobList = list_of(JobView)


def job_view(row: dict[str, Any]) -> JobView:
    asked = None
    if row["user__number"]:
        asked = RefView(
            kind="user", key=f"USR-{row['user__number']}", name=row["user__name"], uid=str(row["user__uid"])
        )
    same = [name for name in JobView.__struct_fields__ if name in JOBS.values]
    return JobView(
        key=f"JOB-{row['number']}",
        uid=str(row["uid"]),
        asked_by=asked,
        organisation=row["organisation__slug"],
        **{name: row[name] for name in same},
    )


class JobsController(ApiController):
    """One's own jobs, and those of organisations where one may see them."""

    @operation("", JobList, files=True)
    def get(self, parsed_query: Query[JobQuery]) -> HttpResponseBase:
        def read(query: JobQuery) -> tuple[Page, list[JobView]]:
            page = JOBS.page(jobs.seen(self.actor), query)
            return page, [job_view(row) for row in page.rows]

        return self.listed(parsed_query, read, JobView.__struct_fields__)


class _Controller(ApiController):
    is_abstract = True

    def told(self, key: str) -> HttpResponse:
        found = jobs.read(self.actor, key)
        row = Job.objects.filter(pk=found.pk).values("uid", *JOBS.values)[0]
        return self.answer(job_view(row), version=found.version)

    def step(self, command: Command, key: str, query: DryRun) -> HttpResponse:
        if query.dry_run:
            return self.preview(command)
        self.run(command)
        return self.told(key)


class JobController(_Controller):
    """One job: how far it is, and how it ended."""

    @operation("", JobView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        return self.told(parsed_path.key)


class RetryController(_Controller):
    """Running again what failed."""

    @operation("", JobView, etag=True, dry_run=True)
    def post(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Run it again, from what it kept; one's own, or with jobs.manage."""
        return self.step(jobs.RetryJob(job=parsed_path.key), parsed_path.key, parsed_query)


class CancelController(_Controller):
    """Cancelling what waits or runs."""

    @operation("", JobView, etag=True, dry_run=True)
    def post(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Cancel it; one's own, or with jobs.manage."""
        return self.step(jobs.CancelJob(job=parsed_path.key), parsed_path.key, parsed_query)


class DiscardController(_Controller):
    """Laying aside what failed."""

    @operation("", JobView, etag=True, dry_run=True)
    def post(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Discard it; one's own, or with jobs.manage."""
        return self.step(jobs.DiscardJob(job=parsed_path.key), parsed_path.key, parsed_query)


urls = [
    path("jobs", JobsController.as_view(), name="jobs"),
    path("jobs/<str:key>", JobController.as_view(), name="job"),
    path("jobs/<str:key>/retry", RetryController.as_view(), name="job-retry"),
    path("jobs/<str:key>/cancel", CancelController.as_view(), name="job-cancel"),
    path("jobs/<str:key>/discard", DiscardController.as_view(), name="job-discard"),
]
