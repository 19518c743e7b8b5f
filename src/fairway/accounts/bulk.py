"""Many writes in one request: each row names an operation and runs the command of a request of its own.

Up to five hundred rows run in one transaction and are answered row by row; more become a job.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Final, Literal

import msgspec
from django.http import HttpResponse
from dmr import Body, Query
from msgspec import UNSET, Meta, UnsetType

from fairway.accounts.commands import BULK_AT_ONCE, AskForBulk, answered, entered
from fairway.accounts.web import (
    ApiController,
    FieldErrorView,
    FindingView,
    decision_view,
    operation,
)
from fairway.audit.commands import Command, Outcome, Plan, convert, execute_at_once, preview_many
from fairway.kernel.errors import (
    Conflict,
    Forbidden,
    Invalid,
    PreconditionRequired,
    Problem,
    Refused,
    TooLarge,
)

MOST_ROWS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Op:
    """What a row may ask for: the command, and the field of it that names the record.

    `body`: what the row's fields are, where the command itself takes more. `versioned`: it is about a record
    that must not have moved on, so the row says which version it read.
    """

    command: type[Command]
    target: str = ""
    body: type[msgspec.Struct] | None = None
    versioned: bool = False

    def build(self, row: BulkRow) -> Command:
        """Return the command of a row.

        :raises Invalid: a field is wrong. :raises PreconditionRequired: the version is missing.
        """
        if self.versioned and row.version is UNSET:
            raise PreconditionRequired(
                "Give the version that you read, or “*” to write whatever stands there."
            )
        if self.body is not None:
            fields = msgspec.structs.asdict(convert(row.fields, self.body))
        else:
            fields = dict(row.fields)
        if bool(self.target) != bool(row.key):
            wrong = "Name the record." if self.target else "This operation names no record by its key."
            raise Invalid.field("key", wrong)
        given = {name: value for name, value in fields.items() if value is not UNSET}
        own: dict[str, Any] = {self.target: row.key} if self.target else {}
        if isinstance(row.version, int):
            own["version"] = row.version
        for name in own.keys() & given.keys() | ({"version"} & given.keys()):
            raise Invalid.field(f"fields.{name}", "There is no such field, or it cannot be set.")
        built: Command = convert({**given, **own}, self.command)
        return built


class BulkRow(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`fields`: as the operation's own request has them. `version`: as read, or `*` for whatever is there."""

    op: str
    key: str = ""
    version: int | Literal["*"] | UnsetType = UNSET
    fields: dict[str, Any] = {}


class BulkBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    rows: Annotated[list[BulkRow], Meta(min_length=1, description=f"at most {MOST_ROWS:,}")]


class BulkQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`atomic`: all rows or none. `dry_run`: say of each row, by itself, what would happen; write nothing."""

    atomic: bool = False
    dry_run: bool = False


class RowProblem(msgspec.Struct, kw_only=True, omit_defaults=True):
    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldErrorView] = []
    findings: list[FindingView] = []


class RowAnswer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """`row` counts from 0. `result`: created, changed, unchanged or refused. `status`: as of a request alone.

    `version`: the record's, once written. `findings`: what the row's decision warns of.
    """

    row: int
    status: int
    result: Literal["created", "changed", "unchanged", "refused"]
    key: str | None = None
    uid: str | None = None
    version: int | None = None
    findings: list[FindingView] = []
    problem: RowProblem | None = None


class BulkAnswer(msgspec.Struct, kw_only=True):
    """What came of each row; with `dry_run` what would. `written`: whether anything was."""

    written: bool
    dry_run: bool
    created: int
    changed: int
    unchanged: int
    refused: int
    rows: list[RowAnswer]


class BulkJob(msgspec.Struct, kw_only=True):
    """More rows than are run at once: a job does them; its result tells the totals and what was refused."""

    job: str
    rows: int


def bulk(permission: str, ops: Mapping[str, Op], *, what: str) -> type[ApiController]:
    """Return the endpoint that writes many records of a kind; its permission is what most of them take."""

    class Bulk(ApiController):
        @operation(permission, BulkAnswer, also={202: BulkJob}, summary=f"Write many {what} at once")
        def post(self, parsed_body: Body[BulkBody], parsed_query: Query[BulkQuery]) -> HttpResponse:
            return _run(self, ops, parsed_body.rows, parsed_query, what)

    Bulk.__doc__ = f"Many {what} at once; `op` is {', '.join(list(ops)[:-1])} or {list(ops)[-1]}."
    Bulk.__name__ = Bulk.__qualname__ = f"{what.title().replace(' ', '')}BulkController"
    return Bulk


def _run(
    controller: ApiController, ops: Mapping[str, Op], rows: Sequence[BulkRow], query: BulkQuery, what: str
) -> HttpResponse:
    if len(rows) > MOST_ROWS:
        raise TooLarge(f"There are {len(rows):,} rows; {MOST_ROWS:,} are the most.")
    built = [_build(ops, row) for row in rows]
    if len(rows) > BULK_AT_ONCE:
        return _later(controller, built, query, what)
    commands = [one for one in built if isinstance(one, Command)]
    spoilt = query.atomic and len(commands) < len(built)
    if query.dry_run or spoilt:
        told = list(preview_many(commands, actor=controller.actor, at=controller.at))
        answer = _answer(controller, built, told, written=False, dry_run=query.dry_run)
    else:
        attempt = controller.attempt

        def keep(answers: list[Outcome | Problem]) -> None:
            if attempt is not None:
                controller.keep(_answer(controller, built, answers, written=True, dry_run=False))

        done = execute_at_once(
            commands, actor=controller.actor, at=controller.at, atomic=query.atomic, then=keep
        )
        failed = any(isinstance(one, Problem) for one in done)
        answer = _answer(controller, built, done, written=not (query.atomic and failed), dry_run=False)
    _all_forbidden(built, answer)
    if query.atomic and not query.dry_run and answer.refused:
        raise Conflict(
            f"{answer.refused} of {len(rows)} rows were refused, so nothing was written.",
            code="bulk-refused",
            title="Nothing written",
            extra={"rows": msgspec.to_builtins([row for row in answer.rows if row.problem is not None])},
        )
    return controller.answer(answer)


def _build(ops: Mapping[str, Op], row: BulkRow) -> Command | Problem:
    if row.op not in ops:
        return Invalid.field("op", f"“{row.op[:40]}” is no operation here; there are {', '.join(ops)}.")
    try:
        return ops[row.op].build(row)
    except Problem as problem:
        return problem


def _answer(
    controller: ApiController,
    built: Sequence[Command | Problem],
    ran: Sequence[Outcome | Plan | Problem],
    *,
    written: bool,
    dry_run: bool,
) -> BulkAnswer:
    left = iter(ran)
    whole = [one if isinstance(one, Problem) else next(left) for one in built]
    rows = [_row(controller, number, one) for number, one in enumerate(whole)]
    count = {
        name: sum(row.result == name for row in rows)
        for name in ("created", "changed", "unchanged", "refused")
    }
    return BulkAnswer(
        written=written and count["created"] + count["changed"] > 0, dry_run=dry_run, rows=rows, **count
    )


def _row(controller: ApiController, number: int, one: Outcome | Plan | Problem) -> RowAnswer:
    if isinstance(one, Problem):
        document = {
            name: value for name, value in one.document().items() if name in RowProblem.__struct_fields__
        }
        if isinstance(one, Refused) and one.decision is not None:
            document["findings"] = msgspec.to_builtins(decision_view(one.decision, controller.actor).findings)
        told = msgspec.convert(document, RowProblem)
        return RowAnswer(row=number, status=one.status, result="refused", problem=told)
    findings = decision_view(one.decision, controller.actor).findings if one.decision.findings else []
    result, subject, version = answered(one)
    return RowAnswer(
        row=number, status=201 if result == "created" else 200, result=result, findings=findings,
        key=subject.key if subject is not None else None, uid=subject.uid if subject is not None else None,
        version=version,
    )  # fmt: skip


def _all_forbidden(built: Sequence[Command | Problem], answer: BulkAnswer) -> None:
    """Say at once that the caller may do none of this.

    :raises Forbidden: every row was refused for that.
    """
    problems = [row.problem for row in answer.rows if row.problem is not None and row.status == 403]
    if len(problems) == len(answer.rows):
        raise Forbidden(problems[0].detail)


def _later(
    controller: ApiController, built: Sequence[Command | Problem], query: BulkQuery, what: str
) -> HttpResponse:
    """Make a job of the rows.

    :raises Invalid: they cannot all be tried, or stand or fall together.
    """
    for name in ("atomic", "dry_run"):
        if getattr(query, name):
            raise Invalid.field(
                name, f"This is possible with up to {BULK_AT_ONCE} rows; here are {len(built):,}."
            )
    wrong = [(number, one) for number, one in enumerate(built) if isinstance(one, Problem)]
    if wrong:
        errors = [
            msgspec.to_builtins(_row(controller, number, problem)) for number, problem in islice(wrong, 500)
        ]
        raise Invalid(
            f"{len(wrong)} of {len(built):,} rows cannot be read; mend them and send all again.",
            extra={"rows": errors},
        )
    digest = entered([one for one in built if isinstance(one, Command)], at=controller.at)
    outcome = controller.run(AskForBulk(what=what, pending=digest, rows=len(built)))
    key = outcome.subject.key if outcome.subject is not None else ""
    return controller.answer(BulkJob(job=key, rows=len(built)), status=202, location=f"/api/v1/jobs/{key}")
