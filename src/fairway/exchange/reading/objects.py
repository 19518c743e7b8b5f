"""Records of named values, as JSON, NDJSON and YAML give them, laid into rows and columns.

A value within a value is named by its path (`owner.team`), several plain values in one cell are separated
by `;`, and a list of records stays as its JSON text. Nothing, null and an empty cell are the same.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO, Final

import ijson  # type: ignore[import-untyped]  # it has none
import msgspec

from fairway.exchange.reading import documents
from fairway.exchange.reading.encodings import check_encoding, check_text
from fairway.exchange.reading.parts import (
    CELL_LIMIT,
    COLUMN_LIMIT,
    LINE_LIMIT,
    NUL,
    TOO_LONG,
    Broken,
    Metered,
    Row,
    Spool,
    Wrong,
    unreadable,
)
from fairway.kernel.errors import Invalid

DEPTH_LIMIT: Final = 8
_NESTED: Final = 60
RECORD_LIMIT: Final = 4 << 20
"""Bytes that one record may take."""


class Records:
    """A file of records; its columns are the names that any of them has, in the order in which they come.

    :raises Invalid: it cannot be taken apart to its end, or has too many names.
    """

    typed = False

    def __init__(self, source: BinaryIO, *, form: str, encoding: str = "utf-8") -> None:
        self.form = form
        size = source.seek(0, io.SEEK_END)
        self._spool = Spool(64 << 20 | size * 8)
        self._names: dict[str, None] = {}
        encoding = check_encoding(encoding)
        check_text(source, encoding, form.upper())
        for number, line, record in _READERS[form](source, encoding):
            self._take(number, line, record)
        if not self._spool.count:
            raise unreadable("The file holds no records.")
        if not self._names:
            self._names[""] = None
        self.header = tuple(self._names)

    def rows(self) -> Iterator[Row | Broken]:
        return self._spool.rows(self.header)

    def count(self) -> int:
        return self._spool.count

    def place(self, row: Row | Broken, column: str) -> str:
        return f"record {row.number}"

    def _take(self, number: int, line: int, record: Any) -> None:
        if isinstance(record, Wrong):
            self._spool.broken(number, line, "", str(record))
            return
        if not isinstance(record, dict):
            told = f"Here stands {_kind(record)} instead of a record with names and values."
            self._spool.broken(number, line, "", told)
            return
        try:
            cells = dict(flat(record))
        except _Unfit as unfit:
            self._spool.broken(number, line, unfit.column, unfit.message)
            return
        for name in cells:
            if name not in self._names:
                self._names[name] = None
                if len(self._names) > COLUMN_LIMIT:
                    raise unreadable(
                        f"The records have more than {COLUMN_LIMIT:,} different names, up to record"
                        f" {number:,};"
                        " so many columns are not read."
                    )
        self._spool.add(number, line, cells)


class _Unfit(Exception):
    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column, self.message = column, message


def flat(record: Mapping[Any, Any], above: str = "", depth: int = 1) -> Iterator[tuple[str, str]]:
    """Yield the values of a record with their paths; a value that fits no cell is `Wrong`.

    :raises _Unfit: it is nested too deeply, or two values have the same path.
    """
    if depth > DEPTH_LIMIT:
        raise _Unfit(above, f"The record is nested deeper than {DEPTH_LIMIT} levels.")
    seen = set()
    for key, value in record.items():
        name = f"{above}.{key}" if above else str(key)
        if len(name) > 300:
            raise _Unfit(name[:60], "The name is longer than 300 characters.")
        pairs = flat(value, name, depth + 1) if isinstance(value, Mapping) else [(name, _cell(value, name))]
        for path, cell in pairs:
            if path in seen:
                raise _Unfit(
                    path, f"“{path[:60]}” stands twice, as a name with a dot and as a name within a name."
                )
            seen.add(path)
            yield path, cell


def _cell(value: Any, name: str) -> str:
    if isinstance(value, list):
        if all(not isinstance(one, list | dict) for one in value):
            texts = [_text(one) for one in value]
            if any(";" in text for text in texts):
                return Wrong(
                    "A value of this list holds a semicolon, which separates values here; leave it out."
                )
            if sum(map(len, texts)) > CELL_LIMIT:
                return Wrong(TOO_LONG)
            text = ";".join(texts)
        else:
            try:
                text = msgspec.json.encode(value).decode()
            except (RecursionError, TypeError, ValueError, OverflowError):
                return Wrong("The list is nested too deeply.")
    else:
        text = _text(value)
    if len(text) > CELL_LIMIT:
        return Wrong(TOO_LONG)
    if "\0" in text:
        return Wrong(NUL)
    return text


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value).encode("utf-8", "replace").decode()  # half of a surrogate pair is no text


def _kind(value: Any) -> str:
    return {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}.get(
        type(value), "nothing"
    )


Found = Iterator[tuple[int, int, Any]]
"""Number and line of a record, and the record: a mapping, or anything else that stands in its place."""


def _json(source: BinaryIO, encoding: str) -> Found:
    """Read a list of records, or one that stands as `items` in an object, as the API answers it."""
    metered = Metered(_utf8(source, encoding), most=RECORD_LIMIT, what="Record")
    try:
        for record in _built(ijson.basic_parse(metered, use_float=True)):
            metered.begin()
            yield metered.number, 0, record
    except Invalid:
        raise
    except (ijson.JSONError, ValueError, RecursionError, OverflowError) as cause:
        said = cause.args[0] if cause.args else cause
        said = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        told = said.strip().partition("\n")[0][:120]
        raise unreadable(
            f"The file is not JSON behind record {metered.number:,}: {told.rstrip('.')}. Was it cut off"
            " on its way?"
        ) from cause
    if not metered.number:
        raise unreadable(
            "The file holds no records; a JSON file is a list of objects, [{…}, {…}], or has such a"
            " list as its"
            " “items”."
        )


def _built(events: Iterator[tuple[str, Any]]) -> Iterator[Any]:
    """Yield the entries of the list at the top, or of that under `items`.

    :raises Invalid: something is nested too deeply; the library's own builder would take all memory.
    """
    stack: list[Any] = []
    keys: list[str] = []
    inside = -1  # how many levels stand around a record; -1: none begins here
    named = ""
    depth = 0
    for event, value in events:
        if event in ("start_map", "start_array"):
            depth += 1
            if depth > _NESTED:
                raise unreadable(f"The file is nested deeper than {_NESTED} levels.")
            if inside < 0 and event == "start_array" and (depth == 1 or (depth == 2 and named == "items")):
                inside = depth
            elif inside >= 0:
                stack.append({} if event == "start_map" else [])
                keys.append("")
            continue
        if event == "map_key":
            if inside < 0:
                named = value if depth == 1 else named
            else:
                keys[-1] = value
            continue
        if event in ("end_map", "end_array"):
            depth -= 1
            if inside < 0:
                continue
            if depth < inside:
                inside = -1
                continue
            value = stack.pop()
            keys.pop()
        elif inside < 0:
            continue
        if not stack:
            yield value
        elif isinstance(stack[-1], dict):
            stack[-1][keys[-1]] = value
        else:
            stack[-1].append(value)


def _ndjson(source: BinaryIO, encoding: str) -> Found:
    """Read one record from each line; a line that is no JSON spoils only itself."""
    text = io.TextIOWrapper(source, encoding=_codec(encoding), errors="strict", newline="\n")
    decode = msgspec.json.Decoder().decode
    number = 0
    try:
        while line := text.readline(LINE_LIMIT + 1):
            number += 1
            if len(line) > LINE_LIMIT and not line.endswith("\n"):
                while line and not line.endswith("\n"):
                    line = text.readline(LINE_LIMIT)
                yield number, number, Wrong(f"The line is longer than {LINE_LIMIT:,} characters; split it.")
                continue
            if not line.strip():
                continue
            try:
                yield number, number, decode(line)
            except (msgspec.DecodeError, RecursionError, ValueError) as cause:
                yield number, number, Wrong(f"The line is not JSON: {str(cause)[:120].rstrip('.')}.")
    finally:
        text.detach()


def _yaml(source: BinaryIO, encoding: str) -> Found:
    text = io.TextIOWrapper(source, encoding=_codec(encoding), errors="strict")
    try:
        yield from documents.records(text)
    finally:
        text.detach()


def _first(source: BinaryIO, encoding: str) -> str:
    source.seek(0)
    head = source.read(1 << 16).decode(_codec(encoding), "ignore").lstrip("\ufeff \t\r\n")
    source.seek(0)
    return head[:1]


def _codec(encoding: str) -> str:
    return "utf-8-sig" if encoding == "utf-8" else encoding


def _utf8(source: BinaryIO, encoding: str) -> Any:
    """Return the source as the JSON parser reads it, in UTF-8 without a mark."""
    return _Reencoded(source, _codec(encoding))


class _Reencoded:
    def __init__(self, source: BinaryIO, codec: str) -> None:
        self._text = io.TextIOWrapper(io.BufferedReader(_Held(source)), encoding=codec, errors="strict")

    def read(self, size: int = -1) -> bytes:
        return self._text.read(size).encode()


class _Held(io.RawIOBase):
    """A source that stays open when what reads it is closed."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._source.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


_READERS: Final[Mapping[str, Callable[[BinaryIO, str], Found]]] = {
    "json": _json,
    "ndjson": _ndjson,
    "yaml": _yaml,
}
