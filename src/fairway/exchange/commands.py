"""Imports: rows of a table become records through the commands that everything else uses too."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any, BinaryIO, Final

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Outcome, Plan, build, execute_many, preview_many
from fairway.exchange.instance import read as import_instance
from fairway.exchange.instance import write as export_instance
from fairway.exchange.kinds import Kind, kind_called, nested
from fairway.exchange.mapping import SIZE_LIMIT, Bound, CellFault, parse, plain
from fairway.exchange.reading import UNREADABLE, Broken, Row, Table
from fairway.exchange.report import Report, Result, RowResult
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid, NotFound, Problem, Refused, TooLarge
from fairway.policy import Severity, tell

__all__ = ["export_instance", "import_file", "import_instance", "import_table"]
BATCH: Final = 500
Progress = Callable[[int, int], None]
"""Told how many rows are done, of how many."""


def import_file(
    file: Path,
    *,
    kind: str,
    actor: Actor,
    mapping: Path | None = None,
    organisation: str = "",
    encoding: str = "",
    delimiter: str = "",
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Import a CSV file of this machine, as `import_table` does; empty texts stand for nothing said.

    :raises NotFound: there is no such file. And whatever `import_table` raises.
    """
    with _opened(file) as source:
        return import_table(
            source,
            kind=kind,
            actor=actor,
            mapping=_contents(mapping) if mapping is not None else None,
            organisation=organisation or None,
            encoding=encoding or None,
            delimiter=delimiter or None,
            dry_run=dry_run,
            file=file.name,
            progress=progress,
        )


