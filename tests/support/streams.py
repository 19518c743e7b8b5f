"""Readers of the live stream over real sockets, many at a time."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any


class Stream:
    """One connection to the stream; `events`: what it gave, `ended`: whether the server closed it."""

    def __init__(self, address: str, token: str, *, after: int | None = None, subject: str = "") -> None:
        self.host, _, port = address.removeprefix("http://").rpartition(":")
        self.port = int(port)
        self.token, self.subject = token, subject
        self.after = after
        self.events: list[dict[str, Any]] = []
        self.status = 0
        self.ended = False
        self._writer: asyncio.StreamWriter | None = None

    async def read(self) -> None:
        """Read until the server ends it or `cut` does."""
        reader, writer = await asyncio.open_connection(self.host, self.port, limit=2**22)
        self._writer = writer
        query = f"?subject={self.subject}" if self.subject else ""
        seen = f"Last-Event-ID: {self.after}\r\n" if self.after is not None else ""
        writer.write(
            f"GET /api/v1/events/stream{query} HTTP/1.1\r\nHost: {self.host}\r\n"
            f"Authorization: Bearer {self.token}\r\nConnection: close\r\n{seen}\r\n".encode()
        )
        try:
            self.status = int((await reader.readline()).split()[1])
            while (line := await reader.readline()).strip():
                pass
            while line := await reader.readline():
                if line.startswith(b"id: "):
                    self.after = int(line[4:])
                elif line.startswith(b"data: "):
                    self.events.append(json.loads(line[6:]))
                    assert self.events[-1]["sequence"] == self.after
            self.ended = True
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def cut(self) -> None:
        """Break the connection as a network would."""
        if self._writer is not None:
            self._writer.transport.abort()

    @property
    def numbers(self) -> list[int]:
        return [event["sequence"] for event in self.events]
