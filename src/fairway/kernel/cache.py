"""Values kept per process, keyed by a revision that the database gives out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, TypeVar

from django.db import connection, transaction

K = TypeVar("K")
T = TypeVar("T")


class Remembered(Generic[K, T]):
    """Facts about committed rows that never change, such as the uid of a key; at most so many, then anew."""

    _all: ClassVar[list[Remembered[Any, Any]]] = []

    def __init__(self, *, most: int) -> None:
        self._facts: dict[K, T] = {}
        self._most = most
        Remembered._all.append(self)

    def get(self, key: K) -> T | None:
        return self._facts.get(key)

    def learn(self, facts: Mapping[K, T]) -> None:
        """Add facts; call it once what they are about is committed."""
        if len(self._facts) + len(facts) > self._most:
            self._facts = {}
        self._facts.update(facts)

    @classmethod
    def forget_all(cls) -> None:
        for remembered in cls._all:
            remembered._facts = {}


class Kept(Generic[T]):
    """One value for the whole process, made anew once the revision that it follows from has moved on.

    `load` gets the revision asked for and what was kept before as (revision, value), None at first or when
    the database went back (a restore). Whoever calls reads the revision first and the rows after: a value
    may be newer than its revision says, never older, so `load` must bear to see an event twice.

    What is read inside a transaction may yet be rolled back: it is kept for that transaction alone and
    becomes the process's own when it commits.
    """

    _all: ClassVar[list[Kept[Any]]] = []

    def __init__(self, load: Callable[[int, tuple[int, T] | None], T]) -> None:
        self._load = load
        self._shared: tuple[int, T] | None = None
        self._own = threading.local()
        self._lock = threading.Lock()
        Kept._all.append(self)

    def at(self, revision: int) -> T:
        """Return the value at a revision just read from the database."""
        held = self._held()
        if held is not None and held[0] == revision:
            return held[1]
        if connection.in_atomic_block:
            return self._provisional(revision, held)
        with self._lock:
            held = self._shared
            if held is None or held[0] != revision:
                self._shared = held = (revision, self._load(revision, self._before(revision, held)))
            return held[1]

    def _held(self) -> tuple[int, T] | None:
        entry, published = getattr(self._own, "entry", (None, None))
        if entry is None:
            return self._shared
        # Django drops what waits for the commit when transaction or savepoint are rolled back
        if connection.in_atomic_block and any(
            waiting[1] is published for waiting in connection.run_on_commit
        ):
            held: tuple[int, T] = entry
            return held
        self._own.entry = (None, None)
        return self._shared

    def _provisional(self, revision: int, held: tuple[int, T] | None) -> T:
        entry = (revision, self._load(revision, self._before(revision, held)))

        def publish() -> None:
            if self._shared is None or self._shared[0] < revision:
                self._shared = entry

        self._own.entry = (entry, publish)
        transaction.on_commit(publish)
        return entry[1]

    @staticmethod
    def _before(revision: int, held: tuple[int, T] | None) -> tuple[int, T] | None:
        return held if held is not None and held[0] < revision else None

    @classmethod
    def forget_all(cls) -> None:
        """Drop every value: for tests, and for whatever puts another database in place of this one."""
        for kept in cls._all:
            kept._shared = None
            kept._own = threading.local()
        Remembered.forget_all()
