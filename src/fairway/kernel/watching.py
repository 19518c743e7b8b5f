"""Learning that something was written, without asking the tables again and again."""

from __future__ import annotations

import contextlib
import time
from typing import Any, Protocol

from django.db import DEFAULT_DB_ALIAS, connections

EVENTS, JOBS = "fairway_events", "fairway_jobs"
"""Channels of PostgreSQL's NOTIFY; triggers speak on them (see the migrations of audit and jobs)."""
POLL = 0.2  # seconds; a look at SQLite's data_version takes microseconds


class Watcher(Protocol):
    """Waits until something was committed; false alarms are possible, silence after a commit is not."""

    def wait(self, seconds: float) -> bool:
        """Say whether something was written within this time.

        :raises django.db.Error: the connection is gone; close this and make another.
        """

    def close(self) -> None: ...


def watcher(*channels: str) -> Watcher:
    """Return a watcher on a connection of its own; one thread uses it."""
    wrapper = connections.create_connection(DEFAULT_DB_ALIAS)
    wrapper.ensure_connection()
    return _Listener(wrapper, channels) if wrapper.vendor == "postgresql" else _Poller(wrapper)


class _Poller:
    """SQLite: `PRAGMA data_version` changes when another connection commits, of any process."""

    def __init__(self, wrapper: Any) -> None:
        self._wrapper = wrapper
        self._seen = self._version()

    def _version(self) -> int:
        version: int = self._wrapper.connection.execute("PRAGMA data_version").fetchone()[0]
        return version

    def wait(self, seconds: float) -> bool:
        limit = time.monotonic() + seconds
        while True:
            version = self._version()
            if version != self._seen:
                self._seen = version
                return True
            left = limit - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(POLL, left))

    def close(self) -> None:
        self._wrapper.close()


class _Listener:
    """PostgreSQL: LISTEN; what is told beyond the channel's name is left aside."""

    def __init__(self, wrapper: Any, channels: tuple[str, ...]) -> None:
        self._wrapper = wrapper
        for channel in channels:
            wrapper.connection.execute(f"LISTEN {channel}")

    def wait(self, seconds: float) -> bool:
        with self._wrapper.wrap_database_errors:
            return any(True for _ in self._wrapper.connection.notifies(timeout=seconds, stop_after=1))

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._wrapper.close()
