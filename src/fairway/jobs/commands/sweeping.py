"""House-keeping: jobs that ended well are kept for a month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fairway.jobs import queries
from fairway.jobs.commands.asking import task
from fairway.jobs.commands.handling import JobContext
from fairway.jobs.commands.ticking import every

KEPT = timedelta(days=30)


@task(title="Sweep ended jobs")
def sweep(context: JobContext) -> dict[str, int]:
    """Delete jobs that ended well a month ago, a thousand at a time; dead letters stay."""
    count = 0
    while some := list(queries.stale(datetime.now(UTC), kept=KEPT).values_list("pk", flat=True)[:1000]):
        with context.transaction():
            count += queries.stale(datetime.now(UTC), kept=KEPT).filter(pk__in=some).delete()[0]
    return {"deleted": count}


every("jobs.sweep", timedelta(days=1), sweep, offset=timedelta(hours=2))
