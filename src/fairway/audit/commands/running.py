"""Running commands: one in a transaction, or many in batches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID

from django.db import DataError, IntegrityError, OperationalError, connection, transaction
from django.db.models import F

from fairway.audit.commands.command import Command, Outcome, Plan, refused
from fairway.audit.commands.journal import Journal
from fairway.audit.commands.once import Attempt
from fairway.audit.models import Denial
from fairway.audit.queries import steady
from fairway.kernel.actor import Actor
from fairway.kernel.ahead import reading_ahead
from fairway.kernel.errors import Busy, Conflict, Forbidden, Invalid, Problem, Refused

T = TypeVar("T")


def preview(command: Command, *, actor: Actor, at: datetime | None = None) -> Plan:
    """Say what the command would do; takes no lock and writes nothing."""
    return command.plan(actor=actor, at=at or datetime.now(UTC))


def preview_many(
    commands: Iterable[Command], *, actor: Actor, at: datetime | None = None, batch: int = 500
) -> Iterator[Plan | Problem]:
    """Say of each command what it would do by itself, in their order; takes no lock and writes nothing."""
    at = at or datetime.now(UTC)
    left = iter(commands)
    while some := list(islice(left, batch)):
        kind = type(some[0])
        answers: list[Plan | Problem] = []
        with reading_ahead(), steady():
            if kind.independent and all(type(command) is kind for command in some):
                kind.read_ahead(some, actor=actor, lock=False)
            for command in some:
                try:
                    plan = command.plan(actor=actor, at=at)
                    answers.append(refused(plan, command) if plan.decision.denied else plan)
                except Problem as problem:
                    answers.append(problem)
        yield from answers


def execute(
    command: Command, *, actor: Actor, at: datetime | None = None, attempt: Attempt | None = None
) -> Outcome:
    """Run the command in one transaction and record it; under an attempt's key at most once.

    :raises Refused: the decision denies; its findings are in `decision`. :raises Stale: a row changed
    meanwhile.
    :raises Busy: the database could not give the writer's turn in time. And whatever `plan` raises.
    """
    at = at or datetime.now(UTC)
    if attempt is not None and attempt.done is not None:
        return attempt.done

    def run() -> Outcome:
        with transaction.atomic():
            journal = Journal(actor, at)
            outcome = journal.run(command)
            journal.close()
            outcome = journal.numbered(outcome)
            if attempt is not None:
                attempt.record(outcome)
            return outcome

    try:
        return _persist(run)
    except (Refused, Forbidden) as denial:
        _record_denial(command, denial, actor=actor, at=at)
        raise


def execute_many(
    commands: Iterable[Command], *, actor: Actor, at: datetime | None = None, batch: int = 500
) -> Iterator[Outcome | Problem]:
    """Run commands one after the other, each for itself; answers come in the order of the commands.

    A batch is one transaction with its events in bulk. What one command raises is its answer and undoes only
    what it wrote; the others stand.
    """
    at = at or datetime.now(UTC)
    left = iter(commands)
    while some := list(islice(left, batch)):

        def run(some: Sequence[Command] = some) -> list[Outcome | Problem]:
            with transaction.atomic():
                journal, answers = _together(some, actor, at) or _one_by_one(some, actor, at)
                journal.close()
                return [journal.numbered(a) if isinstance(a, Outcome) else a for a in answers]

        answers = _persist(run)
        for command, answer in zip(some, answers, strict=True):
            if isinstance(answer, Refused | Forbidden):
                _record_denial(command, answer, actor=actor, at=at)
        yield from answers


def execute_at_once(
    commands: Sequence[Command],
    *,
    actor: Actor,
    at: datetime | None = None,
    atomic: bool = False,
    then: Callable[[list[Outcome | Problem]], None] | None = None,
) -> list[Outcome | Problem]:
    """Run commands one after the other in one transaction; answers come in the order of the commands.

    What one command raises is its answer and undoes only what it wrote; with `atomic` it undoes everything.
    `then` is called with the answers inside the transaction, where it stands.
    """
    at = at or datetime.now(UTC)

    def run() -> list[Outcome | Problem]:
        with transaction.atomic():
            journal, answers = _together(commands, actor, at) or _one_by_one(commands, actor, at)
            if atomic and any(isinstance(answer, Problem) for answer in answers):
                transaction.set_rollback(True)
                return answers
            journal.close()
            answers = [journal.numbered(a) if isinstance(a, Outcome) else a for a in answers]
            if then is not None:
                then(answers)
            return answers

    answers = _persist(run) if commands else []
    for command, answer in zip(commands, answers, strict=True):
        if isinstance(answer, Refused | Forbidden):
            _record_denial(command, answer, actor=actor, at=at)
    return answers


Ran = tuple[Journal, list[Outcome | Problem]]


def _together(some: Sequence[Command], actor: Actor, at: datetime) -> Ran | None:
    """Run a batch with few statements; None, and nothing is written, where its commands meet each other."""
    kind = type(some[0])
    if not kind.independent or any(type(command) is not kind for command in some):
        return None
    journal = Journal(actor, at)
    try:
        with transaction.atomic(), reading_ahead(), steady():
            kind.read_ahead(some, actor=actor, lock=True)
            return journal, journal.run_together(some)
    except (Problem, IntegrityError, DataError):
        return None  # which of them it was, running them one by one tells


def _one_by_one(some: Sequence[Command], actor: Actor, at: datetime) -> Ran:
    journal, answers = Journal(actor, at), list[Outcome | Problem]()
    for command in some:
        try:
            with transaction.atomic():
                answers.append(journal.run(command))
        except Problem as problem:
            answers.append(problem)
        except (IntegrityError, DataError) as error:
            answers.append(_refusal_of(error))
    return journal, answers


def _persist(run: Callable[[], T]) -> T:
    """Run a whole transaction, again when the database asks for that, at most three times."""
    if connection.in_atomic_block:
        return run()
    for pause in (0.01, 0.02, None):
        try:
            return run()
        except (IntegrityError, DataError) as error:
            raise _refusal_of(error) from error
        except OperationalError as error:
            state = getattr(error.__cause__, "sqlstate", "")
            if state in {"40001", "40P01"} and pause is not None:
                time.sleep(pause)
                continue
            if state in {"40001", "40P01", "55P03"} or "locked" in str(error):
                raise Busy(
                    "Many are writing at this moment; try again.", headers={"Retry-After": "2"}
                ) from error
            raise
    raise AssertionError("the loop returns or raises")


def _refusal_of(error: IntegrityError | DataError) -> Problem:
    """Say what a refusal by the database means: its constraints stand behind the rules, so two writers
    met.
    """
    if isinstance(error, DataError):
        return Invalid("A value is out of range.")
    return Conflict(
        "Somebody else wrote the same at this moment; read it again and repeat.", code="written-meanwhile"
    )


def _record_denial(command: Command, denial: Problem, *, actor: Actor, at: datetime) -> None:
    """Leave one denial a minute for a known actor, with a counter; a transaction of its own."""
    if actor.pk is None:
        return
    values = (getattr(command, name) for name in command.__struct_fields__)
    key = {
        "actor_uid": UUID(actor.uid),
        "command": command.command,
        "subject": next((value for value in values if isinstance(value, str)), "")[:110],
        "code": denial.code,
        "minute": at.replace(second=0, microsecond=0),
    }
    with transaction.atomic():
        if Denial.objects.filter(**key).update(count=F("count") + 1) == 0:
            # Of two that find none, one waits here for the other's row and counts on it.
            Denial.objects.bulk_create([Denial(**key, count=0)], ignore_conflicts=True)
            Denial.objects.filter(**key).update(count=F("count") + 1)
