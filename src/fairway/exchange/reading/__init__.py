"""Reading tables and records: every row with its place in the file, in bounded memory."""

from __future__ import annotations

from pathlib import PurePath
from typing import BinaryIO, Final

from fairway.exchange.reading.calendars import Events as Events
from fairway.exchange.reading.delimited import Table as Table
from fairway.exchange.reading.delimited import check_delimiter as check_delimiter
from fairway.exchange.reading.encodings import ENCODINGS as ENCODINGS
from fairway.exchange.reading.encodings import check_encoding as check_encoding
from fairway.exchange.reading.encodings import check_text as check_text
from fairway.exchange.reading.encodings import marked
from fairway.exchange.reading.objects import Records
from fairway.exchange.reading.parts import CELL_LIMIT as CELL_LIMIT
from fairway.exchange.reading.parts import LINE_LIMIT as LINE_LIMIT
from fairway.exchange.reading.parts import NUL as NUL
from fairway.exchange.reading.parts import TOO_LONG as TOO_LONG
from fairway.exchange.reading.parts import UNREADABLE as UNREADABLE
from fairway.exchange.reading.parts import Broken as Broken
from fairway.exchange.reading.parts import Row as Row
from fairway.exchange.reading.parts import Source as Source
from fairway.exchange.reading.parts import Spool as Spool
from fairway.exchange.reading.parts import Wrong as Wrong
from fairway.exchange.reading.parts import unreadable as unreadable
from fairway.exchange.reading.workbook import Workbook
from fairway.kernel.errors import Invalid

FORMATS: Final = ("csv", "xlsx", "json", "ndjson", "yaml", "ics")
_ENDINGS: Final = {
    ".csv": "csv", ".tsv": "csv", ".tab": "csv", ".txt": "csv", ".json": "json", ".ndjson": "ndjson",
    ".jsonl": "ndjson", ".yaml": "yaml", ".yml": "yaml", ".xlsx": "xlsx", ".xlsm": "xlsx", ".xls": "xlsx",
    ".ics": "ics", ".ical": "ics", ".ifb": "ics",
}  # fmt: skip


def format_of(file: str, told: str | None = None) -> str:
    """Return which of the formats a file has: as told, else by the ending of its name, else CSV.

    :raises Invalid: what is told is none.
    """
    if told:
        if told not in FORMATS:
            raise Invalid.field(
                "format", f"“{told[:40]}” is not a format known here; use one of {', '.join(FORMATS)}."
            )
        return told
    return _ENDINGS.get(PurePath(file).suffix.lower(), "csv")


def opened(
    source: BinaryIO,
    *,
    form: str = "csv",
    file: str = "",
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    header: int | None = None,
) -> Source:
    """Open a file in one of `FORMATS`. What is not told is seen from the file, or is as usual.

    :raises Invalid: it cannot be read, or is something else; says where, and what would be right.
    """
    if form == "xlsx":
        return Workbook(source, sheet=sheet or "", header=header)
    encoding = encoding or marked(source) or "utf-8"
    if form == "ics":
        return Events(source, encoding=encoding)
    if form != "csv":
        return Records(source, form=form, encoding=encoding)
    usual = "tab" if PurePath(file).suffix.lower() in {".tsv", ".tab"} else ","
    return Table(source, encoding=encoding, delimiter=delimiter or usual)
