"""Reading ahead: what many commands of one batch will ask for is read for all of them in few statements.

Only inside `reading_ahead()`, which the command frame enters for a batch, within its transaction; elsewhere
every question is asked as it comes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")
_read: ContextVar[dict[tuple[str, Hashable], Any] | None] = ContextVar("read", default=None)


@contextmanager
def reading_ahead() -> Iterator[None]:
    """Keep what is read ahead until the end of the block."""
    token = _read.set({})
    try:
        yield
    finally:
        _read.reset(token)


def learn(what: str, found: Mapping[Any, Any]) -> None:
    """Keep answers by their key; None says that there is no such thing."""
    read = _read.get()
    if read is not None:
        read.update(((what, key), answer) for key, answer in found.items())


def recall(what: str, key: Hashable, ask: Callable[[], T]) -> T:
    """Return the answer known, else ask and keep it: for what no command of the batch writes."""
    read = _read.get()
    if read is None:
        return ask()
    if (what, key) not in read:
        read[what, key] = ask()
    answer: T = read[what, key]
    return answer


def take(what: str, key: Hashable, ask: Callable[[], T]) -> T:
    """Return the answer known, once, else ask: for what the asking command is about to write."""
    read = _read.get()
    if read is None or (what, key) not in read:
        return ask()
    answer: T = read.pop((what, key))
    return answer


def known(what: str) -> Callable[[Hashable], Any | None]:
    """Return a look-up among the answers kept; it gives None for what was not learnt."""
    read = _read.get()
    return (lambda key: read.get((what, key))) if read is not None else (lambda key: None)
