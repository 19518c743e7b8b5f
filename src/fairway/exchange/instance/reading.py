"""Reads an instance from its file into an empty database."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final
from uuid import UUID
from zipfile import BadZipFile, ZipFile

import msgspec
from django.core.management.color import no_style
from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import Max

from fairway.audit import commands as frame
from fairway.audit.commands import LoggedEvent
from fairway.exchange.instance.shape import (
    BLOBS,
    EVENTS,
    FORMAT,
    MANIFEST,
    Column,
    Progress,
    columns,
    tables,
    valued,
)
from fairway.kernel import blobs
from fairway.kernel.cache import Kept
from fairway.kernel.errors import Conflict, Invalid, NotFound
from fairway.kernel.models import Blob, Numbered, Row
from fairway.kernel.numbers import go_on_after
from fairway.workspace import commands as workspace

AT_ONCE: Final = 500
LINE_LIMIT: Final = 64 << 20
UNREADABLE: Final = "exchange.instance"


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    lines: int
    sha256: str


class _Manifest(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    entries: dict[str, _Entry]
    shape: dict[str, str]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was read: lines by entry, and the last event's number and hash."""

    lines: Mapping[str, int]
    last: tuple[int, str]

    @property
    def records(self) -> int:
        return sum(count for name, count in self.lines.items() if name.startswith("records/"))


def read(file: Path, *, dry_run: bool = False, progress: Progress | None = None) -> Restored:
    """Fill an empty database with an instance, all or nothing; the event log is verified on the way.

    A dry run does the same and takes all of it back.

    Shipped kinds, roles and models give way to those of the file. Nobody can sign in until they are invited
    anew: credentials do not travel.

    :raises Conflict: the database is not empty. :raises NotFound: there is no such file.
    :raises Invalid: the file is no instance, was damaged or edited, or does not fit this version.
    """
    try:
        with ZipFile(file) as archive:
            found = _Reader(archive, progress).read(keep=not dry_run)
    except OSError as cause:
        raise NotFound(f"The file {file} cannot be opened: {cause.strerror}.") from cause
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as cause:
        raise _wrong(f"{file.name} is no instance, or was damaged: {cause}.") from cause
    finally:
        Kept.forget_all()
    return found


def _wrong(message: str) -> Invalid:
    return Invalid(message, code=UNREADABLE)


@dataclass(frozen=True, slots=True)
class _Line:
    entry: str
    number: int
    values: dict[str, Any]

    def wrong(self, message: str) -> Invalid:
        return _wrong(f"{self.entry}, line {self.number:,}: {message}")


