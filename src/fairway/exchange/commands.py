"""Imports: rows of a file become records through the commands that everything else uses too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import BinaryIO

from fairway.accounts import queries as accounts
from fairway.exchange.entries import Load, Options, note, run
from fairway.exchange.instance import read as import_instance
from fairway.exchange.instance import write as export_instance
from fairway.exchange.mapping import SIZE_LIMIT
from fairway.exchange.reading import UNREADABLE
from fairway.exchange.report import Report
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid, NotFound, TooLarge

__all__ = ["export_instance", "import_file", "import_instance", "import_table"]
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
