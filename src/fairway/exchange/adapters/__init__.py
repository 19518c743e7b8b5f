"""Adapters: each reads one sort of file that describes a landscape, as items and relations.

An adapter is a module of its own that knows nothing but documents; to add one, copy the nearest and enter it
in `ADAPTERS`.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Mapping
from typing import BinaryIO, Final

from fairway.exchange.adapters import backstage, compose, kubernetes
from fairway.exchange.adapters.found import Adapter, Fault, Item, Link, Note
from fairway.exchange.reading import Broken, Row, Spool, check_encoding, check_text, unreadable
from fairway.exchange.reading.documents import Document, read
from fairway.exchange.reading.encodings import marked
from fairway.exchange.report import RowProblem
from fairway.kernel.errors import Invalid

ADAPTERS: Final[Mapping[str, Adapter]] = {
    adapter.name: adapter for adapter in (backstage.ADAPTER, kubernetes.ADAPTER, compose.ADAPTER)
}
_ITEM: Final = ("key", "name", "kind", "description", "owner_team", "external_id")


class Part:
    """What an adapter found of one kind, in the words of the importer."""

    typed = False

    def __init__(self, most: int) -> None:
        self._spool = Spool(most)
        self._names: dict[str, None] = {}
        self._documents: list[int] = []

    @property
    def header(self) -> tuple[str, ...]:
        return tuple(self._names)

    @header.setter
    def header(self, names: tuple[str, ...]) -> None:
        self._names = dict.fromkeys(names)

    def add(self, document: Document, cells: Mapping[str, str]) -> None:
        self._documents.append(document.number)
        self._names |= dict.fromkeys(cells)
        self._spool.add(len(self._documents), document.line, cells)

    def broken(self, document: Document, message: str) -> None:
        self._documents.append(document.number)
        self._spool.broken(len(self._documents), document.line, "", message)

    def rows(self) -> Iterator[Row | Broken]:
        return self._spool.rows(self.header)

    def count(self) -> int:
        return self._spool.count

    def place(self, row: Row | Broken, column: str) -> str:
        return f"document {self._documents[row.number - 1]} (line {row.line})"


class Found:
    """Items and relations of one file; `notes` tell what was passed over on purpose."""

    def __init__(self, size: int) -> None:
        self.items, self.relations = Part(64 << 20 | size * 8), Part(64 << 20 | size * 8)
        self.items.header, self.relations.header = ("key", "name", "kind"), ("source", "target", "kind")
        self.notes: list[RowProblem] = []

    def note(self, document: Document, message: str) -> None:
        if len(self.notes) < 1_000:
            place = f"document {document.number} (line {document.line})"
            self.notes.append(RowProblem(document.number, document.line, "", "", message, place))


def adapted(
    source: BinaryIO, adapter: Adapter, *, teams: Collection[str], encoding: str | None = None
) -> Found:
    """Read a whole file through an adapter; owners that are none of `teams` stay as an attribute alone.

    :raises Invalid: it is not YAML to its end, or holds nothing that the adapter knows; says what it looks
        like instead.
    """
    found = Found(source.seek(0, io.SEEK_END))
    known, unknown_teams = 0, set[str]()
    joined: dict[tuple[str, str, str], None] = {}

    def accepted() -> Iterator[Document]:
        nonlocal known
        for document in _documents(source, encoding):
            for one in _opened(document):
                if isinstance(one.value, Mapping) and adapter.accepts(one.value):
                    known += 1
                    yield one
                else:
                    other = _looks_like(one.value)
                    told = f"; it looks like {other.what}: import it as {other.name}" if other else ""
                    found.items.broken(one, f"The document is not {adapter.part}{told}.")

    for one in adapter.read(accepted()):
        if isinstance(one, Item):
            cells = {name: str(value) for name, value in one.values.items() if value not in (None, "")}
            team = cells.get("owner_team", "")
            if team and team not in teams:
                del cells["owner_team"]
                if team not in unknown_teams:
                    unknown_teams.add(team)
                    found.note(
                        one.document,
                        f"There is no team “{team[:60]}”; its items are stored without an owner, and keep its"
                        " name as the attribute owner.",
                    )
            found.items.add(one.document, cells)
        elif isinstance(one, Link):
            link = (one.source, one.target, one.kind)
            if link not in joined and one.source != one.target:
                joined[link] = None
                found.relations.add(one.document, dict(zip(("source", "target", "kind"), link, strict=True)))
        elif isinstance(one, Note):
            found.note(one.document, one.message)
        else:
            assert isinstance(one, Fault)  # noqa: S101 - there is nothing else
            found.items.broken(one.document, one.message)
    if not known:
        raise _wrong_file(source, adapter, encoding)
    return found


def adapter_for(source: BinaryIO) -> Adapter | None:
    """Return the adapter that a file is for, by its first document, or None."""
    try:
        for document in _documents(source, None):
            for one in _opened(document):
                return _looks_like(one.value)
    except (Invalid, UnicodeError):
        return None
    return None


def _documents(source: BinaryIO, encoding: str | None) -> Iterator[Document]:
    codec = check_encoding(encoding or marked(source) or "utf-8")
    check_text(source, codec, "YAML")
    text = io.TextIOWrapper(source, encoding="utf-8-sig" if codec == "utf-8" else codec)
    try:
        yield from read(text)
    finally:
        text.detach()


def _opened(document: Document) -> Iterator[Document]:
    """Take apart a list of documents, as `kubectl get -o yaml` gives it."""
    value = document.value
    if isinstance(value, Mapping) and str(value.get("kind", "")).endswith("List"):
        entries = value.get("items")
        for one in entries if isinstance(entries, list) else []:
            yield Document(document.number, document.line, one)
    else:
        yield document


def _looks_like(value: object) -> Adapter | None:
    if not isinstance(value, Mapping):
        return None
    return next((adapter for adapter in ADAPTERS.values() if adapter.accepts(value)), None)


def _wrong_file(source: BinaryIO, adapter: Adapter, encoding: str | None) -> Invalid:
    first = next((one for document in _documents(source, encoding) for one in _opened(document)), None)
    if first is None:
        return unreadable(f"The file is empty; it is not {adapter.what}.")
    other = _looks_like(first.value)
    if other is not None:
        looks = f"It looks like {other.what}; import it as {other.name}."
    elif isinstance(first.value, Mapping):
        names = ", ".join(str(name)[:30] for name in list(first.value)[:6])
        looks = f"It is a document with {names}." if names else "Its first document holds nothing."
    elif isinstance(first.value, list):
        looks = "It is a list; such records are imported as items, with columns named like the fields."
    else:
        looks = f"It is plain text that begins with “{str(first.value)[:40]}”."
    return unreadable(f"The file is not {adapter.what}: {adapter.sign}. {looks}")
