"""Rows of a file on their way to the commands that store them, a batch at a time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from itertools import islice
from typing import Any, BinaryIO, Final

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Outcome, Plan, build, convert, execute_many, preview_many
from fairway.catalog import commands as catalog
from fairway.changes import commands as changes
from fairway.exchange.adapters import ADAPTERS, adapted, adapter_for
from fairway.exchange.fields import quoted
from fairway.exchange.kinds import KINDS, Kind, kind_called, nested
from fairway.exchange.mapping import Bound, CellFault, MapFile, parse, plain
from fairway.exchange.reading import Broken, Events, Row, Source, format_of, opened
from fairway.exchange.report import Change, Report, Result, RowProblem, RowResult
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid, NotFound, Problem, Refused
from fairway.policy import Severity, tell

BATCH: Final = 500
ROUNDS: Final = 8
"""How often a row with faults is tried again without them, to find the others."""
USUAL: Final[Mapping[str, str]] = {
    "windows": """
fields:
  name: name
  kind: { column: kind, default: maintenance }
  reason: description
  zone: zone
  starts_at: { expr: 'row.local_start == "" ? row.starts_at : ""' }
  ends_at: { expr: 'row.local_start == "" ? row.ends_at : ""' }
  local_start: local_start
  duration: duration
  rrule: rrule
  rdates: rdates
  exdates: exdates
""",
    "holidays": """
fields:
  day: { expr: 'row.local_start == "" ? row.starts_at : row.local_start' }
  name: name
  duration: duration
  rrule: rrule
  exdates: exdates
""",
    "changes": """
fields:
  external_id: { template: "{provider}{maintenance_id}{uid}" }
  title: name
  description: description
  category: { value: calendar }
  state: { value: draft }
  planned_start: starts_at
  planned_end: ends_at
