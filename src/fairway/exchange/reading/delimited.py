"""Reading tables from CSV: every row with its place in the file, in bounded memory; pure.

Source: RFC 4180, with any delimiter of one character and line ends of any system. Rows are numbered as a
spreadsheet shows them: the header is row 1. What makes a single row unusable is told as that row's
`Broken`; what makes the rest of the file doubtful (a wrong encoding, a quote that swallows rows) is
`Invalid` for the whole file.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from fairway.exchange.reading.encodings import check_encoding, refuse_other_encodings, refuse_signatures
from fairway.exchange.reading.parts import (
    CELL_LIMIT,
    LINE_LIMIT,
    NUL,
    TOO_LONG,
    Broken,
    Row,
    checked_names,
    unreadable,
)
from fairway.kernel.errors import Invalid

_INSIDE: Final = re.compile(r'[^"]*(?:""[^"]*)*')


class Table:
    """A CSV file opened for reading, as often as wanted; the source must be able to seek and stays open.

    Opening reads the header and checks that the whole file is in the encoding.

    :raises Invalid: the file is empty, not text, in another encoding, or its header cannot be used.
    """

    def __init__(self, source: BinaryIO, *, encoding: str = "utf-8", delimiter: str = ",") -> None:
        self.source = source
        self.delimiter = check_delimiter(delimiter)
        self.encoding = check_encoding(encoding)
        refuse_signatures(source, self.encoding)
        refuse_other_encodings(source, self.encoding)
        self.header: tuple[str, ...] = self._header()

    typed = False

    def place(self, row: Row | Broken, column: str) -> str:
        return ""

    def rows(self) -> Iterator[Row | Broken]:
        """Yield every row below the header in file order; blank lines are passed over but numbered.

        :raises Invalid: a quote is never closed, or closes so that rows may have been swallowed.
        """
        with _Lines(self.source, self.encoding) as lines:
            reader = _Reader(lines, self.delimiter, self.header)
            next(reader, None)
            width = len(self.header)
            for record in reader:
                if isinstance(record, Row):
                    if record.cells == [""]:
                        continue
                    if len(record.cells) != width:
                        yield Broken(record.number, record.line, "", _ragged(len(record.cells), width))
                        continue
                yield record

    def count(self) -> int:
        """Return how many rows there are, having read all of them.

        :raises Invalid: as `rows` does.
        """
        return sum(1 for _ in self.rows())

    def _header(self) -> tuple[str, ...]:
        with _Lines(self.source, self.encoding) as lines:
            first = next(_Reader(lines, self.delimiter, ()), None)
        if first is None or (isinstance(first, Row) and first.cells == [""]):
            raise unreadable(
                "The file is empty or its first line is; the first line names the columns.", line=1
            )
        if isinstance(first, Broken):
            raise unreadable(f"The header cannot be read: {first.message}", line=first.line)
        return checked_names(first.cells, line=1)


def check_delimiter(text: str) -> str:
    """Return the delimiter; `tab` and `\\t` stand for a tabulator.

    :raises Invalid: not one character, or one that cannot delimit.
    """
    delimiter = "\t" if text in {"tab", "\\t"} else text
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise Invalid.field(
            "delimiter", f"“{text[:20]}” cannot separate cells; use one character, such as , or ; or tab."
        )
    return delimiter


def _ragged(cells: int, width: int) -> str:
    return (
        f"The row has {cells} {'cell' if cells == 1 else 'cells'} and the header {width};"
        " give every row as many as the header, and put quotes around a cell that holds the separator."
    )


class _Lines:
    """Lines of a source with any line end read as `\\n`; at most LINE_LIMIT characters at a time."""

    def __init__(self, source: BinaryIO, encoding: str) -> None:
        source.seek(0)
        codec = "utf-8-sig" if encoding == "utf-8" else encoding
        self.text = io.TextIOWrapper(source, encoding=codec, errors="strict", newline=None)
        self.number = 0

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        self.text.detach()

    def read(self) -> str:
        line = self.text.readline(LINE_LIMIT + 1)
        if line:
            self.number += 1
        return line

    def rest(self) -> str:
        """Read on within the line begun before."""
        return self.text.readline(LINE_LIMIT + 1)


def _cut(line: str) -> bool:
    return len(line) > LINE_LIMIT and not line.endswith("\n")


class _Reader:
    """Yields the records of a CSV text, the header included, whatever their number of cells."""

    def __init__(self, lines: _Lines, delimiter: str, header: tuple[str, ...]) -> None:
        self.lines, self.delimiter, self.header = lines, delimiter, header
        self.number = 0

    def __iter__(self) -> Iterator[Row | Broken]:
        return self

    def __next__(self) -> Row | Broken:
        line = self.lines.read()
        if not line:
            raise StopIteration
        self.number += 1
        at = self.lines.number
        if _cut(line):
            return self._overlong(line, at)
        if '"' in line:
            try:
                cells = self._quoted(line)
            except _Fault as fault:
                return Broken(self.number, at, self._name(fault.index), fault.message)
        else:
            cells = line.removesuffix("\n").split(self.delimiter)
            if len(line) > CELL_LIMIT:
                for index, cell in enumerate(cells):
                    if len(cell) > CELL_LIMIT:
                        return Broken(self.number, at, self._name(index), TOO_LONG)
        if "\0" in line:
            for index, cell in enumerate(cells):
                if "\0" in cell:
                    return Broken(self.number, at, self._name(index), NUL)
        return Row(self.number, at, cells)

    def _name(self, index: int | None) -> str:
        if index is None:
            return ""
        return self.header[index] if index < len(self.header) else f"column {index + 1}"

    def _quoted(self, line: str) -> list[str]:
        """Take a record apart that has quotes, reading on while one is open.

        A quote inside a cell that does not begin with one is plain text.
        """
        cells: list[str] = []
        fault: _Fault | None = None
        position = 0
        while True:
            if line.startswith('"', position):
                cell, line, position, spanned, long = self._inside(line, position + 1, len(cells))
                if long and fault is None:
                    fault = _Fault(len(cells), TOO_LONG)
                elif "\0" in cell and fault is None:
                    fault = _Fault(len(cells), NUL)
                cells.append(cell)
                if position < len(line) and line[position] not in (self.delimiter, "\n"):
                    if spanned:
                        raise unreadable(
                            f"The quote opened in line {spanned:,}, column “{self._name(len(cells) - 1)}”,"
                            " closes in line"
                            f" {self.lines.number:,} with text behind it, so rows between may have been"
                            " swallowed;"
                            " write a quote inside a quoted cell twice.",
                            line=spanned,
                        )
                    raise _Fault(
                        len(cells) - 1,
                        "Text stands behind the closing quote; write a quote inside a quoted cell twice.",
                    )
            else:
                end = line.find(self.delimiter, position)
                end = len(line.removesuffix("\n")) if end < 0 else end
                cells.append(line[position:end])
                if end - position > CELL_LIMIT and fault is None:
                    fault = _Fault(len(cells) - 1, TOO_LONG)
                position = end
            if position >= len(line) or line[position] == "\n":
                if fault:
                    raise fault
                return cells
            position += 1

    def _inside(self, line: str, position: int, index: int) -> tuple[str, str, int, int, bool]:
        """Read a quoted cell from behind its opening quote.

        Returns the cell, the line in which it closes, the position behind the closing quote, the number of
        the line in which it opened (0: the same), and whether it was longer than a cell may be (then it is
        cut).
        """
        opened, pieces, length, spanned = self.lines.number, [""], 0, 0
        while True:
            match = _INSIDE.match(line, position)
            assert match is not None  # noqa: S101 - the expression matches the empty text too
            length += match.end() - position
            if length <= CELL_LIMIT:
                pieces.append(match[0])
            if match.end() < len(line):
                return "".join(pieces).replace('""', '"'), line, match.end() + 1, spanned, length > CELL_LIMIT
            line, position, spanned = self.lines.read(), 0, opened
            if not line or _cut(line):
                raise unreadable(
                    f"The quote opened in line {opened:,}, column “{self._name(index)}”, is never closed"
                    + (
                        "."
                        if not line
                        else f" before line {self.lines.number:,}, which is too long to read on."
                    ),
                    line=opened,
                )

    def _overlong(self, line: str, at: int) -> Broken:
        """Pass over a line that is too long to hold, to the end of its record."""
        quotes = line.count('"')
        index = _long_cell(line, self.delimiter)
        while True:
            while line and not line.endswith("\n"):
                line = self.lines.rest()
                quotes += line.count('"')
            if quotes % 2 == 0:
                message = (
                    TOO_LONG
                    if index is not None
                    else f"The row is longer than {LINE_LIMIT:,} characters; split it."
                )
                return Broken(self.number, at, self._name(index), message)
            line = self.lines.read()
            if not line:
                raise unreadable(f"A quote opened in line {at:,} is never closed.", line=at)
            quotes += line.count('"')


def _long_cell(line: str, delimiter: str) -> int | None:
    """Return which cell of a line, itself perhaps cut off, is longer than a cell may be."""
    position, index = 0, 0
    while position < len(line):
        if line[position] == '"':
            match = _INSIDE.match(line, position + 1)
            close = match.end() if match else len(line)
            end = line.find(delimiter, close)
        else:
            end = line.find(delimiter, position)
        end = len(line) if end < 0 else end
        if end - position > CELL_LIMIT:
            return index
        position, index = end + 1, index + 1
    return None


class _Fault(Exception):
    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index, self.message = index, message
