"""Asking for jobs, and doing them; see docs/jobs.md.

    @task(title="Import of a file")
    def import_rows(context: JobContext, upload: str) -> dict[str, int]: ...

A command asks for one as part of what it writes: `Plan(create=[queued(import_rows, …)])`; others call
`enqueue`. Workers see it once the transaction commits.
"""

from fairway.jobs.backend import Task as Task
from fairway.jobs.commands import delivering as delivering
from fairway.jobs.commands.asking import enqueue as enqueue
from fairway.jobs.commands.asking import queued as queued
from fairway.jobs.commands.asking import rearm as rearm
from fairway.jobs.commands.asking import task as task
from fairway.jobs.commands.handling import JobCancelled as JobCancelled
from fairway.jobs.commands.handling import JobContext as JobContext
from fairway.jobs.commands.handling import LeaseLost as LeaseLost
from fairway.jobs.commands.sweeping import sweep as sweep
from fairway.jobs.commands.ticking import Schedule as Schedule
from fairway.jobs.commands.ticking import every as every
from fairway.jobs.commands.ticking import schedules as schedules
from fairway.jobs.commands.working import LANES as LANES
from fairway.jobs.commands.working import Worker as Worker
from fairway.jobs.commands.working import drain as drain
from fairway.jobs.commands.working import feeder as feeder
