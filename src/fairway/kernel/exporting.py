"""A list as a file: JSON lines, CSV or a spreadsheet, row by row in bounded memory."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import xlsxwriter  # type: ignore[import-untyped]
from dmr.parsers import JsonParser, Parser
from dmr.renderers import Renderer

Batches = Iterable[Sequence[msgspec.Struct]]
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a cell must not begin with, or a spreadsheet might run it (OWASP, CSV injection)."""
ROWS_OF_A_SHEET: Final = 1_048_576
CHUNK: Final = 64 * 1024


class FileRenderer(Renderer):
    """Names a media type in the API's document and in negotiation; the file itself is streamed."""

    __slots__ = ("content_type",)

    def __init__(self, content_type: str) -> None:
        self.content_type = content_type

    def render(self, to_serialize: Any, serializer_hook: Callable[[Any], Any]) -> bytes:
        raise TypeError(f"{self.content_type} is streamed")

    @property
    def validation_parser(self) -> Parser:
        return JsonParser()


def ndjson(batches: Batches, names: Sequence[str]) -> Iterator[bytes]:
    """Yield the rows as JSON, each on a line of its own; a chunk for each batch."""
    for rows in batches:
        yield b"".join(
            msgspec.json.encode({name: getattr(row, name) for name in names}) + b"\n" for row in rows
        )


def separated(batches: Batches, names: Sequence[str], *, mark: bool = False) -> Iterator[bytes]:
    """Yield the rows as CSV (RFC 4180) in UTF-8; `mark`: with the byte order mark that spreadsheets need.

    References stand as keys, several values of a cell are separated by semicolons, as imports read them. A
    text that a spreadsheet would take for a formula is put behind an apostrophe.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    if mark:
        buffer.write("\ufeff")
    writer.writerow(names)
    for rows in batches:
        for row in rows:
            writer.writerow([_written(value) for value in cells(row, names)])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    if rest := buffer.getvalue():
        yield rest.encode()


def spreadsheet(batches: Batches, names: Sequence[str], *, title: str) -> Iterator[bytes]:
    """Yield an XLSX workbook, made in a file of its own first; rows beyond a sheet go to another."""
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        options = {
            "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
            "strings_to_numbers": False, "remove_timezone": True,
        }  # fmt: skip
        book = xlsxwriter.Workbook(file.name, options)
        instants = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet, line, sheets = None, 0, 0
        for rows in batches:
            for row in rows:
                if sheet is None or line == ROWS_OF_A_SHEET:
                    sheets += 1
                    sheet, line = _sheet(book, names, title if sheets == 1 else f"{title} {sheets}"), 1
                for column, value in enumerate(cells(row, names)):
                    if isinstance(value, datetime):
                        sheet.write_datetime(line, column, value.astimezone(UTC), instants)
                    elif isinstance(value, bool):
                        sheet.write_boolean(line, column, value)
                    elif isinstance(value, int | float) and abs(value) < 2**53:
                        sheet.write_number(line, column, value)
                    elif value is not None:
                        sheet.write_string(line, column, str(value))
                line += 1
        if sheet is None:
            _sheet(book, names, title)
        book.close()
        file.seek(0)
        while chunk := file.read(CHUNK):
            yield chunk


def _sheet(book: Any, names: Sequence[str], title: str) -> Any:
    sheet = book.add_worksheet(title[:31])
    bold = book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(names):
        sheet.write_string(0, column, name, bold)
    return sheet


def cells(row: msgspec.Struct, names: Sequence[str]) -> Iterator[Any]:
    """Yield the row's values as a table holds them: no value as None, texts, numbers and instants plainly."""
    for name in names:
        value = getattr(row, name)
        if value is None or isinstance(value, str | int | float | datetime):
            yield value
        else:
            yield _cell(msgspec.to_builtins(value))


def _cell(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() >= {"kind", "key"}:
        return value["key"] or value.get("name", "")
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode() if value else ""
    if isinstance(value, list):
        return ";".join(str(_cell(one)) for one in value)
    return value


def _written(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return msgspec.to_builtins(value)
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value if value is not None else ""