""",
}
"""What the events of a calendar are without a mapping."""
OBSERVED: Final[Mapping[str, type[Command]]] = {
    "catalog.item.put": catalog.ObservedItem,
    "catalog.relation.put": catalog.ObservedRelation,
}
"""What an import makes of rows in place of the command: it saw them, and has no authority to write them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a file is to be taken: what is None or empty is seen from the mapping, then from the file.

    `kind`: a kind of record, or an adapter. `organisation`: that of rows that name none.
    """

    kind: str
    mapping: str | bytes | None = None
    organisation: str | None = None
    form: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header: int | None = None
    file: str = ""

    @property
    def permission(self) -> str:
        """The permission that such an import takes.

        :raises Invalid: there is no such kind and no such adapter.
        """
        return ADAPTERS[self.kind].permission if self.kind in ADAPTERS else kind_called(self.kind).permission


@dataclass(slots=True)
class Phase:
    """The rows of one kind that a file holds."""

    kind: Kind
    source: Source
    bound: Bound
    told: str = ""
    """Where the rows come from, in words."""


@dataclass(slots=True)
class Entry:
    """A row on its way from the file to the report; `changes`: which fields it would change, in a dry run.

    `first`: no row before it has its key.
    """

    row: Row | Broken
    first: bool = True
    values: dict[str, Any] = field(default_factory=dict)
    faults: list[CellFault] = field(default_factory=list)
    command: Command | None = None
    result: Result = "refused"
    key: str = ""
    warned: bool = False
    changes: list[Change] = field(default_factory=list)


class Load:
    """A file laid out for import: it has been read to its end, and nothing is stored yet.

    :raises Invalid: kind, mapping or file are wrong.
    """

    def __init__(self, source: BinaryIO, options: Options, actor: Actor) -> None:
        self.options, self._actor = options, actor
        self.notes: list[RowProblem] = []
        self.phases: list[Phase] = []
        if options.kind in ADAPTERS:
            self._adapt(source, accounts.team_slugs(actor))
        else:
            self.phases.append(_laid_out(source, options))
        for phase in self.phases:
            phase.told = options.file or options.kind
        self.total = sum(phase.source.count() for phase in self.phases)

    def report(self, *, dry_run: bool) -> Report:
        return Report(self.options.kind, self.options.file, dry_run, problems=list(self.notes))

    def batches(self) -> Iterator[tuple[Phase, list[Entry]]]:
        """Yield all rows in their order, those of one kind together."""
        for phase in self.phases:
            entries = _entries(phase, self.options.organisation, Organisations(self._actor))
            while batch := list(islice(entries, BATCH)):
                yield phase, batch

    def _adapt(self, source: BinaryIO, teams: set[str]) -> None:
        options = self.options
        if options.mapping is not None:
            raise Invalid.field("map", f"{options.kind} files are taken as they are, without a mapping.")
        found = adapted(source, ADAPTERS[options.kind], teams=teams, encoding=options.encoding)
        self.notes = found.notes
        for name, part in (("items", found.items), ("relations", found.relations)):
            if part.count():
                kind = KINDS[name]
                rules = plain(part.header, kind=name, fields=kind.fields)
                self.phases.append(Phase(kind, part, Bound(rules, part.header, kind.fields)))


def run(phase: Phase, batch: Sequence[Entry], *, actor: Actor, at: datetime, dry_run: bool) -> None:
    """Run the commands of a batch, and note with each row what came of it."""
    ready = [(entry, entry.command) for entry in batch if entry.command is not None]
    commands = [command for _, command in ready]
    answers: Iterable[tuple[Outcome | Problem, list[Change]]]
    if dry_run:
        answers = _previews(commands, actor=actor, at=at)
    else:
        answers = ((answer, []) for answer in execute_many(commands, actor=actor, at=at))
    drifts: list[Command] = []
    source = phase.told[:200]
    for (entry, _), (answer, altered) in zip(ready, answers, strict=True):
        if isinstance(answer, catalog.Drifted):
            entry.result, entry.key = "drift", answer.item
            entry.changes = _drifting(answer)
            drifts.append(changes.NoteDrift(item=answer.item, source=source, seen=answer.seen))
            continue
        if isinstance(answer, Problem):
            entry.faults += _faults(answer, phase.bound, phase.kind)
            continue
        entry.key = answer.subject.key if answer.subject is not None else ""
        entry.warned = any(f.severity is not Severity.INFORM for f in answer.decision.findings)
        entry.changes = altered
        if answer.created:
            entry.result = "created"
        else:
            entry.result = "unchanged" if answer.sequence is None else "updated"
    if drifts and not dry_run:
        for noted in execute_many(drifts, actor=actor, at=at):
            if isinstance(noted, Problem):
                raise noted
    _look_on(phase, batch, actor=actor, at=at)


def _look_on(phase: Phase, batch: Sequence[Entry], *, actor: Actor, at: datetime) -> None:
    """Find what else is wrong with the rows that have faults: each is tried without the values at fault.

    So one sees all of a row's faults at once, whether its mapping finds them or its command, and mends them
    in one go. Nothing is written.
    """
    wrong = [entry for entry in batch if entry.faults and isinstance(entry.row, Row) and entry.first]
    for _ in range(ROUNDS):
        ready = [(entry, command) for entry in wrong if (command := _rest(entry, phase)) is not None]
        plans = preview_many([command for _, command in ready], actor=actor, at=at)
        wrong = [
            entry
            for (entry, _), plan in zip(ready, plans, strict=True)
            if isinstance(plan, Problem) and _add(entry, _faults(plan, phase.bound, phase.kind))
        ]
        if not wrong:
            return


def _rest(entry: Entry, phase: Phase) -> Command | None:
    """Return the command of a row without the values that are known to be wrong, where there is one.

    What the row lacks then, and was told before, is no fault of its own.
    """
    while all(fault.field for fault in entry.faults):
        named = {fault.field for fault in entry.faults}
        values = {name: one for name, one in entry.values.items() if not _at_fault(name, named)}
        try:
            return _built(values, phase.kind)
        except Problem as problem:
            if not _add(entry, _faults(problem, phase.bound, phase.kind)):
                return None
    return None


def _at_fault(name: str, named: Iterable[str]) -> bool:
    """Say whether a fault was found in a field, or in a part of it (`items[2]`, `attributes.fqdn`)."""
    return any(one == name or one.startswith((f"{name}[", f"{name}.")) for one in named)


def _add(entry: Entry, faults: Sequence[CellFault]) -> bool:
    """Add the faults in values that the row has and that had none till now; say whether there were any."""
    named = {fault.field for fault in entry.faults}
    new = [
        fault
        for fault in faults
        if any(_at_fault(name, [fault.field]) and not _at_fault(name, named) for name in entry.values)
    ]
    entry.faults += new
    return bool(new)


def _drifting(found: catalog.Drifted) -> list[Change]:
    """Return the fields that differ from what is recorded, as the report shows them."""
    return [Change(name, "", _shown(value)) for name, value in found.seen.items()]


def note(phase: Phase, batch: Iterable[Entry], report: Report) -> None:
    """Enter a batch that was run in the report."""
    for entry in batch:
        row = entry.row
        if entry.faults:
            places = [phase.source.place(row, fault.column) for fault in entry.faults]
            report.refuse(row.number, row.line, entry.faults, entry.values, places)
        else:
            report.add(RowResult(row.number, entry.result, entry.key, entry.values))
            report.warned += entry.warned


def header_of(source: BinaryIO, options: Options) -> tuple[tuple[str, ...], list[list[str]], list[str]]:
    """Return the columns of a file, its first rows, and the sheets of a workbook: to make a mapping by.

    :raises Invalid: the file cannot be read.
    """
    table = _opened(source, options, None)
    rows = [list(map(str, row.cells)) for row in islice(table.rows(), 5) if isinstance(row, Row)]
    return table.header, rows, list(getattr(table, "sheets", ()))


def _laid_out(source: BinaryIO, options: Options) -> Phase:
    """Open the table, and lay its mapping onto its columns."""
    kind = kind_called(options.kind)
    given = options.mapping
    rules = parse(given, kind=kind.name, fields=kind.fields) if given is not None else None
    table = _opened(source, options, rules)
    if rules is None and isinstance(table, Events):
        rules = _usual(kind)
    if rules is None:
        try:
            rules = plain(table.header, kind=kind.name, fields=kind.fields)
        except Invalid as problem:
            raise _pointed(source, problem, options) from problem
    return Phase(kind, table, Bound(rules, table.header, kind.fields, typed=table.typed))


def _usual(kind: Kind) -> MapFile:
    """Return what the events of a calendar are without a mapping.

    :raises Invalid: they are nothing of this kind.
    """
    if kind.name not in USUAL:
        raise Invalid.field("kind", f"A calendar holds {' or '.join(USUAL)}, and no {kind.name}.")
    return parse(USUAL[kind.name], kind=kind.name, fields=kind.fields)


def _opened(source: BinaryIO, options: Options, rules: MapFile | None) -> Source:
    told = options.form or (rules.form if rules else None)
    return opened(
        source,
        form=format_of(options.file, told),
        file=options.file,
        encoding=options.encoding or (rules.encoding if rules else None),
        delimiter=options.delimiter or (rules.delimiter if rules else None),
        sheet=options.sheet or (rules.sheet if rules else None),
        header=options.header or (rules.header if rules else None),
    )


def _pointed(source: BinaryIO, problem: Invalid, options: Options) -> Invalid:
    """Say where a file belongs that one of the adapters reads."""
    if format_of(options.file, options.form) not in {"yaml", "json"}:
        return problem
    meant = adapter_for(source)
    if meant is None:
        return problem
    return Invalid(
        f"The file looks like {meant.what}; import it as {meant.name}. {problem.detail}"[:2000],
        code=problem.code,
        errors=problem.errors,
    )


class Organisations:
    """The organisations that rows name: by key or uid, or by name where one alone is called so."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._known: dict[str, tuple[str, str]] = {}

    def find(self, named: str) -> tuple[str, str]:
        """Return the key of an organisation, or what was given with what is wrong with it."""
        if len(self._known) > 10_000:
            self._known = {}
        if named not in self._known:
            self._known[named] = self._found(named)
        return self._known[named]

    def _found(self, named: str) -> tuple[str, str]:
        called = []
        if named.isprintable():  # else no database need be asked
            try:
                return accounts.organisation(self._actor, named).slug, ""
            except NotFound:
                called = accounts.called(self._actor, named)
        if len(called) == 1:
            return called[0].slug, ""
        if not called:
            return named, f"There is no organisation {quoted(named)}, neither by key nor by name."
        told = " or ".join(
            f"{one.slug} (below {one.parent.name})" if one.parent else one.slug for one in called
        )
        return named, f"Several organisations are called {quoted(named)}; name one by its key: {told}."


