"""The floor of an HTTP figure: a bare WSGI function that runs the same statements and sends the same JSON.

No framework, no permissions, no decision: what is left is the server, the database and the encoder.
`python -m fairway.bench.floor FILE PORT` serves what a file tells, see `Told`.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from granian import Granian
from granian.constants import Interfaces

from fairway.kernel.serving import Entry

VARIABLE = "BENCH_FLOOR"
Statement = tuple[str, list[Any]]
"""SQL in the database's own style of parameters, and the parameters as plain JSON values."""


class Asked(msgspec.Struct, frozen=True):
    """One request: the statements that the product runs for it, in order, and what it answers."""

    statements: list[Statement]
    answer: Any


class Told(msgspec.Struct, frozen=True):
    """`database`: file of SQLite or URL of PostgreSQL. `begin`: what is run on each new connection."""

    database: str
    begin: str
    threads: int
    requests: dict[str, Asked]
    """By token, path and query."""


class Bare:
    """Answers requests on bare connections, one a thread."""

    def __init__(self, told: Told, connect: Callable[[], Any] | None = None) -> None:
        self._own = threading.local()
        self._connect = connect or (lambda: _connection(told))
        self._requests = {
            key: (
                [(query, [revived(one) for one in params]) for query, params in asked.statements],
                asked.answer,
            )
            for key, asked in told.requests.items()
        }

    def answer(self, key: str) -> bytes:
        """Run the statements of a request and encode its answer."""
        connection = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self._connect()
        statements, answer = self._requests[key]
        cursor = connection.cursor()
        for query, params in statements:
            cursor.execute(query, params)
            cursor.fetchall()
        cursor.close()
        return msgspec.json.encode(answer)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Serve WSGI."""
        token = environ.get("HTTP_AUTHORIZATION", "")
        key = f"{token} {environ['PATH_INFO']}?{environ['QUERY_STRING']}"
        if key not in self._requests:
            start("404 Not Found", [("Content-Length", "0")])
            return [b""]
        body = self.answer(key)
        start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]


def _connection(told: Told) -> Any:
    if "://" in told.database:
        return psycopg.connect(told.database, autocommit=True)
    connection = sqlite3.connect(told.database, isolation_level=None, check_same_thread=False)
    connection.executescript(told.begin)
    return connection


def revived(value: Any) -> Any:
    """Return a parameter as a bare connection takes it."""
    if isinstance(value, dict):
        return datetime.fromisoformat(value["instant"])
    if isinstance(value, list):
        return [revived(one) for one in value]
    return value


def read(path: Path) -> Told:
    return msgspec.json.decode(path.read_bytes(), type=Told)


def written(told: Told) -> bytes:
    return msgspec.json.encode(told)


def application() -> Entry:
    """Return the application that the file named by the environment tells, on the product's own entry."""
    told = read(Path(os.environ[VARIABLE]))
    return Entry(Bare(told), threads=told.threads)


def main(file: str, port: int) -> None:
    """Serve with the same server, and as many threads, as the product."""
    os.environ[VARIABLE] = file
    Granian(
        "fairway.bench.floor:application",
        factory=True,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.RSGI,
        backlog=1024,
        backpressure=4096,
        log_access=False,
        log_level="warning",  # type: ignore[arg-type]
        websockets=False,
    ).serve()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
