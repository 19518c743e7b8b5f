"""Imports: rows of a file become records through the commands that everything else uses too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any, BinaryIO, ClassVar, Final

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan, execute
from fairway.exchange import mapping as maps
from fairway.exchange import queries, working
from fairway.exchange.adapters import ADAPTERS
from fairway.exchange.entries import Load, Options, header_of, note, run
from fairway.exchange.events import ExchangeEvent
from fairway.exchange.instance import read as import_instance
from fairway.exchange.instance import write as export_instance
from fairway.exchange.kinds import kind_called
from fairway.exchange.models import ImportRun, SavedMapping
from fairway.exchange.reading import UNREADABLE
from fairway.exchange.report import Report
from fairway.jobs.commands import queued
from fairway.kernel import blobs
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid, NotFound, Problem, TooLarge
from fairway.kernel.text import line

__all__ = ["Options", "export_instance", "import_file", "import_instance", "import_table"]
SIZE_LIMIT: Final = 10_000_000
"""Bytes that are imported within one request."""
ROW_LIMIT: Final = 5_000
"""Rows that are imported within one request; more become a job."""
FILE_LIMIT: Final = 2_000_000_000
"""Bytes of any file."""
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
    form: str = "",
    sheet: str = "",
    header: int | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Import a file of this machine, as `import_table` does; empty texts stand for nothing said.

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
            form=form or None,
            sheet=sheet or None,
            header=header,
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
    form: str | None = None,
    sheet: str | None = None,
    header: int | None = None,
    dry_run: bool = False,
    file: str = "",
    at: datetime | None = None,
    most: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Import a file as records of a kind, or through an adapter, and report row by row.

    Each row is stored or refused for itself; in a dry run the same is found out and nothing is written. A
    file that cannot be read to its end changes nothing. What is told here goes before what the mapping says.
    `organisation` is that of rows that name none. The source must be able to seek.

    :raises Forbidden: the actor may not import this. :raises Invalid: kind, mapping or file are wrong.
    :raises TooLarge: there are more than `most` rows.
    """
    begun = perf_counter()
    options = Options(
        kind=kind, mapping=mapping, organisation=organisation, form=form, encoding=encoding,
        delimiter=delimiter, sheet=sheet, header=header, file=file,
    )  # fmt: skip
    accounts.require(actor, options.permission, at=None)
    load = Load(source, options, actor)
    if most is not None and load.total > most:
        raise TooLarge(
            f"The file has {load.total:,} rows; here {most:,} can be imported at once. Split it, or run"
            " fairway import on the server."
        )
    report = load.report(dry_run=dry_run)
    for phase, batch in load.batches():
        run(phase, batch, actor=actor, at=at or datetime.now(UTC), dry_run=dry_run)
        note(phase, batch, report)
        if progress is not None:
            progress(report.rows, load.total)
    report.seconds = round(perf_counter() - begun, 3)
    return report


def receive(
    source: BinaryIO, options: Options, *, actor: Actor, at: datetime, dry_run: bool
) -> Report | ImportRun:
    """Import what somebody sent, at once where it is small; else keep it and have a job carry it out.

    :raises Forbidden: the actor may not import this. :raises Invalid: kind, mapping or file are wrong.
    :raises TooLarge: the file is larger than any may be.
    """
    accounts.require(actor, options.permission, at=None)
    if source.seek(0, 2) <= SIZE_LIMIT:
        try:
            source.seek(0)
            given = asdict(options)
            return import_table(source, actor=actor, at=at, dry_run=dry_run, most=ROW_LIMIT, **given)
        except TooLarge:
            pass
    kept = keep(source, options, actor=actor, at=at)
    begin: Command = (
        CheckImport(run=str(kept.uid), later=True) if dry_run else RunImport(run=str(kept.uid), later=True)
    )
    execute(begin, actor=actor, at=at)
    return queries.import_run(actor, str(kept.uid))