class _Reader:
    def __init__(self, archive: ZipFile, progress: Progress | None) -> None:
        self._archive, self._progress = archive, progress
        self._manifest = self._told_manifest()
        self._uids: dict[str, dict[str, int]] = {}

    def read(self, *, keep: bool) -> Restored:
        models = tables()
        self._compare([model._meta.label for model in models])
        with transaction.atomic():
            _require_empty()
            with _told_plainly():
                for model in reversed(models):  # what the migrations shipped gives way
                    shipped = model._default_manager.all()
                    shipped._raw_delete(shipped.db)
                self._blobs()
                for model in models:
                    self._number(model)
                for model in models:
                    self._records(model)
                _count_on(models)
                last = self._log()
                for model in models:
                    self._project(model)
                workspace.rebuild()
                workspace.told_until(last[0])
                connection.check_constraints()
            transaction.set_rollback(not keep)
        return Restored({name: told.lines for name, told in self._manifest.entries.items()}, last)

    def _told_manifest(self) -> _Manifest:
        try:
            with self._archive.open(MANIFEST) as source:
                return msgspec.json.decode(source.read(LINE_LIMIT), type=_Manifest)
        except KeyError as cause:
            raise _wrong(f"This is no instance: it holds no {MANIFEST}.") from cause
        except msgspec.DecodeError as cause:
            raise _wrong(f"{MANIFEST} is not what an export writes: {cause}.") from cause

    def _compare(self, labels: list[str]) -> None:
        """Check that file and product speak of the same tables.

        :raises Invalid: they do not.
        """
        if self._manifest.format != FORMAT:
            raise _wrong(f"The file is of the format {self._manifest.format[:40]}; here {FORMAT} is read.")
        wanted = {EVENTS, BLOBS, *(f"records/{label}.ndjson" for label in labels)}
        there = self._manifest.entries.keys()
        for names, how in ((wanted - there, "lacks"), (there - wanted, "holds, beside what is known here,")):
            if names:
                raise _wrong(
                    f"The file {how} {', '.join(sorted(names)[:5])}: another version of Fairway wrote it."
                )

    def _lines(self, name: str) -> Iterator[_Line]:
        """Yield the lines of an entry; at its end, number and digest must be those that the manifest tells.

        :raises Invalid: a line is no JSON object, or the entry is not what was written.
        """
        count, sums = 0, hashlib.sha256()
        for line in self._raw(name):
            count += 1
            sums.update(line)
            try:
                values = msgspec.json.decode(line, type=dict[str, Any])
            except msgspec.DecodeError as cause:
                raise _wrong(f"{name}, line {count:,} is no JSON object: {cause}.") from cause
            yield _Line(name, count, values)
            if self._progress is not None and count % 1000 == 0:
                self._progress(name, count)
        told = self._manifest.entries[name]
        if (count, sums.hexdigest()) != (told.lines, told.sha256):
            raise _wrong(f"{name} is not what was exported: it was cut or edited since.")

    def _raw(self, name: str) -> Iterator[bytes]:
        try:
            source = self._archive.open(name)
        except KeyError as cause:
            raise _wrong(f"The file holds no {name}.") from cause
        with source:
            while line := source.readline(LINE_LIMIT):
                if len(line) == LINE_LIMIT:
                    raise _wrong(f"{name} has a line longer than {LINE_LIMIT:,} bytes.")
                yield line

    def _blobs(self) -> None:
        known: dict[str, int] = {}
        for line in self._lines(BLOBS):
            digest, media_type = str(line.values.get("digest")), str(line.values.get("media_type"))
            created = _instant(line)
            try:
                with self._archive.open(f"blobs/{digest}") as source:
                    kept = blobs.store(_chunks(source), media_type=media_type, at=created)
            except KeyError as cause:
                raise line.wrong(f"its bytes (blobs/{digest[:64]}) are missing.") from cause
            if kept.digest != digest:
                raise line.wrong(f"the bytes in blobs/{digest[:64]} are others; they were edited.")
            known[digest] = kept.pk
        self._uids[Blob._meta.label] = known

    def _number(self, model: type[Row]) -> None:
        """Give each record of a table its primary key, so that others can refer to it before it stands."""
        name = f"records/{model._meta.label}.ndjson"
        known: dict[str, int] = {}
        for line in self._lines(name):
            uid = line.values.get("uid")
            if not isinstance(uid, str) or len(uid) != 36:
                raise line.wrong("a record has a uid.")
            if known.setdefault(uid, line.number) != line.number:
                raise line.wrong(f"the uid {uid} stands in line {known[uid]:,} too.")
        self._uids[model._meta.label] = known

    def _records(self, model: type[Row]) -> None:
        known = columns(model)
        names = {column.name for column in known} | {"uid"}
        lines = self._lines(f"records/{model._meta.label}.ndjson")
        while some := list(islice(lines, AT_ONCE)):
            model._default_manager.bulk_create([self._row(model, known, names, line) for line in some])

    def _row(self, model: type[Row], known: tuple[Column, ...], names: set[str], line: _Line) -> Row:
        unknown = sorted(line.values.keys() - names)
        if unknown:
            raise line.wrong(f"there is no field “{unknown[0][:60]}”.")
        row = model()
        row.pk = line.number
        try:
            row.uid = UUID(line.values["uid"])
        except ValueError as cause:
            raise line.wrong(f"“{line.values['uid']}” is no uid.") from cause
        for column in known:
            if column.name not in line.values:
                raise line.wrong(f"{column.name} is missing.")
            told = line.values[column.name]
            if column.target and told is not None:
                pk = self._uids[column.target].get(told) if isinstance(told, str) else None
                if pk is None:
                    raise line.wrong(f"{column.name} refers to {str(told)[:64]}, which is not in the file.")
                setattr(row, column.field.attname, pk)
                continue
            try:
                setattr(row, column.field.attname, valued(column, told))
            except ValueError as cause:
                raise line.wrong(f"{column.name}: {cause}") from cause
        return row

    def _log(self) -> tuple[int, str]:
        """Take the event log over, and verify it on the way."""
        organisations = self._uids["accounts.Organisation"]
        verified = frame.restore_log(map(_event, self._lines(EVENTS)), organisations=organisations)
        if verified.flaws:
            flaw = verified.flaws[0]
            raise _wrong(f"The event log is not what was written: event {flaw.sequence} {flaw.what}.")
        return verified.last

    def _project(self, model: type[Row]) -> None:
        rows = model._default_manager.order_by("pk").iterator(chunk_size=AT_ONCE)
        while some := list(islice(rows, AT_ONCE)):
            frame.project(model._meta.label, some)


def _event(line: _Line) -> LoggedEvent:
    try:
        return msgspec.convert(line.values, LoggedEvent, strict=False)
    except msgspec.ValidationError as cause:
        raise line.wrong(f"this is no event: {cause}.") from cause


def _instant(line: _Line) -> datetime:
    try:
        return datetime.fromisoformat(str(line.values.get("created_at"))).astimezone(UTC)
    except ValueError as cause:
        raise line.wrong("created_at is no instant.") from cause


def _chunks(source: IO[bytes]) -> Iterator[bytes]:
    while chunk := source.read(1 << 20):
        yield chunk


def _require_empty() -> None:
    """Check that nothing was done here yet.

    :raises Conflict: it was.
    """
    try:
        frame.require_unwritten()
    except Conflict as problem:
        raise Conflict(
            f"{problem.detail} An instance is imported into an empty one only: set FAIRWAY_DATA or"
            " FAIRWAY_DATABASE_URL to a new one, and run “fairway migrate”.",
            code=UNREADABLE,
        ) from problem


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Say what a refusal by the database means.

    :raises Invalid: what is in the file contradicts itself.
    """
    try:
        yield
    except (IntegrityError, DataError) as cause:
        first = str(cause).splitlines()[0]
        raise _wrong(f"The records of the file contradict each other: {first}.") from cause


def _count_on(models: list[type[Row]]) -> None:
    """Let primary keys and the numbers of keys go on after the highest ones there are."""
    for statement in connection.ops.sequence_reset_sql(no_style(), models):
        with connection.cursor() as cursor:
            cursor.execute(statement)
    for model in models:
        if issubclass(model, Numbered):
            last = model._default_manager.aggregate(last=Max("number"))["last"]
            if last:
                go_on_after(model.kind, last)