def import_table(
    source: BinaryIO,
    *,
    kind: str,
    actor: Actor,
    mapping: str | bytes | None = None,
    organisation: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    dry_run: bool = False,
    file: str = "",
    at: datetime | None = None,
    most: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Import a CSV table as records of a kind, and report row by row.

    Each row is stored or refused for itself; in a dry run the same is found out and nothing is written. A
    file that cannot be read to its end changes nothing. `organisation` is that of rows that name none;
    `encoding` and `delimiter` go before those that the mapping names. The source must be able to seek.

    :raises Forbidden: the actor may not import this. :raises Invalid: kind, mapping or file are wrong.
    :raises TooLarge: there are more than `most` rows.
    """
    begun = perf_counter()
    what = kind_called(kind)
    accounts.require(actor, what.permission, at=None)
    bound, table = _laid_out(source, what, mapping, encoding, delimiter)
    total = table.count()
    if most is not None and total > most:
        raise TooLarge(
            f"The file has {total:,} rows; here {most:,} can be imported at once. Split it, or run"
            " fairway import on the server."
        )
    report = Report(what.name, file, dry_run)
    entries = _entries(table, bound, what, organisation)
    while batch := list(islice(entries, BATCH)):
        _run(batch, bound, what, actor=actor, at=at or datetime.now(UTC), dry_run=dry_run)
        for entry in batch:
            _report(entry, report)
        if progress is not None:
            progress(report.rows, total)
    report.seconds = round(perf_counter() - begun, 3)
    return report


def _opened(file: Path) -> BinaryIO:
    try:
        source = file.open("rb")
    except OSError as cause:
        raise NotFound(f"The file {file} cannot be opened: {cause.strerror}.") from cause
    if not source.seekable():
        source.close()
        raise Invalid(f"{file} is no file that can be read twice; store it first.", code=UNREADABLE)
    return source


def _contents(mapping: Path) -> bytes:
    with _opened(mapping) as source:
        return source.read(SIZE_LIMIT + 1)


@dataclass(slots=True)
class _Entry:
    """A row on its way from the file to the report."""

    row: Row | Broken
    values: dict[str, Any] = field(default_factory=dict)
    faults: list[CellFault] = field(default_factory=list)
    command: Command | None = None
    result: Result = "refused"
    key: str = ""
    warned: bool = False


def _laid_out(
    source: BinaryIO, kind: Kind, mapping: str | bytes | None, encoding: str | None, delimiter: str | None
) -> tuple[Bound, Table]:
    """Open the table, and lay its mapping onto its columns."""
    rules = parse(mapping, kind=kind.name, fields=kind.fields) if mapping is not None else None
    table = Table(
        source,
        encoding=encoding or (rules and rules.encoding) or "utf-8",
        delimiter=delimiter or (rules and rules.delimiter) or ",",
    )
    if rules is None:
        rules = plain(table.header, kind=kind.name, fields=kind.fields)
    return Bound(rules, table.header, kind.fields), table


def _entries(table: Table, bound: Bound, kind: Kind, organisation: str | None) -> Iterator[_Entry]:
    """Yield every row with the command that stores it, or with what is wrong with it."""
    earlier: dict[bytes, tuple[int, bytes]] = {}
    for row in table.rows():
        entry = _Entry(row)
        if isinstance(row, Broken):
            entry.faults.append(CellFault("", row.column, row.message))
        else:
            mapped = bound.read(row.cells)
            entry.values = mapped.values
            entry.faults = mapped.faults
            if mapped.skipped:
                entry.result = "skipped"
            elif not mapped.faults:
                if organisation is not None and "organisation" in kind.fields:
                    entry.values.setdefault("organisation", organisation)  # before rows are told apart by it
                if _first(entry, bound, kind, earlier):
                    _command(entry, bound, kind)
        yield entry


def _first(entry: _Entry, bound: Bound, kind: Kind, earlier: dict[bytes, tuple[int, bytes]]) -> bool:
    """Say whether the row is the first of its key; the mapping says what becomes of a later one."""
    named = kind.key(entry.values)
    if named is None:
        needed = " or ".join(dict.fromkeys(names[-1] for names in kind.keys))
        message = f"Nothing names this record; give it {needed}, so that it is found again."
        entry.faults.append(CellFault(kind.keys[-1][0], "", message))
        return False
    mine = (entry.row.number, _digest(entry.values))
    first, given = earlier.setdefault(_digest(named), mine)
    if first == entry.row.number:
        return True
    repeats = bound.mapping.repeats
    if repeats == "first" or (repeats == "same" and given == mine[1]):
        entry.result = "repeated"
        return False
    told = " ".join(str(part)[:60] for part in named.values())
    how = "with other values" if repeats == "same" else "already"
    name = list(named)[-1]
    message = f"“{told}” stands in row {first} {how}; keep one of the two rows."
    entry.faults.append(CellFault(name, bound.column(name), message))
    return False


def _command(entry: _Entry, bound: Bound, kind: Kind) -> None:
    try:
        entry.command = build(kind.command, nested(entry.values))
    except Problem as problem:
        entry.faults += _faults(problem, bound, kind)


def _run(
    batch: Sequence[_Entry], bound: Bound, kind: Kind, *, actor: Actor, at: datetime, dry_run: bool
) -> None:
    """Run the commands of a batch, and note with each row what came of it."""
    ready = [(entry, entry.command) for entry in batch if entry.command is not None]
    commands = [command for _, command in ready]
    run = _previews if dry_run else execute_many
    for (entry, _), answer in zip(ready, run(commands, actor=actor, at=at), strict=True):
        if isinstance(answer, Problem):
            entry.faults += _faults(answer, bound, kind)
            continue
        entry.key = answer.subject.key if answer.subject is not None else ""
        entry.warned = any(f.severity is not Severity.INFORM for f in answer.decision.findings)
        if answer.created:
            entry.result = "created"
        else:
            entry.result = "unchanged" if answer.sequence is None else "updated"


def _previews(commands: Sequence[Command], *, actor: Actor, at: datetime) -> Iterator[Outcome | Problem]:
    """Say of each command what `execute_many` would, and write nothing."""
    for plan in preview_many(commands, actor=actor, at=at):
        if isinstance(plan, Problem):
            yield plan
            continue
        subject = plan.subject.ref() if plan.subject is not None else None
        created = any(row is plan.subject for row in plan.create)
        yield Outcome(plan.decision, subject, 0 if _writes(plan) else None, created)


def _writes(plan: Plan) -> bool:
    """Say whether the plan changes anything: a field set to the value it has does not."""
    changed = any(
        getattr(row, name) != value for row, values in plan.change for name, value in values.items()
    )
    return bool(plan.create or plan.remove or plan.note or plan.texts or changed)


def _report(entry: _Entry, report: Report) -> None:
    row = entry.row
    if entry.faults:
        report.refuse(row.number, row.line, entry.faults, entry.values)
    else:
        report.add(RowResult(row.number, entry.result, entry.key, entry.values))
        report.warned += entry.warned


def _faults(problem: Problem, bound: Bound, kind: Kind) -> list[CellFault]:
    """Place what a command says about its fields on the columns that they came from."""
    if isinstance(problem, Refused) and problem.decision is not None:
        blocking = [f for f in problem.decision.findings if f.severity in {Severity.BLOCK, Severity.UNKNOWN}]
        if blocking:
            return [CellFault("", "", tell(finding)) for finding in blocking]
    if not problem.errors:
        return [CellFault("", "", problem.detail)]
    fields = [(kind.told.get(error.field, error.field), error.message) for error in problem.errors]
    return [CellFault(name, bound.column(name), message) for name, message in fields]


def _digest(value: Any) -> bytes:
    """Name a value in little memory, so that a million rows can be told apart."""
    return blake2b(json.dumps(value, sort_keys=True, default=str).encode(), digest_size=16).digest()