def keep(source: BinaryIO, options: Options, *, actor: Actor, at: datetime) -> ImportRun:
    """Keep a file that somebody sent, to be laid out, checked and imported.

    :raises Forbidden: the actor may not import this. :raises TooLarge: it is larger than any may be.
    """
    accounts.require(actor, options.permission, at=None)
    layout: dict[str, Any] = {}
    if options.kind not in ADAPTERS:
        columns, rows, sheets = header_of(source, options)
        shown = [[cell[:80] for cell in row] for row in rows]
        layout = {"columns": columns, "rows": shown, "sheets": sheets}
    source.seek(0)
    blob = blobs.store(source, media_type="application/octet-stream", at=at, most=FILE_LIMIT)
    command = StartImport(
        kind=options.kind,
        digest=blob.digest or "",
        file=options.file,
        organisation=options.organisation,
        options=asdict(options),
    )
    outcome = execute(command, actor=actor, at=at)
    assert outcome.subject is not None  # noqa: S101 - it is what was made
    ImportRun.objects.filter(uid=outcome.subject.uid).update(layout=layout)
    return queries.import_run(actor, outcome.subject.key)


def begin(
    kept: ImportRun, *, actor: Actor, at: datetime, dry_run: bool, mapping: str | None = None
) -> ImportRun:
    """Check or import a kept file: here and now where it is small, else by a job.

    What is wrong with file or mapping as a whole is noted with the import.

    :raises Conflict: it is being worked on, or done. :raises Invalid: the mapping is none.
    """

    def command(later: bool) -> Command:
        if dry_run:
            return CheckImport(run=str(kept.uid), mapping=mapping, later=later)
        return RunImport(run=str(kept.uid), later=later)

    later = kept.size > SIZE_LIMIT
    execute(command(later), actor=actor, at=at)
    run = queries.import_run(actor, str(kept.uid))
    if later:
        return run
    try:
        load = working.opened(run, actor)
        if load.total > ROW_LIMIT:
            execute(command(True), actor=actor, at=at)
            return queries.import_run(actor, str(kept.uid))
        working.proceed(run, load, actor=lambda: actor, dry_run=dry_run)
    except Problem as problem:
        working.failed(run, problem)
    return run


def carry(run: ImportRun, *, actor: Actor, dry_run: bool) -> None:
    """Do the work on an import here and now, after the command that begins it.

    :raises Invalid: its file or mapping cannot be used; the import is marked as failed.
    """
    try:
        load = working.opened(run, actor)
        working.proceed(run, load, actor=lambda: actor, dry_run=dry_run)
    except Problem as problem:
        working.failed(run, problem)
        raise


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
        return source.read(maps.SIZE_LIMIT + 1)


# Imports that are kept -------------------------------------------------------------------------------------


class StartImport(Command, name=ExchangeEvent.IMPORT_START):
    """Keep a file that was stored before, to be laid out, checked and imported; nothing is written of it yet.

    `options` are those of `entries.Options`; `organisation` is that of rows that name none.
    """

    permission: ClassVar[str] = "catalog.import"
    kind: str
    digest: str
    file: str = ""
    organisation: str | None = None
    options: dict[str, Any] = {}

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        options = Options(**{**self.options, "kind": self.kind, "organisation": self.organisation})
        options = Options(**{**asdict(options), "file": line(self.file, field="file", needed=False)[:200]})
        accounts.require(actor, options.permission, at=None)
        organisation = _organisation(actor, self.organisation, options.permission)
        accounts.require(actor, options.permission, at=organisation.pk)
        blob = blobs.find(self.digest)
        if blob is None:
            raise Invalid.field("digest", "There is no such file here; send it again.")
        made = ImportRun(
            organisation=organisation,
            user_id=actor.pk,
            what=options.kind,
            file=options.file,
            size=blob.size,
            blob=blob,
            options=asdict(options),
        )
        return Plan(subject=made, create=[made])


class CheckImport(Command, name=ExchangeEvent.IMPORT_CHECK):
    """Find out what an import would do, with another mapping where one is given; `later`: as a job."""

    permission: ClassVar[str] = "catalog.import"
    run: str
    mapping: str | None = None
    later: bool = False

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = _living(actor, self.run)
        options = dict(found.options)
        if self.mapping is not None:
            options["mapping"] = self.mapping if self.mapping.strip() else None
            if options["mapping"] is not None and found.what not in ADAPTERS:
                kind = kind_called(found.what)
                maps.parse(options["mapping"], kind=kind.name, fields=kind.fields)
        return _begun(actor, found, ImportRun.State.CHECKING, later=self.later, options=options)


class RunImport(Command, name=ExchangeEvent.IMPORT_RUN):
    """Import what was checked, or go on where an import stopped; `later`: as a job."""

    permission: ClassVar[str] = "catalog.import"
    run: str
    later: bool = False

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = _living(actor, self.run)
        return _begun(actor, found, ImportRun.State.IMPORTING, later=self.later, options=found.options)


