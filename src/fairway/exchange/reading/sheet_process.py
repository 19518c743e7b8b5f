"""Reads one sheet of a workbook in a process of its own, with little memory, and writes its rows as lines.

A workbook can make its reader need any amount of memory (two cells a million rows apart, one long text named
a million times); here that ends this process and nothing else. It is run as a script and imports nothing of
ours. Lines are JSON: first `{"sheets": […], "sheet": NAME}` or `{"fault": MESSAGE}`, then `[row, cells]`.
A cell that holds an error is a list with its text, such as `["#DIV/0!"]`.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.etree import ElementTree

MEMORY, SECONDS = 640 << 20, 300
ERROR_LIMIT = 100_000
_ERROR = re.compile(
    rb"<(?:\w+:)?c\b([^>]*\bt=[\"']e[\"'][^>]*)>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]{0,40})<", re.DOTALL
)
_PLACE = re.compile(rb"\br=[\"']([A-Z]{1,3})([0-9]{1,7})[\"']")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"


def main(path: str, wanted: str) -> None:
    _limit()
    from python_calamine import SheetTypeEnum, SheetVisibleEnum, load_workbook  # noqa: PLC0415 - once memory is limited

    book = load_workbook(path)
    sheets = [
        one.name for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet
    ] or book.sheet_names
    shown = [
        one.name
        for one in book.sheets_metadata
        if one.visible == SheetVisibleEnum.Visible and one.name in sheets
    ]
    named = [name for name in sheets if name == wanted] or [
        name for name in sheets if name.casefold() == wanted.casefold()
    ]
    if wanted and not named:
        told = ", ".join(f"“{name}”" for name in sheets[:20])
        _say({"fault": f"The workbook has no sheet “{wanted[:60]}”; it has {told}."})
        return
    name = named[0] if wanted else (shown or sheets)[0]
    with zipfile.ZipFile(path) as archive:
        errors = _errors(archive, _part(archive, name))
    _say({"sheets": sheets, "sheet": name})
    sheet = book.get_sheet_by_name(name)
    if sheet.start is None:
        return
    before = [""] * sheet.start[1]  # rows are given from the first one on, columns from where cells begin
    for number, row in enumerate(sheet.iter_rows(), start=1):
        cells: list[Any] = before + [_text(cell) for cell in row]
        for column, error in errors.get(number, ()):
            if column < len(cells):
                cells[column] = [error]
        if any(cells):
            _say([number, cells])


def _limit() -> None:
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def _part(archive: zipfile.ZipFile, name: str) -> str:
    """Return where in the archive a sheet stands."""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 - see the import
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 - see the import
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    for sheet in book.iter():
        if sheet.tag.rpartition("}")[2] == "sheet" and sheet.get("name") == name:
            target = targets.get(sheet.get(_RELATION) or sheet.get(_STRICT)) or ""
            return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    raise KeyError(name)


def _errors(archive: zipfile.ZipFile, part: str) -> dict[int, list[tuple[int, str]]]:
    """Return the cells that hold an error, by row: the reader gives them as empty."""
    found: dict[int, list[tuple[int, str]]] = {}
    count = 0
    for text in _pieces(archive, part):
        if b"e" not in text:
            continue
        for match in _ERROR.finditer(text):
            place = _PLACE.search(match[1])
            count += 1
            if place is None or count > ERROR_LIMIT:
                raise ValueError("errors that cannot be placed")
            column = 0
            for letter in place[1]:
                column = column * 26 + letter - 64
            found.setdefault(int(place[2]), []).append((column - 1, match[2].decode("utf-8", "replace")))
    return found


def _pieces(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Yield the text of a part in pieces that do not cut a row in two."""
    with archive.open(part) as source:
        held = b""
        while chunk := source.read(1 << 20):
            held += chunk
            cut = held.rfind(b"</row>") + 1 or held.rfind(b":row>") + 1
            if cut:
                yield held[:cut]
                held = held[cut:]
        yield held


def _text(cell: Any) -> str:
    """Return a cell as a person would type it: whole numbers without .0, dates and times in ISO form."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, timedelta):
        hours, rest = divmod(round(cell.total_seconds()), 3600)
        return f"PT{hours}H{rest // 60}M" + (f"{rest % 60}S" if rest % 60 else "")
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell)


def _say(line: Any) -> None:
    sys.stdout.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False))
    sys.stdout.write("\n")


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    main(sys.argv[1], sys.argv[2])
