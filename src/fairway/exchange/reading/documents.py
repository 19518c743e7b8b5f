"""YAML as plain values: mappings, lists and texts, a record at a time, whatever bombs it holds.

All scalars stay texts, so that `no` is `no` and version 1.10 keeps its nought; an empty one, `~` and `null`
are nothing. An alias stands for its anchor's value, counted each time, and `<<` merges. Tags mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TextIO

import yaml

from fairway.exchange.reading.parts import Metered, unreadable
from fairway.kernel.errors import Invalid

DEPTH_LIMIT: Final = 40
SIZE_LIMIT: Final = 100_000
"""Values a document (or a record of a list) may have, aliases counted each time; long texts count more."""
RECORD_LIMIT: Final = 8 << 20
"""Bytes of one document or record."""
_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a file: its number and the line where it begins, both from 1."""

    number: int
    line: int
    value: Any


def records(text: TextIO) -> Iterator[tuple[int, int, Any]]:
    """Yield each record: a document, or an entry of a document that is a list; nothing is passed over."""
    number = 0
    for _, line, value in _built(text, split=True):
        if value is None:
            continue
        number += 1
        yield number, line, value


def read(text: TextIO) -> Iterator[Document]:
    """Yield the documents of a file; empty ones are passed over but numbered.

    :raises Invalid: it is not YAML to its end, nested too deeply, or unfolds to too much.
    """
    for number, line, value in _built(text, split=False):
        if value is not None:
            yield Document(number, line, value)


@dataclass(slots=True)
class _Open:
    """A mapping or list in the making. `size` counts the values in it; `key` waits for its value."""

    value: Any
    anchor: str | None
    line: int
    size: int = 1
    key: Any = None
    waiting: bool = False
    merged: dict[str, Any] = field(default_factory=dict)


def _built(text: TextIO, *, split: bool) -> Iterator[tuple[int, int, Any]]:
    metered = Metered(text, most=RECORD_LIMIT, what="Document")
    try:
        yield from _build(yaml.parse(metered, Loader=_LOADER), metered, split=split)
    except Invalid:
        raise
    except yaml.MarkedYAMLError as cause:
        mark = cause.problem_mark or cause.context_mark
        where = f" in line {mark.line + 1:,}, column {mark.column + 1}" if mark else ""
        line = mark.line + 1 if mark else 1
        raise unreadable(
            f"The file is not YAML{where}: {cause.problem or cause.context}.", line=line
        ) from cause
    except yaml.YAMLError as cause:
        raise unreadable(f"The file is not YAML: {' '.join(str(cause).split())[:200]}.") from cause


def _build(events: Iterator[Any], metered: Metered, *, split: bool) -> Iterator[tuple[int, int, Any]]:
    stack: list[_Open] = []
    anchors: dict[str, tuple[Any, int]] = {}
    document, spread = 0, False
    for event in events:
        kind = type(event)
        if kind is yaml.DocumentStartEvent:
            document += 1
            anchors, spread = {}, False
            metered.begin()
            continue
        line = event.start_mark.line + 1
        if kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            if len(stack) >= DEPTH_LIMIT:
                raise unreadable(f"Line {line:,} is nested deeper than {DEPTH_LIMIT} levels.", line=line)
            if split and not stack and kind is yaml.SequenceStartEvent:
                spread = True
            stack.append(_Open({} if kind is yaml.MappingStartEvent else [], event.anchor, line))
            continue
        if kind is yaml.ScalarEvent:
            plain = event.implicit[0] and event.style in (None, "")
            value, size = (
                None if plain and event.value in _NOTHING else event.value,
                1 + len(event.value) // 100,
            )
            if event.anchor:
                anchors[event.anchor] = (value, size)
        elif kind is yaml.AliasEvent:
            if event.anchor not in anchors:
                raise unreadable(
                    f"Line {line:,} names *{event.anchor[:40]}, which is defined nowhere.", line=line
                )
            value, size = anchors[event.anchor]
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            done = stack.pop()
            value, size, line = done.value, done.size, done.line
            if done.merged:
                value = {**done.merged, **value}
            if done.anchor:
                anchors[done.anchor] = (value, size)
            if spread and not stack:
                continue
        else:
            continue
        if not stack:
            yield document, line, value
            continue
        if spread and len(stack) == 1:
            metered.begin()
            stack[0].size = 1
            yield document, line, value
            continue
        _put(stack[-1], value, size, line)


def _put(into: _Open, value: Any, size: int, line: int) -> None:
    into.size += size
    if into.size > SIZE_LIMIT:
        raise unreadable(
            f"What begins in line {into.line:,} has more than {SIZE_LIMIT:,} values, aliases (*)"
            f" counted each time;"
            " split it.",
            line=line,
        )
    if isinstance(into.value, list):
        into.value.append(value)
    elif not into.waiting:
        if isinstance(value, dict | list):
            raise unreadable(f"Line {line:,}: a name is a text, no list and no mapping.", line=line)
        into.key, into.waiting = "" if value is None else value, True
    else:
        into.waiting = False
        if into.key == "<<":
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, dict):
                    into.merged = {**part, **into.merged}
        elif into.key in into.value:
            raise unreadable(f"Line {line:,}: “{str(into.key)[:60]}” stands twice in one mapping.", line=line)
        else:
            into.value[into.key] = value