def _entries(phase: Phase, organisation: str | None, places: Organisations) -> Iterator[Entry]:
    """Yield every row with the command that stores it, or with what is wrong with it."""
    table, bound, kind = phase.source, phase.bound, phase.kind
    with _Earlier() as earlier:
        for row in table.rows():
            entry = Entry(row)
            if isinstance(row, Broken):
                entry.faults.append(CellFault("", row.column, row.message))
            else:
                mapped = bound.read(row.cells)
                entry.values = mapped.values
                entry.faults = mapped.faults
                if mapped.skipped:
                    entry.result = "skipped"
                else:
                    if "organisation" in kind.fields:  # before rows are told apart by it
                        _place(entry, organisation, bound, places)
                    if not mapped.faults and _first(entry, bound, kind, earlier):
                        _command(entry, bound, kind)
            yield entry


def _place(entry: Entry, usual: str | None, bound: Bound, places: Organisations) -> None:
    """Put the organisation's key in place of its name, and that of the import where none is named."""
    named = entry.values.get("organisation", usual)
    if named is None:
        return
    entry.values["organisation"], objection = places.find(named)
    if objection:
        entry.faults.append(CellFault("organisation", bound.column("organisation"), objection))


def _first(entry: Entry, bound: Bound, kind: Kind, earlier: _Earlier) -> bool:
    """Say whether the row is the first of its key; the mapping says what becomes of a later one."""
    named = kind.key(entry.values)
    if named is None:
        needed = " or ".join(dict.fromkeys(names[-1] for names in kind.keys))
        message = f"Nothing names this record; give it {needed}, so that it is found again."
        entry.faults.append(CellFault(kind.keys[-1][0], "", message))
        return False
    mine = (entry.row.number, _digest(entry.values))
    first, given = earlier.first(_digest(named), mine)
    entry.first = first == entry.row.number
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


