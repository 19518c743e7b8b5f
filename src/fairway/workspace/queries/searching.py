"""Finding records by words, among those that the actor may see.

Every statement is limited, and narrowed by organisation and kind before it reads a row; what is near is
looked for before what is far, so that the first letters of a name cost no more than the last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from fairway.accounts import queries as accounts
from fairway.kernel.actor import Actor
from fairway.kernel.db import fetch
from fairway.workspace.queries.kinds import Kind, kinds_of
from fairway.workspace.rules import Found, Rank, Terms, ordered, rank, read_terms

MOST = 500
"""So many are ranked and shown; beyond, the words say too little."""
COUNTED = 10_000
_LAST = "\U0010ffff"
_COLUMNS = (
    "s.id, s.kind, s.uid, s.organisation_id, s.key, s.title, '', s.state, s.archived, s.updated_at, s.marks"
)


@dataclass(frozen=True, slots=True)
class Results:
    """`found`: nearest first; `counts`: how many of each kind there are in all, up to `COUNTED` together."""

    terms: Terms
    found: tuple[Found, ...]
    counts: dict[str, int]
    more: bool

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class _Scope:
    """Which rows may be found at all: of these kinds, in these organisations (None: all)."""

    kinds: tuple[str, ...]
    organisations: tuple[int, ...] | None
    archived: bool = False

    @property
    def where(self) -> tuple[str, list[Any]]:
        text, values = f"s.kind IN ({_holes(self.kinds)})", list[Any](self.kinds)
        if self.organisations is not None:
            text += f" AND s.organisation_id IN ({_holes(self.organisations)})"
            values += self.organisations
        if not self.archived:
            text += " AND NOT s.archived"
        return text, values


def search(
    actor: Actor, text: str, *, kind: str = "", archived: bool = False, limit: int = 20, offset: int = 0
) -> Results:
    """Return what the words find, nearest first, and how many of each kind; at most `MOST` can be reached."""
    terms, known = read_terms(text), kinds_of(actor)
    wide = _scope(actor, known, archived=archived)
    if wide is None or not terms.whole:
        return Results(terms, (), {}, False)
    narrow = replace(wide, kinds=tuple(one for one in wide.kinds if not kind or one == kind))
    counts, inside = _counts(terms, wide)
    found: dict[int, Found] = {}
    if narrow.kinds:
        for part in _near(terms, narrow, most=MOST, inside=inside):
            found.update((one.pk, one) for one in part)
    best = ordered(found.values())[:MOST]
    shown = _with_bodies(best[offset : offset + limit])
    return Results(terms, tuple(shown), counts, len(best) > offset + limit)


def _with_bodies(found: Sequence[Found]) -> list[Found]:
    """Return them with the beginnings of their free text, which only what is shown needs."""
    if not found:
        return []
    query = f"SELECT id, body FROM workspace_searchrow WHERE id IN ({_holes(found)})"  # noqa: S608
    bodies = dict(fetch(query, [one.pk for one in found]))
    return [replace(one, body=bodies.get(one.pk, "")) for one in found]


def suggest(actor: Actor, text: str, *, limit: int = 8) -> list[Found]:
    """Return the few nearest records, for somebody who is still typing."""
    terms = read_terms(text)
    scope = _scope(actor, kinds_of(actor))
    if scope is None or not terms.whole:
        return []
    found: dict[int, Found] = {}
    for part in _near(terms, scope, most=4 * limit, inside=None):
        found.update((one.pk, one) for one in part)
        if len(found) >= limit:
            break
    return ordered(found.values())[:limit]


def exact(actor: Actor, text: str) -> Found | None:
    """Return the one record whose key this is, archived or not; None where it is none's, or several'."""
    terms = read_terms(text)
    scope = _scope(actor, kinds_of(actor), archived=True)
    if scope is None or not terms.whole or len(terms.whole) > 110:
        return None
    found = list(_begins("key_folded", terms, scope, most=2, whole=True))
    return found[0] if len(found) == 1 else None


def _scope(actor: Actor, kinds: Sequence[Kind], *, archived: bool = False) -> _Scope | None:
    """Return what the actor may find; None: nothing."""
    organisations = accounts.access(actor).organisations
    if not kinds or organisations == frozenset():
        return None
    seen = None if organisations is None else tuple(sorted(organisations))
    return _Scope(tuple(kind.name for kind in kinds), seen, archived)


def _near(terms: Terms, scope: _Scope, *, most: int, inside: bool | None) -> Iterator[Iterable[Found]]:
    """Yield what is found, the nearer first. `inside`: whether to look within words; None: if need be."""
    yield _begins("key_folded", terms, scope, most=most)
    yield _begins("title_folded", terms, scope, most=most)
    if not terms.words:
        return
    if not inside:
        naming = list(_full(terms, scope, [f"={word}" for word in terms.words], most=most))
        yield naming
        if sum(len(word) for word in terms.words) == 1:
            return  # one letter: what merely holds a word with it says nothing
        body = list(_full(terms, scope, terms.words, most=most))
        yield body
        if naming or body or inside is False:
            return
    if terms.inside:
        marks = [f"~{three}" for three in terms.inside]
        yield _full(terms, scope, marks, most=most, whole=True)


def _begins(column: str, terms: Terms, scope: _Scope, *, most: int, whole: bool = False) -> Iterable[Found]:
    """Find rows whose key or title begins with what was typed (or is it), by the index on it."""
    here = f's.{column} COLLATE "C"' if connection.vendor == "postgresql" else f"s.{column}"
    where, values = scope.where
    until = terms.whole if whole else terms.whole + _LAST
    query = (
        f"SELECT {_COLUMNS} FROM workspace_searchrow s WHERE {here} >= %s AND {here} <= %s AND {where}"  # noqa: S608
        f" ORDER BY {here}, s.id LIMIT %s"
    )
    return _read(terms, fetch(query, [terms.whole, until, *values, most]))


def _full(
    terms: Terms, scope: _Scope, marks: Collection[str], *, most: int, whole: bool = False
) -> Iterable[Found]:
    """Find rows that have all these marks, each as the beginning of one of theirs unless `whole`."""
    where, values = scope.where
    joined, asked = _match(scope, marks, whole=whole)
    query = f"SELECT {_COLUMNS} {joined} AND {where} ORDER BY s.id DESC LIMIT %s"
    return _read(terms, fetch(query, [asked, *values, most]))


def _counts(terms: Terms, scope: _Scope) -> tuple[dict[str, int], bool]:
    """Return how many rows of each kind the words find, and whether these stand inside words only."""
    if not terms.words:
        found = _begins("key_folded", terms, scope, most=MOST)
        pairs = {one.pk: one.kind for one in [*found, *_begins("title_folded", terms, scope, most=MOST)]}
        return _tally(pairs.values()), False
    where, values = scope.where

    def count(marks: Collection[str], *, whole: bool) -> dict[str, int]:
        joined, asked = _match(scope, marks, whole=whole)
        few = f"SELECT s.kind AS kind {joined} AND {where} LIMIT %s"
        query = f"SELECT kind, COUNT(*) FROM ({few}) few GROUP BY kind"  # noqa: S608
        return dict(fetch(query, [asked, *values, COUNTED]))

    single = sum(len(word) for word in terms.words) == 1
    counts = count([f"={word}" for word in terms.words] if single else terms.words, whole=False)
    if counts or not terms.inside:
        return counts, False
    marks = [f"~{three}" for three in terms.inside]
    return _tally(one.kind for one in _full(terms, scope, marks, most=MOST, whole=True)), True


def _tally(kinds: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for kind in kinds:
        counts[kind] = counts.get(kind, 0) + 1
    return counts


def _match(scope: _Scope, marks: Collection[str], *, whole: bool) -> tuple[str, str]:
    """Return the beginning of a statement on full text, and the value of its one parameter.

    The marks hold letters, figures and our own signs alone, so nothing in them can be read as an operator.
    """
    wanted = [(mark, not whole) for mark in marks]
    narrowing: list[list[str]] = [[f"#{kind}" for kind in scope.kinds]]
    if scope.organisations is not None:
        narrowing.append([f"@{one}" for one in scope.organisations])
    if connection.vendor == "postgresql":
        parts = [f"'{mark}':*" if begins else f"'{mark}'" for mark, begins in wanted]
        parts += ["(" + " | ".join(f"'{one}'" for one in some) + ")" for some in narrowing]
        return "FROM workspace_searchrow s WHERE s.found @@ %s::tsquery", " & ".join(parts)
    parts = [f'"{mark}" *' if begins else f'"{mark}"' for mark, begins in wanted]
    parts += ["(" + " OR ".join(f'"{one}"' for one in some) + ")" for some in narrowing]
    joined = (
        "FROM workspace_search_full f JOIN workspace_searchrow s ON s.id = f.rowid"
        " WHERE f.workspace_search_full MATCH %s"
    )
    return joined, " AND ".join(parts)


def _read(terms: Terms, rows: Iterable[tuple[Any, ...]]) -> list[Found]:
    """Return rows as what they are to the words; those that only share letters with them are left out."""
    found = []
    for pk, kind, uid, organisation, key, title, body, state, archived, updated, marks in rows:
        near = rank(terms, key=key, title=title, marks=marks)
        if near is not Rank.NOT:
            found.append(
                Found(
                    pk, kind, _text(uid), organisation, key, title, body, state, bool(archived),
                    _instant(updated), near,
                )
            )  # fmt: skip
    return found


def _text(uid: object) -> str:
    text = str(uid)
    return text if "-" in text else f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _instant(at: datetime | str) -> datetime:
    """Return an instant as read without the model, which on SQLite may be text, and without a zone."""
    read = datetime.fromisoformat(at) if isinstance(at, str) else at
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _holes(values: Collection[object]) -> str:
    return ", ".join(["%s"] * len(values))
