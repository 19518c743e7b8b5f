"""The work on an import: a batch at a time, so that it can stop anywhere and go on from there.

A batch, its lines and the position behind it commit together: whoever takes the work over after a crash
neither leaves a row out nor stores one twice.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from fairway.exchange.entries import Entry, Load, Options, Phase, run
from fairway.exchange.models import ImportLine, ImportRun
from fairway.exchange.queries import LIVING
from fairway.jobs.commands import JobContext, every, task
from fairway.kernel import blobs
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Busy, Conflict, Problem

LINE_LIMIT: Final = 5_000
"""Rows of each result that are kept with what came of them."""


@task(title="Import of a file", attempts=20)
def carry_out(context: JobContext, run: str, dry_run: bool) -> dict[str, Any]:
    """Check a file, or import it, from where an earlier attempt stopped."""
    work = ImportRun.objects.select_related("blob").get(uid=run)
    if work.state == ImportRun.State.FAILED:  # the job is tried again
        work.state = ImportRun.State.CHECKING if dry_run else ImportRun.State.IMPORTING
        again = ImportRun.objects.filter(pk=work.pk, attempt=work.attempt, state=ImportRun.State.FAILED)
        again.update(state=work.state, error="", finished_at=None)
    try:
        load = opened(work, context.actor)
        proceed(
            work,
            load,
            actor=lambda: context.actor,
            dry_run=dry_run,
            transaction=context.transaction,
            told=lambda: context.progress(work.position, load.total, "rows"),
        )
    except Busy:
        raise
    except Problem as problem:
        failed(work, problem)
        raise
    return dict(work.counts)


@task(title="Sweep files that nobody refers to")
def sweep_files(context: JobContext) -> dict[str, int]:
    """Remove the bytes of uploads whose record never came, or is gone."""
    return {"removed": blobs.sweep(datetime.now(UTC) - timedelta(days=2))}


every("exchange.files", timedelta(days=1), sweep_files, offset=timedelta(hours=4))


def opened(work: ImportRun, actor: Actor) -> Load:
    """Read an import's file to its end.

    :raises Invalid: it cannot be.
    """
    return Load(blobs.opened(work.blob), Options(**work.options), actor)


def proceed(
    work: ImportRun,
    load: Load,
    *,
    actor: Callable[[], Actor],
    dry_run: bool,
    transaction: Callable[[], AbstractContextManager[Any]] = transaction.atomic,
    told: Callable[[], None] = lambda: None,
) -> None:
    """Work through a file from the position on, and note how the import stands."""
    begun = work.position
    if begun == 0:
        with transaction():
            _hold(work)
            ImportLine.objects.filter(run=work).delete()
            work.counts, work.total = {}, load.total
            work.notes = [str(note) for note in load.notes]
            _keep(work, "counts", "total", "notes")
    done = 0
    for phase, batch in load.batches():
        done += len(batch)
        if done <= begun:
            continue
        at = datetime.now(UTC)
        if dry_run:
            run(phase, batch, actor=actor(), at=at, dry_run=True)  # outside: it takes no lock
        before = dict(work.counts)
        with transaction():
            _hold(work)
            if not dry_run:
                run(phase, batch, actor=actor(), at=at, dry_run=False)
            work.counts = _counted(before, batch)
            work.position = done
            ImportLine.objects.bulk_create(_lines(work, phase, batch, before), batch_size=100)
            _keep(work, "counts", "position")
        told()
    work.state = ImportRun.State.CHECKED if dry_run else ImportRun.State.DONE
    work.finished_at = datetime.now(UTC)
    if not _keep(work, "state", "finished_at"):
        raise _taken()


def failed(work: ImportRun, problem: Problem) -> None:
    """Note that an import cannot go on, unless somebody else goes on with it."""
    work.state, work.error = ImportRun.State.FAILED, problem.detail[:2_000]
    work.finished_at = datetime.now(UTC)
    _keep(work, "state", "error", "finished_at")


def _hold(work: ImportRun) -> None:
    """Hold an import till the transaction ends, as one that is still this attempt's.

    :raises Conflict: it was cancelled, or begun anew.
    """
    held = _own(work).filter(position=work.position).select_for_update(no_key=True)
    if not held.values_list("pk").first():
        raise _taken()


def _taken() -> Conflict:
    return Conflict("This import was cancelled, or begun anew elsewhere.", code="exchange.import.state")


def _own(work: ImportRun) -> QuerySet[ImportRun]:
    """Return the import as long as it is this attempt's."""
    return ImportRun.objects.filter(pk=work.pk, attempt=work.attempt, state__in=LIVING)


def _keep(work: ImportRun, *names: str) -> bool:
    """Write what this attempt found; say whether it is still its own."""
    return _own(work).update(**{name: getattr(work, name) for name in names}) == 1


def _counted(before: dict[str, int], batch: list[Entry]) -> dict[str, int]:
    counts = dict(before)
    for entry in batch:
        result = "refused" if entry.faults else entry.result
        counts[result] = counts.get(result, 0) + 1
        if entry.warned and not entry.faults:
            counts["warned"] = counts.get("warned", 0) + 1
    return counts


def _lines(work: ImportRun, phase: Phase, batch: list[Entry], before: dict[str, int]) -> list[ImportLine]:
    seen, found = dict(before), []
    for entry in batch:
        result = "refused" if entry.faults else entry.result
        seen[result] = seen.get(result, 0) + 1
        if seen[result] > LINE_LIMIT:
            continue
        places = [phase.source.place(entry.row, fault.column) for fault in entry.faults]
        place = places[0] if places else phase.source.place(entry.row, "")
        found.append(
            ImportLine(
                run=work,
                row=entry.row.number,
                line=entry.row.line,
                place=place[:100],
                result=result,
                key=entry.key[:120],
                values={name: _plain(value) for name, value in entry.values.items()},
                changes=[[change.field, change.old, change.new] for change in entry.changes],
                faults=[
                    [fault.column, fault.field, fault.message, where]
                    for fault, where in zip(entry.faults, places, strict=True)
                ],
            )
        )
    return found


def _plain(value: Any) -> Any:
    """Return a value as JSON keeps it; long texts are cut, for this is for looking."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, str):
        return value[:300]
    return value[:50] if isinstance(value, list) else value


__all__ = ["carry_out", "failed", "opened", "proceed", "sweep_files"]
