"""What search words ask for, how near a record comes to them, and what of it they met."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from fairway.workspace.rules.words import folded, threes, words

MOST_TERMS, LONGEST_QUERY = 8, 400
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked: `whole`, as it was typed but folded, for keys and beginnings of titles; and its words.

    A record is found when each word begins one of its own; where there is none such, when each word stands
    anywhere within its key or title.
    """

    whole: str
    words: tuple[str, ...]

    @property
    def inside(self) -> tuple[str, ...]:
        """The threes that a key or title must have to hold all these words; none where one is too short."""
        if not self.words or any(len(word) < 3 for word in self.words):
            return ()
        return tuple(dict.fromkeys(three for word in self.words for three in threes(word)))


def read_terms(text: str) -> Terms:
    """Return what a query asks for. There is no wrong query: other signs only part words."""
    text = text[:LONGEST_QUERY].encode(errors="ignore").decode().replace("\x00", " ")
    text = " ".join(text.split())
    return Terms(folded(text), tuple(words(text)[:MOST_TERMS]))


class Rank(IntEnum):
    """How near a record comes to what was asked, nearest first."""

    KEY = 0
    KEY_BEGINS = 1
    TITLE_BEGINS = 2
    NAMING = 3
    BODY = 4
    INSIDE = 5
    NOT = 9


@dataclass(frozen=True, slots=True)
class Found:
    """One record that a search found; `body`: the beginning of its free text."""

    pk: int
    kind: str
    uid: str
    organisation: int | None
    key: str
    title: str
    body: str
    state: str
    archived: bool
    updated: datetime
    rank: Rank = Rank.NOT


def rank(terms: Terms, *, key: str, title: str, marks: str) -> Rank:
    """Say how near a record comes to the words; `marks`: as `index` gives them."""
    key, title = folded(key), folded(title)
    if terms.whole:
        if key == terms.whole:
            return Rank.KEY
        if key.startswith(terms.whole):
            return Rank.KEY_BEGINS
        if title.startswith(terms.whole):
            return Rank.TITLE_BEGINS
    if not terms.words:
        return Rank.NOT
    own = f" {marks}"
    if all(f" ={word}" in own for word in terms.words):
        return Rank.NAMING
    if all(f" {word}" in own for word in terms.words):
        return Rank.BODY
    naming = words(f"{key} {title}")
    if all(len(word) >= 3 and any(word in mine for mine in naming) for word in terms.words):
        return Rank.INSIDE
    return Rank.NOT


def ordered(found: Iterable[Found]) -> list[Found]:
    """Return them nearest first: what is in use before what is archived, then by title and key."""
    return sorted(found, key=lambda one: (one.archived, one.rank, folded(one.title), one.key, one.pk))


def marked(text: str, terms: Terms) -> list[tuple[str, bool]]:
    """Return the text in pieces, each with whether the words met it: for showing what was found."""
    pieces: list[tuple[str, bool]] = []
    done = 0
    for start, end in _hits(text, terms):
        pieces += [(text[done:start], False), (text[start:end], True)]
        done = end
    return [(piece, hit) for piece, hit in [*pieces, (text[done:], False)] if piece]


def passage(body: str, terms: Terms, *, around: int = 60) -> str:
    """Return the line or so of a text about the first place that the words met, or nothing."""
    first = next(iter(_hits(body, terms)), None)
    if first is None:
        return ""
    start, end = max(0, first[0] - around), min(len(body), first[1] + 2 * around)
    if start:
        start = body.find(" ", start, first[0]) + 1 or start
    cut = body[start:end].strip()
    return ("… " if start else "") + " ".join(cut.split()) + (" …" if end < len(body) else "")


def _hits(text: str, terms: Terms) -> Sequence[tuple[int, int]]:
    """Return where words begin that were asked for, and how far; else where these stand inside a word."""
    begun: list[tuple[int, int]] = []
    inside: list[tuple[int, int]] = []
    for found in _WORD.finditer(text):
        word, at = found.group(), found.start()
        plain = folded(word)
        for term in sorted(terms.words, key=len, reverse=True):
            place = plain.find(term)
            if place < 0:
                continue
            # folding may change lengths (ß, ligatures); then the whole word is shown as met
            spans = (place, place + len(term)) if len(plain) == len(word) else (0, len(word))
            (inside if place else begun).append((at + spans[0], at + spans[1]))
            break
    return begun or inside