def _command(entry: Entry, bound: Bound, kind: Kind) -> None:
    try:
        entry.command = _built(entry.values, kind)
    except Problem as problem:
        entry.faults += _faults(problem, bound, kind)


def _built(values: dict[str, Any], kind: Kind) -> Command:
    """:raises Invalid: they do not fit."""
    given = nested(values)
    observed = OBSERVED.get(kind.command)
    return convert(given, observed) if observed else build(kind.command, given)


def _previews(
    commands: Sequence[Command], *, actor: Actor, at: datetime
) -> Iterator[tuple[Outcome | Problem, list[Change]]]:
    """Say of each command what `execute_many` would, and which fields change; write nothing."""
    for plan in preview_many(commands, actor=actor, at=at):
        if isinstance(plan, Problem):
            yield plan, []
            continue
        subject = plan.subject.ref() if plan.subject is not None else None
        created = any(row is plan.subject for row in plan.create)
        changes = _changes(plan)
        writes = bool(plan.create or plan.remove or plan.note or plan.texts or changes)
        yield Outcome(plan.decision, subject, 0 if writes else None, created), changes


def _changes(plan: Plan) -> list[Change]:
    """Return which fields a plan changes, from what to what: a field set to the value it has does not."""
    return [
        Change(name, _shown(getattr(row, name)), _shown(value))
        for row, values in plan.change
        for name, value in values.items()
        if getattr(row, name) != value
    ]


def _shown(value: Any) -> str:
    """Return a column's value as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, dict | list):
        text = json.dumps(value, ensure_ascii=False, default=str)
    else:
        text = str(getattr(value, "slug", "") or getattr(value, "key", "") or value)
    return text if len(text) <= 300 else f"{text[:300]}…"


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


class _Earlier:
    """The keys of all rows so far with the row that had each first, on disk where there are many."""

    def __enter__(self) -> _Earlier:
        self._kept = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._kept.execute("PRAGMA journal_mode = OFF")
        self._kept.execute("PRAGMA synchronous = OFF")
        self._kept.execute("CREATE TABLE seen (key BLOB PRIMARY KEY, row INTEGER, given BLOB) WITHOUT ROWID")
        self._kept.execute("BEGIN")
        return self

    def __exit__(self, *_: object) -> None:
        self._kept.close()

    def first(self, key: bytes, mine: tuple[int, bytes]) -> tuple[int, bytes]:
        """Return the row that had the key first, and what it gave; this one, where none had it."""
        if self._kept.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (key, *mine)).rowcount:
            return mine
        found: tuple[int, bytes] = self._kept.execute(
            "SELECT row, given FROM seen WHERE key = ?", (key,)
        ).fetchone()
        return found


def _digest(value: Any) -> bytes:
    """Name a value in little memory, so that a million rows can be told apart."""
    return blake2b(json.dumps(value, sort_keys=True, default=str).encode(), digest_size=16).digest()
