"""Reading a sheet of an XLSX workbook, hostile ones included.

What is needed of the archive is unpacked under a limit and checked on the way (declared and actual sizes,
checksums), then packed anew for the process that takes it apart (`sheet_process`).
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from fairway.exchange.reading.parts import (
    COLUMN_LIMIT,
    Broken,
    Row,
    Spool,
    Wrong,
    checked_names,
    unreadable,
)
from fairway.kernel.errors import Invalid

UNPACKED_LIMIT: Final = 300 << 20
"""Bytes that the parts of a workbook may have, unpacked."""
ROWS_LIMIT: Final = 1 << 30
"""Bytes that the texts of all cells may have."""
_ENTRIES: Final = 5_000
_CHUNK: Final = 1 << 20
_OLD: Final = b"\xd0\xcf\x11\xe0"
_UNUSED: Final = ("/media/", "/drawings/", "/charts/", "/pivot", "/printerSettings/", "/externalLinks/")
_BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, RuntimeError, OSError,
    ValueError, KeyError,
)  # fmt: skip


class Workbook:
    """One sheet of a workbook; its header is the first row that is not empty, unless `header` names another.

    :raises Invalid: it is no workbook, damaged, protected by a password, too large, or there is no such
        sheet or header.
    """

    typed = True

    def __init__(self, source: BinaryIO, *, sheet: str = "", header: int | None = None) -> None:
        self.sheets: list[str] = []
        self.sheet = ""
        self.header: tuple[str, ...] = ()
        self._spool = Spool(ROWS_LIMIT)
        _refuse_others(source)
        with tempfile.NamedTemporaryFile(suffix=".xlsx") as packed:
            _repack(source, packed)
            packed.flush()
            self._take_apart(Path(packed.name), sheet, header)
        if not self.header:
            raise unreadable(
                f"The sheet “{self.sheet}” has no row {header}, which was to name the columns."
                if header
                else f"The sheet “{self.sheet}” is empty; its first row names the columns."
            )

    def rows(self) -> Iterator[Row | Broken]:
        return self._spool.rows(self.header)

    def count(self) -> int:
        return self._spool.count

    def place(self, row: Row | Broken, column: str) -> str:
        return f"{letters(self.header.index(column))}{row.number}" if column in self.header else ""

    def _take_apart(self, path: Path, sheet: str, header: int | None) -> None:
        script = Path(__file__).with_name("sheet_process.py")
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(  # noqa: S603 - our own script, and a file that we wrote
                [sys.executable, "-I", str(script), str(path), sheet],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
            )
            assert process.stdout is not None  # noqa: S101 - it was asked for
            try:
                with process.stdout as lines:
                    for line in lines:
                        self._take(json.loads(line), header)
                process.wait()
            finally:
                process.kill()
                process.wait()
            if process.returncode != 0:
                said.seek(max(said.seek(0, 2) - 10_000, 0))
                raise _ended(process.returncode, said.read().decode("utf-8", "replace"))

    def _take(self, line: Any, header: int | None) -> None:
        if isinstance(line, dict):
            if "fault" in line:
                raise Invalid.field("sheet", line["fault"])
            self.sheets, self.sheet = line["sheets"], line["sheet"]
            return
        number, cells = line
        if not self.header:
            if header is None or number >= header:
                if header is not None and number > header:
                    raise unreadable(
                        f"Row {header} of the sheet “{self.sheet}” is empty; it names no columns."
                    )
                self._name(number, cells)
            return
        width = len(self.header)
        if any(cells[width:]):
            at = next(place for place, cell in enumerate(cells[width:], start=width) if cell)
            self._spool.broken(
                number,
                number,
                "",
                f"{letters(at)}{number} holds a value, but the column has no name in the header; name"
                f" it there.",
            )
            return
        row = [
            Wrong(f"{letters(at)}{number} holds the error {cell[0]}; mend its formula, or empty the cell.")
            if isinstance(cell, list)
            else cell
            for at, cell in enumerate(cells[:width])
        ]
        self._spool.add(number, number, row + [""] * (width - len(row)))

    def _name(self, number: int, cells: list[Any]) -> None:
        for at, cell in enumerate(cells):
            if isinstance(cell, list):
                raise unreadable(
                    f"The header cell {letters(at)}{number} holds the error {cell[0]}.", line=number
                )
        while cells and not cells[-1].strip():
            cells.pop()
        if len(cells) > COLUMN_LIMIT:
            checked_names(cells, line=number)
        for at, cell in enumerate(cells):
            if not cell.strip():
                raise unreadable(
                    f"The header cell {letters(at)}{number} is empty; every column needs a name.", line=number
                )
        self.header = checked_names(cells, line=number)


def letters(column: int) -> str:
    """Return the name of a column as a spreadsheet shows it; the first one, 0, is A."""
    named = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        named = chr(65 + rest) + named
    return named


def _refuse_others(source: BinaryIO) -> None:
    source.seek(0)
    head = source.read(1 << 20)
    if head.startswith(_OLD):
        protected = "EncryptedPackage".encode("utf-16-le") in head or "EncryptedPackage".encode(
            "utf-16-le"
        ) in (_end(source))
        raise unreadable(
            "The workbook is protected by a password; save it without one."
            if protected
            else "The file is an old office document (XLS), whatever its name says; save it as XLSX."
        )
    if not head.startswith(b"PK"):
        raise unreadable(
            "The file is no XLSX workbook: it does not begin like one; save the sheet as XLSX, or"
            " import it as"
            " what it is."
            if head
            else "The file is empty."
        )


def _end(source: BinaryIO) -> bytes:
    source.seek(max(source.seek(0, 2) - (1 << 20), 0))
    return source.read()


def _repack(source: BinaryIO, target: Any) -> None:
    """Copy what is needed of a workbook, checking sizes before and while it is unpacked."""
    try:
        with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
            parts = _parts(archive)
            left = UNPACKED_LIMIT
            for part in parts:
                with archive.open(part) as unpacked, packed.open(part.filename, "w") as copy:
                    while piece := unpacked.read(_CHUNK):
                        left -= len(piece)
                        if left < 0:
                            raise _too_large()
                        copy.write(piece)
    except Invalid:
        raise
    except _BROKEN as cause:
        raise unreadable(
            "The workbook is damaged or was cut off on its way; save it anew, or send it again."
        ) from cause


def _parts(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    entries = archive.infolist()
    names = {entry.filename for entry in entries}
    if "xl/workbook.xml" not in names:
        meant = (
            "a text document (DOCX)" if "word/document.xml" in names
            else "a presentation (PPTX)" if "ppt/presentation.xml" in names
            else "an OpenDocument file; save it as XLSX" if "content.xml" in names
            else "a binary workbook (XLSB); save it as XLSX" if "xl/workbook.bin" in names
            else "another ZIP archive"
        )  # fmt: skip
        raise unreadable(f"The file is no XLSX workbook but {meant}.")
    wanted = [
        entry
        for entry in {entry.filename: entry for entry in entries}.values()
        if entry.filename.endswith((".xml", ".rels")) and not any(part in entry.filename for part in _UNUSED)
    ]
    if any(entry.flag_bits & 1 for entry in wanted):
        raise unreadable("The workbook is protected by a password; save it without one.")
    if len(entries) > _ENTRIES or sum(entry.file_size for entry in wanted) > UNPACKED_LIMIT:
        raise _too_large()
    return wanted


def _too_large() -> Invalid:
    return unreadable(
        f"The workbook unpacks to more than {UNPACKED_LIMIT >> 20} MB; save the sheet as CSV, which is"
        f" read row"
        " by row."
    )


def _ended(code: int, said: str) -> Invalid:
    """Say why the process that takes a workbook apart ended early."""
    last = said.strip().rpartition("\n")[2]
    if code < 0 or "MemoryError" in last or "memory allocation" in said:
        return unreadable(
            "The sheet takes more memory or time to read than one may have here: perhaps single cells"
            " stand far"
            " away from the others. Remove them, or save the sheet as CSV, which is read row by row."
        )
    if "errors that cannot be placed" in last:
        return unreadable("The sheet holds errors in too many cells; mend its formulas and save it anew.")
    return unreadable("The workbook is damaged: its parts do not fit together; save it anew.")
