"""Clocks: each tick makes one job, however many workers look at the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from fairway.jobs.backend import Task, job_of, stored
from fairway.jobs.models import Clock
from fairway.jobs.rules import last_tick, next_tick

_schedules: dict[str, Schedule] = {}


@dataclass(frozen=True, slots=True)
class Schedule:
    """`offset`: from midnight UTC, for what ticks daily."""

    name: str
    task: Task[..., Any]
    every: timedelta
    offset: timedelta = timedelta(0)

    def last(self, now: datetime) -> datetime:
        return last_tick(now, every=self.every, offset=self.offset)

    def next(self, now: datetime) -> datetime:
        return next_tick(now, every=self.every, offset=self.offset)


def every(name: str, interval: timedelta, task: Task[..., Any], *, offset: timedelta = timedelta(0)) -> None:
    """Have a task without arguments done every so often; ticks missed while nobody worked are made up once.

    A tick is left out while the job of an earlier one still waits or runs.
    """
    _schedules[name] = Schedule(name, task, interval, offset)


def schedules() -> Mapping[str, Schedule]:
    """Return all clocks by name."""
    return dict(sorted(_schedules.items()))


def tick(now: datetime, seen: dict[str, datetime]) -> int:
    """Make the jobs of all ticks that are due and say how many; `seen`: what this worker knows of."""
    made = 0
    for schedule in _schedules.values():
        due = schedule.last(now)
        if seen.get(schedule.name) != due:
            made += _tick(schedule, due)
            seen[schedule.name] = due
    return made


def _tick(schedule: Schedule, due: datetime) -> bool:
    """Move the clock on; who does makes the job, in the same transaction."""
    try:
        with transaction.atomic():
            moved = Clock.objects.filter(name=schedule.name, ticked_at__lt=due).update(ticked_at=due)
            if not moved:
                # A clock that was never looked at starts now: its first job comes with the next tick.
                Clock.objects.bulk_create([Clock(name=schedule.name, ticked_at=due)], ignore_conflicts=True)
                return False
            stored(job_of(schedule.task, {}, unique_key=f"clock:{schedule.name}", run_after=due))
            return True
    except IntegrityError:  # the last one is still at work
        Clock.objects.filter(name=schedule.name, ticked_at__lt=due).update(ticked_at=due)
        return False