class CancelImport(Command, name=ExchangeEvent.IMPORT_CANCEL):
    """Stop an import at its next batch; what it stored stays."""

    permission: ClassVar[str] = "catalog.import"
    run: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.import_run(actor, self.run)
        accounts.require(actor, queries.permission_of(found.what), at=found.organisation_id)
        state, _ = queries.standing(found)
        if state in (ImportRun.State.DONE, ImportRun.State.CANCELLED):
            raise Conflict(f"This import is {state}; it cannot be cancelled.", code="exchange.import.state")
        change: list[tuple[Any, dict[str, Any]]] = []
        job = queries.job_of(found)
        if job is not None and job.state == "running":
            change.append((job, {"cancel_requested": True}))
        elif job is not None and job.state == "ready":
            change.append((job, {"state": "cancelled", "finished_at": at}))
        if job is None or job.state != "running":
            change.append((found, {"state": ImportRun.State.CANCELLED, "finished_at": at}))
        return Plan(subject=found, change=change, note={"position": found.position})


class PutMapping(Command, name=ExchangeEvent.MAPPING_PUT):
    """Keep a mapping by name, for whoever imports into the branch; one of that name is replaced."""

    permission: ClassVar[str] = "catalog.import"
    name: str
    kind: str
    text: str
    organisation: str | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        kind = kind_called(self.kind)
        accounts.require(actor, kind.permission, at=None)
        organisation = _organisation(actor, self.organisation, kind.permission)
        accounts.require(actor, kind.permission, at=organisation.pk)
        name = line(self.name, field="name", longest=100)
        maps.parse(self.text, kind=kind.name, fields=kind.fields)
        known = SavedMapping.objects.filter(organisation=organisation, what=kind.name, name=name).first()
        if known is not None:
            return Plan(subject=known, change=[(known, {"text": self.text, "archived_at": None})])
        made = SavedMapping(organisation=organisation, what=kind.name, name=name, text=self.text)
        return Plan(subject=made, create=[made])


def _organisation(actor: Actor, reference: str | None, permission: str) -> Any:
    """Return the organisation that an import belongs to: the one named, else the actor's own."""
    try:
        if reference is not None:
            return accounts.organisation(actor, reference)
        found = accounts.root() if actor.is_system else accounts.user(actor, actor.uid).organisation
    except NotFound as problem:
        raise Invalid.field("organisation", problem.detail) from problem
    if found is None:
        raise Invalid.field("organisation", "There is no organisation yet; make one first.")
    return found


def _living(actor: Actor, reference: str) -> ImportRun:
    """Return an import that can be worked on.

    :raises Conflict: it is worked on already, or done.
    """
    found = queries.import_run(actor, reference)
    accounts.require(actor, queries.permission_of(found.what), at=found.organisation_id)
    state, _ = queries.standing(found)
    if state == ImportRun.State.DONE:
        raise Conflict(
            "This import is done; send the file again for another one.", code="exchange.import.state"
        )
    if state in queries.LIVING and found.job is not None:
        raise Conflict(
            "This import is being worked on; wait for it, or cancel it.", code="exchange.import.state"
        )
    return found


def _begun(actor: Actor, found: ImportRun, state: str, *, later: bool, options: dict[str, Any]) -> Plan:
    """Return what begins the work; it goes on where the same work stopped, and begins anew otherwise."""
    goes_on = state == ImportRun.State.IMPORTING and found.begun
    values: dict[str, Any] = {
        "state": state,
        "begun": state == ImportRun.State.IMPORTING,
        "attempt": found.attempt + 1,
        "error": "",
        "finished_at": None,
        "job": None,
    }
    if not goes_on:
        values |= {"position": 0, "counts": {}}
    if options != found.options:
        values["options"] = options
    dry_run = state == ImportRun.State.CHECKING
    if not later:
        return Plan(subject=found, change=[(found, values)], note={"dry_run": dry_run})
    job = queued(
        working.carry_out,
        {"run": str(found.uid), "dry_run": dry_run},
        actor=actor,
        organisation=found.organisation_id,
        title=f"{'Check' if dry_run else 'Import'} of {found.file or 'a text'}",
        unique_key=f"import:{found.uid}",
    )
    values["job"] = job.uid
    return Plan(subject=found, create=[job], change=[(found, values)], note={"dry_run": dry_run})
