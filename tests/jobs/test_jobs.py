"""One job after the other, here and now: how each ends, and what stays of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from django.db import IntegrityError, transaction
from django_tasks.base import TaskResultStatus
from hypothesis import given
from hypothesis import strategies as st

from fairway.accounts import queries as accounts
from fairway.accounts.commands import CreateTeam, SetUserActive
from fairway.accounts.jobs import CancelJob, DiscardJob, RetryJob
from fairway.accounts.models import Team
from fairway.audit.commands import Command, Plan, execute
from fairway.audit.queries import history
from fairway.jobs.commands import JobContext, LeaseLost, drain, enqueue, queued, sweep, working
from fairway.jobs.commands.handling import GivenBack, JobCancelled
from fairway.jobs.commands.ticking import _schedules, every, tick
from fairway.jobs.models import Clock, Job
from fairway.jobs.rules import back_off, last_tick, next_tick
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Conflict, Forbidden, NotFound
from tests.jobs import tasks
from tests.support.company import Company

NOW = datetime(2031, 3, 4, 12, tzinfo=UTC)
LEASE = timedelta(seconds=30)


class AskToAdd(Command):
    """Ask for a sum, or think better of it after asking."""

    command: ClassVar[str] = "test.sum.ask"
    spoil: bool = False

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        job = queued(tasks.add, {"left": 1, "right": 2}, actor=actor, organisation=None)
        twice = [Team(slug="same", name="Same", organisation=accounts.root()) for _ in range(2)]
        return Plan(subject=job, create=[job, *(twice if self.spoil else ())])


def again(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def claimed(at: datetime = NOW) -> Job:
    found = working.claim("default", owner="test", lease=LEASE, now=at)
    assert found is not None
    return found


def test_a_command_asks_for_a_job_within_what_it_writes(company: Company) -> None:
    outcome = execute(AskToAdd(), actor=company.boss)
    assert outcome.subject is not None
    assert drain() == 1
    job = Job.objects.get(**(Job.lookup(outcome.subject.key) or {}))
    assert (job.state, job.result, job.attempts, job.user_id) == ("done", 3, 1, company.boss.pk)
    event = history(organisations=None, limit=1)[0]
    assert event["subject"]["key"] == job.key
    assert "arguments" not in event["rows"][0]["changes"]


def test_a_command_that_is_undone_leaves_no_job(company: Company) -> None:
    with pytest.raises(Exception, match=r"UNIQUE|unique"):
        execute(AskToAdd(spoil=True), actor=company.boss)
    assert not Job.objects.exists()


def test_the_django_tasks_api_asks_and_answers(company: Company) -> None:
    asked = tasks.add.using(priority=5).enqueue(left=2, right=3)
    assert asked.status == TaskResultStatus.READY
    drain()
    asked.refresh()
    assert (asked.status, asked.return_value) == (TaskResultStatus.SUCCESSFUL, 5)
    assert tasks.add.get_result(asked.id).is_finished


def test_arguments_that_the_task_does_not_take_are_refused_when_asking(company: Company) -> None:
    with pytest.raises(TypeError, match="sideways"):
        enqueue(tasks.add, {"left": 1, "right": 1, "sideways": 2})


def test_jobs_go_by_priority_then_by_time_and_not_before_they_are_due(company: Company) -> None:
    for title, priority, minutes in (("b", 0, 2), ("c", 0, 1), ("a", 9, 3), ("later", 99, 60)):
        enqueue(
            tasks.add, {"left": 0, "right": 0}, title=title, priority=priority,
            run_after=NOW + timedelta(minutes=minutes),
        )  # fmt: skip
    order = [claimed(NOW + timedelta(minutes=5)).title for _ in range(3)]
    assert order == ["a", "c", "b"]
    assert working.claim("default", owner="test", lease=timedelta(hours=1), now=NOW) is None


@pytest.mark.parametrize(
    ("how", "attempts", "told"),
    [
        ("fault", [1, 2, 3], "RuntimeError: the disk is full"),
        ("busy", [1, 2, 3], "Many are writing."),
        ("problem", [1], "Row 7 has no key."),
    ],
)
def test_what_may_pass_is_tried_again_and_what_will_not_is_laid_aside(
    company: Company, how: str, attempts: list[int], told: str
) -> None:
    job = enqueue(tasks.fail, {"how": how})
    assert drain() == 1
    if len(attempts) > 1:
        waiting = again(job)
        wait = waiting.run_after - datetime.now(UTC)
        assert waiting.state == "ready"
        assert timedelta(0) < wait < timedelta(seconds=4)
    drain(now=datetime.now(UTC) + timedelta(days=1))
    ended = again(job)
    assert tasks.tried == attempts
    assert (ended.state, ended.error) == ("failed", told)
    assert told.split(": ")[-1] in ended.trace


def test_a_later_attempt_goes_on_where_the_last_commit_stopped(company: Company) -> None:
    job = enqueue(tasks.count_up, {"to": 5, "break_at": 3}, actor=company.boss)
    drain()
    broken = again(job)
    assert (broken.checkpoint, broken.done, broken.total) == ({"next": 3}, 3, 5)
    drain(now=datetime.now(UTC) + timedelta(days=1))
    done = again(job)
    assert (done.state, done.result, done.done, done.text) == ("done", {"made": 5}, 5, "team-4")
    made = [e["subject"]["key"] for e in history(organisations=None, command="accounts.team.create")]
    assert sorted(made) == [f"team-{number}" for number in range(5)]


def test_effect_and_end_are_one_transaction(company: Company) -> None:
    job = enqueue(tasks.finish_with_effect, {}, actor=company.boss)
    drain()
    assert (again(job).state, again(job).result) == ("done", {"made": 1})
    assert Team.objects.filter(slug="once").exists()


def test_who_lost_the_lease_writes_neither_effect_nor_end(company: Company) -> None:
    enqueue(tasks.add, {"left": 1, "right": 1})
    first = claimed()
    late = JobContext(first, lease=LEASE)
    second = claimed(NOW + timedelta(minutes=1))
    assert (second.pk, second.fence, second.attempts) == (first.pk, first.fence + 1, 2)
    with pytest.raises(LeaseLost), late.transaction():
        execute(CreateTeam(slug="late", name="Late", organisation="retail"), actor=company.boss)
    assert not Team.objects.filter(slug="late").exists()
    for write in (late.keep, late.beat, lambda: late.finish("mine")):
        with pytest.raises(LeaseLost):
            write()
    working.run(first, late)  # as if it came to its end
    assert again(second).state == "running"
    working.run(second, JobContext(second, lease=LEASE))
    assert (again(second).state, again(second).result) == ("done", 2)


def test_a_job_that_takes_its_worker_down_each_time_is_laid_aside(company: Company) -> None:
    job = enqueue(tasks.add, {"left": 1, "right": 1})
    for minutes in range(3):
        claimed(NOW + timedelta(minutes=minutes))
    drain(now=NOW + timedelta(minutes=9))
    assert (again(job).state, again(job).error) == ("failed", "Its worker was lost 3 times.")


def test_a_running_job_learns_that_it_is_to_be_cancelled(company: Company) -> None:
    job = enqueue(tasks.count_up, {"to": 3, "break_at": 9}, actor=company.boss)
    running = claimed()
    Job.objects.filter(pk=job.pk).update(cancel_requested=True)
    with pytest.raises(JobCancelled):
        JobContext(running, lease=LEASE).keep()
    working.run(running, JobContext(running, lease=LEASE))
    assert again(job).state == "cancelled"
    assert not Team.objects.filter(slug__startswith="team-").exists()


def test_a_worker_that_is_stopped_gives_its_job_back_with_what_was_kept(company: Company) -> None:
    job = enqueue(tasks.count_up, {"to": 3, "break_at": 9}, actor=company.boss)
    running = claimed()
    context = JobContext(running, lease=LEASE)
    context.state["next"] = 1
    context.keep()
    context._stopping.set()
    with pytest.raises(GivenBack):
        context.progress(1)
    working.run(running, context)
    back = again(job)
    assert (back.state, back.attempts, back.checkpoint, back.lease_owner) == ("ready", 0, {"next": 1}, "")


def test_a_job_runs_with_what_its_person_may_at_that_time(company: Company) -> None:
    job = enqueue(tasks.count_up, {"to": 1, "break_at": 9}, actor=company.vera)
    drain()
    assert again(job).state == "failed"
    assert "accounts.invite" in again(job).error
    left = enqueue(tasks.count_up, {"to": 1, "break_at": 9}, actor=company.vera)
    execute(SetUserActive(user=company.vera.uid, active=False), actor=SYSTEM)
    drain()
    assert "was deactivated" in again(left).error


def test_one_living_job_of_a_key(company: Company) -> None:
    job = enqueue(tasks.add, {"left": 1, "right": 1}, unique_key="nightly")
    with pytest.raises(IntegrityError), transaction.atomic():
        enqueue(tasks.add, {"left": 1, "right": 1}, unique_key="nightly")
    drain()
    assert enqueue(tasks.add, {"left": 1, "right": 1}, unique_key="nightly").pk != job.pk


def test_a_task_that_is_gone_is_laid_aside(company: Company) -> None:
    job = enqueue(tasks.add, {"left": 1, "right": 1})
    Job.objects.filter(pk=job.pk).update(task="fairway.jobs.commands.drain")
    assert drain() == 1
    assert again(job).state == "failed"
    assert "is no task" in again(job).error


def test_a_clock_ticks_once_for_all_who_look_and_waits_for_its_last_job(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fairway.jobs.commands.ticking._schedules", {})
    every("test", timedelta(minutes=10), tasks.finish_with_effect)
    look: Callable[[int], int] = lambda minutes: tick(NOW + timedelta(minutes=minutes), {})  # noqa: E731
    assert [look(0), look(9)] == [0, 0], "a new clock starts with its next tick"
    assert [look(10), look(10), look(19)] == [1, 0, 0]
    assert look(25) == 0, "the last job still waits"
    assert Clock.objects.get(name="test").ticked_at == NOW + timedelta(minutes=20)
    Job.objects.update(state="done")
    assert [look(29), look(70), look(71)] == [0, 1, 0], "ticks that were missed are made up once"
    assert _schedules is not None


instants = st.integers(6 * 10**8, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
spans = st.integers(1, 10**6).map(lambda seconds: timedelta(seconds=seconds))


@given(now=instants, every=spans, offset=spans)
def test_ticks_stand_a_period_apart_around_now(now: datetime, every: timedelta, offset: timedelta) -> None:
    last, following = last_tick(now, every=every, offset=offset), next_tick(now, every=every, offset=offset)
    assert last <= now < following == last + every
    assert last_tick(last, every=every, offset=offset) == last


@pytest.mark.parametrize(("attempt", "least", "most"), [(1, 1, 3), (2, 4, 12), (3, 16, 48), (30, 1800, 5400)])
def test_back_off_grows_and_spreads(attempt: int, least: int, most: int) -> None:
    spread: list[Any] = [back_off(attempt, chance).total_seconds() for chance in (0.0, 0.5, 1.0)]
    assert spread == [least, (least + most) / 2, most]


def test_what_failed_is_run_again_or_discarded_and_what_waits_is_cancelled(company: Company) -> None:
    rita = company.rita
    place = accounts.organisation(rita, "retail").pk
    lost = enqueue(tasks.fail, {"how": "problem"}, actor=company.vera, organisation=place)
    drain()
    with pytest.raises(Forbidden):
        execute(RetryJob(job=lost.key), actor=replace(company.vera, scopes=frozenset({"audit.view"})))
    execute(RetryJob(job=lost.key), actor=company.vera)
    assert (again(lost).state, again(lost).error) == ("ready", "")
    execute(CancelJob(job=lost.key), actor=rita)
    with pytest.raises(Conflict, match="is cancelled; it is over"):
        execute(CancelJob(job=lost.key), actor=rita)
    assert drain() == 0
    execute(RetryJob(job=lost.key), actor=rita)
    drain()
    execute(DiscardJob(job=lost.key), actor=rita)
    assert again(lost).state == "cancelled"
    with pytest.raises(NotFound):
        execute(RetryJob(job=lost.key), actor=company.carl)
    running = enqueue(tasks.add, {"left": 1, "right": 1}, actor=rita, organisation=place)
    claimed(datetime.now(UTC))
    execute(CancelJob(job=running.key), actor=rita)
    assert again(running).cancel_requested


def test_what_ended_well_a_month_ago_is_swept_and_dead_letters_stay(company: Company) -> None:
    old, dead, fresh = (enqueue(tasks.add, {"left": 1, "right": 1}) for _ in range(3))
    long_ago = datetime.now(UTC) - timedelta(days=31)
    Job.objects.filter(pk=old.pk).update(state="done", finished_at=long_ago)
    Job.objects.filter(pk=dead.pk).update(state="failed", finished_at=long_ago)
    enqueue(sweep, {})
    drain()
    assert {job.pk for job in (old, dead, fresh)} & set(Job.objects.values_list("pk", flat=True)) == {
        dead.pk, fresh.pk,
    }  # fmt: skip
