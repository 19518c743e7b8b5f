"""Server-sent events to many readers: one thread asks the log for all of them, the loop sends.

What is behind a reader stays in the log and is read when they have taken what they got, so a slow
reader costs a bounded queue and misses nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Hashable
from datetime import UTC, datetime
from typing import Any, Protocol

from django.db import DatabaseError, connections

from fairway.audit import queries as audit
from fairway.kernel.watching import EVENTS, Watcher, watcher

log = logging.getLogger("fairway.server")
HEARTBEAT = 15.0
"""Seconds of silence after which a comment is sent: proxies keep the line, and who is gone is found out."""
RENEWAL = 10.0
"""Seconds after which everybody's token, session and permission are looked at again; at once
when anything in accounts was written, or when one of them ends by itself."""
QUEUED = 8
"""Batches that wait for one reader; with this many nothing more is read for them."""
STUCK = 60.0
"""Seconds after which a reader who takes nothing is let go."""
MOST, MOST_OF_ONE = 2000, 600
"""Streams of one process, and of one person among them."""
WAIT = 0.5


class Feed(Protocol):
    """What a stream is fed from (`accounts.live.LiveFeed`)."""

    position: int
    until: datetime | None

    @property
    def person(self) -> str: ...
    @property
    def credential(self) -> str: ...
    @property
    def group(self) -> Hashable: ...
    def renew(self) -> bool: ...
    def like(self, other: Any) -> None: ...
    def read(self, after: int, *, until: int) -> tuple[bytes, int]: ...


class Reader:
    """One connection: the hub's thread puts batches into its queue, through the loop, which sends them."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.waiting = 0  # batches put and not yet taken; read by the hub's thread, which tolerates its age
        self.taken_at = time.monotonic()
        self.sending: asyncio.Task[None] | None = None


class Hub:
    """All streams of one process."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._readers: set[Reader] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._accounts = -1
        self._renewed_at = 0.0

    def close(self) -> None:
        """End all streams; readers come again, to another process."""
        self._closed = True
        self._wake.set()
        with self._lock:
            readers = list(self._readers)
        for reader in readers:
            reader.queue.put_nowait(None)

    async def serve(
        self, proto: Any, status: int, headers: list[tuple[str, str]], first: bytes, feed: Feed
    ) -> None:
        """Send what a feed has, and goes on to have, until it ends or its reader goes away."""
        with self._lock:
            mine = sum(reader.feed.person == feed.person for reader in self._readers)
            room = not self._closed and len(self._readers) < MOST and mine < MOST_OF_ONE
        if not room:
            answer = [("content-type", "text/plain; charset=utf-8"), ("retry-after", "5")]
            proto.response_bytes(503, answer, b"Too many streams are open; try again later.")
            return
        reader = Reader(feed)
        gone = asyncio.ensure_future(proto.client_disconnect())
        kept = [header for header in headers if header[0].lower() != "content-length"]
        reader.sending = sending = asyncio.ensure_future(self._send(proto, status, kept, reader, first))
        with self._entered(reader):
            await asyncio.wait({gone, sending}, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        sending.cancel()
        await asyncio.gather(gone, sending, return_exceptions=True)
        reader.sending = None

    async def _send(
        self, proto: Any, status: int, headers: list[tuple[str, str]], reader: Reader, first: bytes
    ) -> None:
        transport = proto.response_stream(status, headers)  # it ends when this is forgotten
        await transport.send_bytes(first)
        while True:
            try:
                batch = await asyncio.wait_for(reader.queue.get(), HEARTBEAT)
            except TimeoutError:
                batch = b":\n\n"
            else:
                reader.waiting -= 1
            if batch is None:
                return
            # Awaited here itself: a task of its own would keep the transport, and with it the stream, alive.
            await transport.send_bytes(batch)
            reader.taken_at = time.monotonic()

    @contextlib.contextmanager
    def _entered(self, reader: Reader) -> Any:
        with self._lock:
            self._readers.add(reader)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="events", daemon=True)
                self._thread.start()
        self._wake.set()
        try:
            yield
        finally:
            with self._lock:
                self._readers.discard(reader)

    def _run(self) -> None:
        while not self._closed:
            self._wake.wait()
            try:
                with contextlib.closing(watcher(EVENTS)) as watching:
                    self._follow(watching)
            except DatabaseError:
                log.exception("the event stream lost the database; trying again")
                time.sleep(1.0)
            finally:
                connections.close_all()

    def _follow(self, watching: Watcher) -> None:
        """Give everybody what is new, as long as there is anybody."""
        while not self._closed:
            with self._lock:
                readers = list(self._readers)
                if not readers:
                    self._wake.clear()
                    return
            if not self._pump(readers):
                watching.wait(WAIT)

    def _pump(self, readers: list[Reader]) -> bool:
        """Read once for each group what it has not got yet; say whether there is more to read at once."""
        head, _ = audit.head()
        # After the head: a change of roles up to it is known before anything up to it is given out.
        accounts = audit.revisions().get("accounts", 0)
        now = datetime.now(UTC)
        ended = any(reader.feed.until is not None and reader.feed.until <= now for reader in readers)
        if ended or accounts != self._accounts or time.monotonic() - self._renewed_at > RENEWAL:
            readers = self._renew(readers)
            self._accounts, self._renewed_at = accounts, time.monotonic()
        batches: dict[tuple[Hashable, int], tuple[bytes, int]] = {}
        given: list[tuple[Reader, bytes]] = []
        more = False
        for reader in readers:
            feed = reader.feed
            if feed.position >= head or reader.waiting >= QUEUED:
                continue
            key = (feed.group, feed.position)
            if key not in batches:
                batches[key] = feed.read(feed.position, until=head)
            told, feed.position = batches[key]
            more = more or feed.position < head
            if told:
                reader.waiting += 1
                given.append((reader, told))
        if given:
            self._loop.call_soon_threadsafe(_give, given)
        return more

    def _renew(self, readers: list[Reader]) -> list[Reader]:
        """Return those who may go on; the others' streams end."""
        known: dict[str, Feed | None] = {}
        left = []
        for reader in readers:
            feed = reader.feed
            if reader.waiting >= QUEUED and time.monotonic() - reader.taken_at > STUCK and reader.sending:
                self._loop.call_soon_threadsafe(reader.sending.cancel)
            if feed.credential not in known:
                known[feed.credential] = feed if feed.renew() else None
            found = known[feed.credential]
            if found is None:
                self._loop.call_soon_threadsafe(reader.queue.put_nowait, None)
                with self._lock:
                    self._readers.discard(reader)
                continue
            if found is not feed:
                feed.like(found)
            left.append(reader)
        return left


def _give(given: list[tuple[Reader, bytes]]) -> None:
    for reader, told in given:
        reader.queue.put_nowait(told)
