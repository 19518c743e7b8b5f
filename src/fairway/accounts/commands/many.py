"""Commands in bulk, and noting that a list left as a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Literal

import msgspec

from fairway.accounts import queries
from fairway.accounts.models import BulkRequest, User
from fairway.audit.commands import Command, Outcome, Plan, build, execute_many
from fairway.jobs.commands import JobContext, queued, task
from fairway.kernel import blobs
from fairway.kernel.actor import Actor
from fairway.kernel.errors import NotFound, Problem
from fairway.kernel.refs import Ref

BULK_AT_ONCE = 500
"""Rows that are written within one request; more become a job."""
TOLD_OF_A_JOB = 500
"""Refused rows that the result of such a job tells."""


class AskForBulk(Command, name="accounts.bulk.ask"):
    """Let a job run many commands, for who asks and with what they may then; each is checked as ever."""

    what: str
    pending: str
    rows: int

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        job = queued(
            run_bulk,
            {"pending": self.pending, "rows": self.rows},
            actor=actor,
            organisation=queries.home(actor),
            title=f"{self.rows:,} {self.what}",
        )
        return Plan(subject=job, create=[job], note={"rows": self.rows, "what": self.what})


def entered(commands: Sequence[Command], *, at: datetime) -> str:
    """Keep commands for a job to run; return the name they are kept under."""
    lines = (
        msgspec.json.encode([command.command, msgspec.to_builtins(command)]) + b"\n" for command in commands
    )
    blob = blobs.store(lines, media_type="application/x-ndjson", at=at)
    return str(BulkRequest.objects.create(blob=blob, created_at=at).pk)


@task(title="Rows in bulk")
def run_bulk(context: JobContext, pending: str, rows: int) -> dict[str, Any]:
    """Run commands that were kept, five hundred to a transaction; goes on where an attempt before stopped."""
    asked = BulkRequest.objects.select_related("blob").filter(pk=pending).first()
    if asked is None:
        raise NotFound("The rows of this job are not kept any more.")
    totals = context.state.setdefault(
        "totals", dict.fromkeys(("created", "changed", "unchanged", "refused"), 0)
    )
    told = context.state.setdefault("refused", [])
    with blobs.opened(asked.blob) as source:
        left = islice(source, context.state.get("next", 0), None)
        while batch := list(islice(left, BULK_AT_ONCE)):
            commands = [build(*msgspec.json.decode(line)) for line in batch]
            actor = context.actor
            with context.transaction():
                start = context.state.get("next", 0)
                for number, answer in enumerate(execute_many(commands, actor=actor), start):
                    if isinstance(answer, Problem):
                        totals["refused"] += 1
                        if len(told) < TOLD_OF_A_JOB:
                            told.append({"row": number, "problem": answer.document()})
                    else:
                        totals[answered(answer)[0]] += 1
                context.state["next"] = start + len(batch)
                context.progress(start + len(batch), rows, "rows")
    with context.transaction():
        asked.delete()
        context.finish({**totals, "rows": rows, "problems": told})
    return {}


def answered(
    one: Outcome | Plan,
) -> tuple[Literal["created", "changed", "unchanged"], Ref | None, int | None]:
    """Return what came of a command, or would: the result, the record and its version."""
    if isinstance(one, Outcome):
        changed = one.sequence is not None
        return ("created" if one.created else "changed" if changed else "unchanged"), one.subject, one.version
    made = any(row is one.subject for row in one.create)
    moved = any(getattr(row, name) != value for row, values in one.change for name, value in values.items())
    changed = bool(one.create or one.remove or one.note or one.texts or moved)
    subject = one.subject.ref() if one.subject is not None else None
    version = one.subject.version if one.subject is not None and not made else None
    return ("created" if made else "changed" if changed else "unchanged"), subject, version


class ExportList(Command, name="accounts.list.export"):
    """Note that a list leaves as a file: which, in what form, and what was asked for."""

    name: str
    form: str
    given: dict[str, str] = {}

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        who = User.objects.filter(pk=actor.pk).first() if actor.pk is not None else None
        asked = "&".join(f"{name}={value}" for name, value in sorted(self.given.items()))
        texts = {"asked": asked[:2000]} if asked else {}
        return Plan(subject=who, note={"list": self.name, "form": self.form}, texts=texts)
