"""What every reader gives: rows with their place in the file, in bounded memory; pure."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, Protocol, cast

import msgspec

from fairway.kernel.errors import FieldError, Invalid

CELL_LIMIT: Final = 100_000
"""Characters a cell may hold."""
LINE_LIMIT: Final = 1_000_000
"""Characters a line may hold."""
COLUMN_LIMIT: Final = 1_000

TOO_LONG: Final = (
    f"The cell is longer than {CELL_LIMIT:,} characters; shorten it, or keep the text elsewhere."
)
NUL: Final = "The cell holds a NUL character, which cannot be stored; remove it."
UNREADABLE: Final = "exchange.unreadable"


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it stands in the file: as many cells as the header has, not trimmed."""

    number: int
    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that cannot be used; the rows around it can. `column` is empty where the whole row is meant."""

    number: int
    line: int
    column: str
    message: str


def unreadable(message: str, *, field: str = "file", **place: int) -> Invalid:
    """Make the problem of a file that cannot be read; `place` holds byte (from 0) and line (from 1)."""
    return Invalid(message, code=UNREADABLE, errors=[FieldError(field, message)], extra=dict(place))


class Wrong(str):
    """Stands in a cell whose content is no value, such as a formula's error; the text says what is wrong."""

    __slots__ = ()


class Source(Protocol):
    """A file opened for reading, as often as wanted.

    Once it is open it has been read to its end, or `count` reads it so; `typed` says that its dates are
    dates, given in ISO form without offset.
    """

    header: tuple[str, ...]
    typed: bool

    def rows(self) -> Iterator[Row | Broken]: ...

    def count(self) -> int: ...

    def place(self, row: Row | Broken, column: str) -> str:
        """Say where a cell or a row stands; empty where row, line and column say it."""


def checked_names(cells: Sequence[str], *, line: int) -> tuple[str, ...]:
    """Return the names of the columns.

    :raises Invalid: there are too many, one is missing, or one stands twice.
    """
    names = tuple(cell.strip("\ufeff \t") for cell in cells)
    if len(names) > COLUMN_LIMIT:
        raise unreadable(
            f"The header names {len(names):,} columns; at most {COLUMN_LIMIT:,} are read.", line=line
        )
    if "" in names:
        raise unreadable(
            f"Column {names.index('') + 1} has no name; every column of the header needs one.", line=line
        )
    seen: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        if name in seen:
            raise unreadable(
                f"The header names “{name}” twice, in columns {seen[name]} and {position}; rename one"
                " of them.",
                line=line,
            )
        seen[name] = position
    return names


class Spool:
    """Rows on their way through a temporary file, for formats that are taken apart once.

    :raises Invalid: they would fill the disk; what the file says is then far more than it holds.
    """

    def __init__(self, most: int) -> None:
        self._file = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=1 << 22))  # noqa: SIM115 - lives as long as the rows
        weakref.finalize(self, self._file.close)
        self._left = most
        self._encode = msgspec.json.Encoder(enc_hook=_plain).encode
        self.count = 0

    def add(self, number: int, line: int, cells: Sequence[str] | Mapping[str, str]) -> None:
        self._put([number, line, _marked(cells)])

    def broken(self, number: int, line: int, column: str, message: str) -> None:
        self._put([number, line, column, message])

    def _put(self, entry: list[Any]) -> None:
        written = self._encode(entry)
        self._left -= len(written)
        if self._left < 0:
            raise unreadable(
                "The file says the same again and again, so that it unfolds to far more than its own size;"
                " nothing of it is read."
            )
        self._file.write(written)
        self._file.write(b"\n")
        self.count += 1

    def rows(self, header: Sequence[str]) -> Iterator[Row | Broken]:
        """Yield the rows, named cells laid below the header."""
        self._file.seek(0)
        decode = msgspec.json.Decoder(list).decode
        for written in self._file:
            number, line, cells, *message = decode(written)
            if message:
                yield Broken(number, line, cells, message[0])
            elif isinstance(cells, dict):
                yield Row(number, line, [_told(cells.get(name, "")) for name in header])
            else:
                yield Row(number, line, [_told(cell) for cell in cells])


def _marked(cells: Sequence[str] | Mapping[str, str]) -> Any:
    """Put each wrong cell into a list of its own, by which it is known again."""
    if isinstance(cells, Mapping):
        return {name: [str(c)] if isinstance(c, Wrong) else c for name, c in cells.items()}
    return [[str(cell)] if isinstance(cell, Wrong) else cell for cell in cells]


def _told(cell: Any) -> str:
    return Wrong(cell[0]) if isinstance(cell, list) else cell


def _plain(value: Any) -> str:
    return str(value)


class Metered:
    """A source that gives up when one record takes more bytes than any may; `begin` starts a record.

    The parsers behind it hold a record in memory, or a text within it, until it ends.
    """

    def __init__(self, source: Any, *, most: int, what: str) -> None:
        self._source, self._most, self._what = source, most, what
        self._since = 0
        self.number = 0

    def begin(self) -> None:
        self._since = 0
        self.number += 1

    def read(self, size: int = 1 << 16) -> Any:
        piece = self._source.read(min(size, 1 << 16) if size >= 0 else 1 << 16)
        self._since += len(piece)
        if self._since > self._most:
            raise unreadable(
                f"{self._what} {self.number + 1:,} does not end within {self._most:,} bytes; no record is as"
                " long as that."
            )
        return piece
