"""How text becomes words: the same on both databases, for they are handed words and compare bytes alone.

A word is a run of letters and figures, case-folded, without accents. A record is kept as a set of marks:

    pay        a word of its key, title or body
    =pay       a word of its key or title
    ~pay       three letters in a row of a word of its key or title
    @12 #item  its organisation and kind, so that both narrow a search before any row is read
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

LONGEST_WORD, MOST_WORDS = 60, 2_000
_WORD = re.compile(r"[^\W_]+")


def folded(text: str) -> str:
    """Return the text as it is compared: case-folded and without accents (compatibility forms unified)."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in plain if not unicodedata.combining(one)).casefold()


def words(text: str) -> list[str]:
    """Return the words of a text in their order, each once and at most sixty characters long."""
    return list(dict.fromkeys(word[:LONGEST_WORD] for word in _WORD.findall(folded(text))))


def index(*, kind: str, organisation: int | None, key: str, title: str, body: Iterable[str]) -> str:
    """Return the marks of a record, joined by blanks; at most some two thousand words of its body."""
    naming = words(f"{key} {title}")
    marks = dict.fromkeys([f"#{kind}", f"@{organisation or 0}"])
    marks |= dict.fromkeys(f"={word}" for word in naming)
    marks |= dict.fromkeys(f"~{three}" for word in naming for three in threes(word))
    marks |= dict.fromkeys(naming)
    for text in body:
        marks |= dict.fromkeys(words(text)[:MOST_WORDS])
        if len(marks) > MOST_WORDS:
            break
    return " ".join(marks)


def threes(word: str) -> list[str]:
    """Return each three characters in a row of a word, none of a shorter one."""
    return [word[at : at + 3] for at in range(len(word) - 2)]
