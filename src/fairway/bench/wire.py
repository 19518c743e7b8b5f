"""A client that costs as little as can be, and servers started for one benchmark."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

START_LIMIT = 60.0


class Client:
    """One connection that stays open; requests one after the other."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        self._socket.close()

    def send(self, request: bytes) -> bytes:
        """Send a whole request and return the whole answer, head and body."""
        self._socket.sendall(request)
        answer = self._socket.recv(65536)
        while (end := answer.find(b"\r\n\r\n")) < 0:
            answer += self._more()
        head = answer[:end].lower()
        start = head.index(b"content-length:") + 15
        length = int(head[start:].split(b"\r\n", 1)[0])
        while len(answer) < end + 4 + length:
            answer += self._more()
        return answer

    def _more(self) -> bytes:
        more = self._socket.recv(65536)
        if not more:
            raise ConnectionError("the server closed the connection within an answer")
        return more

    def timed(self, requests: Sequence[bytes]) -> list[float]:
        """Send requests one after the other; return the seconds that each took.

        :raises RuntimeError: an answer is not 200.
        """
        taken = []
        for request in requests:
            begun = time.perf_counter()
            answer = self.send(request)
            taken.append(time.perf_counter() - begun)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"{request[:200]!r} was answered {answer[:600]!r}")
        return taken


def body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def get(path: str, token: str) -> bytes:
    """Return a whole GET request."""
    lines = (
        f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json", f"Authorization: Bearer"
        f" {token}", "", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def server(command: Sequence[str], port: int, environment: Mapping[str, str]) -> Iterator[int]:
    """Run a server as long as the block lasts; gives its process id.

    :raises RuntimeError: it ended or did not listen within a minute; its words are in the message.
    """
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 - our own programs, a list of arguments
            command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            limit = time.monotonic() + START_LIMIT
            while not _listens(port):
                if process.poll() is not None or time.monotonic() > limit:
                    log.seek(0)
                    words = log.read().decode(errors="replace")
                    raise RuntimeError(f"the server did not start:\n{words[-2000:]}")
                time.sleep(0.1)
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _listens(port: int) -> bool:
    try:
        client = Client(port)
    except OSError:
        return False
    try:
        client.send(get("/api/v1/decide", "nobody"))
    except (OSError, ValueError):
        return False
    finally:
        client.close()
    return True


def python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def program(name: str) -> str:
    """Return the path of a program of this installation."""
    return str(Path(sys.executable).with_name(name))


def processor(process: int) -> float:
    """Return the seconds of processor time that a process and those below it took; 0 where none are told."""
    below: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        own = int(stat.parent.name)
        below.setdefault(int(fields[1]), []).append(own)
        ticks[own] = int(fields[11]) + int(fields[12])
    waiting, taken = [process], 0
    while waiting:
        one = waiting.pop()
        waiting += below.get(one, [])
        taken += ticks.get(one, 0)
    return taken / os.sysconf("SC_CLK_TCK") if taken else 0.0
