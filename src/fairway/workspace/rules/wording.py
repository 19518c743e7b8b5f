"""The difference of two texts, word by word; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

SAME, GONE, NEW = "same", "gone", "new"
Part = tuple[str, str]
"""(same, gone or new; words)."""

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
MOST = 1_000
"""More lines, or more words of one passage, are told as replaced: comparing takes the square of that."""


def difference(before: str, after: str) -> list[Part]:
    """Return the parts that lead from one text to the other: lines first, then the words of those changed.

    Source: Ratcliff and Metzener, gestalt pattern matching, as in difflib.
    """
    found: list[Part] = []
    for kind, words in _parts(before, after):
        if found and found[-1][0] == kind:
            found[-1] = kind, found[-1][1] + words
        else:
            found.append((kind, words))
    return found


def _parts(before: str, after: str) -> Iterator[Part]:
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    if len(old) > MOST or len(new) > MOST:
        yield from _replaced(before, after)
        return
    for kind, a, b, c, d in SequenceMatcher(None, old, new).get_opcodes():
        gone, come = "".join(old[a:b]), "".join(new[c:d])
        if kind == "equal":
            yield SAME, gone
        elif kind == "replace":
            yield from _by_words(_WORDS.findall(gone), _WORDS.findall(come))
        else:
            yield from _replaced(gone, come)


def _by_words(old: Sequence[str], new: Sequence[str]) -> Iterator[Part]:
    if len(old) > MOST or len(new) > MOST:
        yield from _replaced("".join(old), "".join(new))
        return
    for kind, a, b, c, d in SequenceMatcher(None, old, new).get_opcodes():
        if kind == "equal":
            yield SAME, "".join(old[a:b])
        else:
            yield from _replaced("".join(old[a:b]), "".join(new[c:d]))


def _replaced(gone: str, come: str) -> Iterator[Part]:
    if gone:
        yield GONE, gone
    if come:
        yield NEW, come
