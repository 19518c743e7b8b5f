"""The server's entry (RSGI under granian): event streams on the loop, all else on a fixed pool of threads.

The pool runs the WSGI application as it stands; a stream begins there too, as one call that says who asks and
what they may see, and is handed over to the loop with the answer. See docs/adr/0006-server-entry.md.
"""

from __future__ import annotations

import asyncio
import io
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from typing import IO, Any, Protocol
from urllib.parse import unquote_to_bytes

log = logging.getLogger("fairway.server")
Headers = list[tuple[str, str]]
Loop = asyncio.AbstractEventLoop
IN_MEMORY = 2**20
"""Bytes of a request's body that are held in memory; beyond that it lies in a temporary file."""
MOST = 64 * 2**20
"""Bytes of a body without a length that are read; more than Django takes, so that Django refuses it."""
CHUNK = 64 * 2**10
PATIENCE = 30.0
"""Seconds that a thread of the pool waits for a reader who takes nothing more of an answer."""
GRACE = 10.0
"""Seconds that requests have to come to their end when the server is gone."""
END_STREAMS = signal.SIGUSR1
"""Tells a process of the server to end its streams; what it does otherwise goes on."""
BODILESS = frozenset({204, 304})


class Proto(Protocol):
    """What granian gives for one request (RSGI 1.5)."""

    async def __call__(self) -> bytes: ...
    def __aiter__(self) -> Any: ...
    async def client_disconnect(self) -> None: ...
    def response_empty(self, status: int, headers: Headers) -> None: ...
    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None: ...
    def response_stream(self, status: int, headers: Headers) -> Any: ...


class Streams(Protocol):
    """What takes over an answer that goes on: it has a `live` of the kind that this knows."""

    async def serve(self, proto: Any, status: int, headers: Headers, first: bytes, live: Any) -> None: ...
    def close(self) -> None: ...


class Pool:
    """So many threads, which take calls in their order."""

    def __init__(self, threads: int) -> None:
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        for number in range(threads):
            threading.Thread(target=self._work, name=f"request-{number}", daemon=True).start()

    def submit(self, call: Callable[[], None]) -> None:
        self._calls.put(call)

    def _work(self) -> None:
        while True:
            call = self._calls.get()
            try:
                call()
            except BaseException:
                log.exception("a request came to no end")


class Entry:
    """One for each process of the server."""

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        *,
        threads: int,
        streams: Callable[[Loop], Streams] | None = None,
    ) -> None:
        self._application, self._streams = application, streams
        self._pool = Pool(threads)
        self._hub: Streams | None = None

    def __rsgi_init__(self, loop: Loop) -> None:
        threading.Thread(target=_end_with, args=(os.getppid(),), name="parent", daemon=True).start()
        if self._streams is not None:
            self._hub = self._streams(loop)
            loop.add_signal_handler(END_STREAMS, self._hub.close)

    def __rsgi_del__(self, loop: Loop) -> None:
        if self._hub is not None:
            self._hub.close()

    async def __rsgi__(self, scope: Any, proto: Proto) -> None:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[Any] = loop.create_future()
        body = await _body(scope, proto)
        environ = _environ(scope, body)
        self._pool.submit(lambda: self._answer(environ, proto, loop, ended))
        live = await ended
        if live is not None and self._hub is not None:
            await self._hub.serve(proto, *live)

    def _answer(self, environ: dict[str, Any], proto: Proto, loop: Loop, ended: asyncio.Future[Any]) -> None:
        """Run the application and send what it answers; on a thread of the pool."""
        live = None
        begun: list[Any] = []

        def start(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], None]:
            begun[:] = [int(status[:3]), headers]
            return _no_write

        try:
            answer = self._application(environ, start)
            try:
                live = getattr(answer, "live", None)
                if live is not None and environ["REQUEST_METHOD"] == "GET":
                    live = (begun[0], begun[1], b"".join(answer), live)
                else:
                    live = None
                    _send(answer, environ, begun, proto, loop)
            finally:
                close = getattr(answer, "close", None)
                if close is not None:
                    close()
        except _Gone:
            pass  # whoever asked went away
        except BaseException:
            log.exception("%s %s failed", environ["REQUEST_METHOD"], ascii(environ["PATH_INFO"]))
            if not begun:
                proto.response_bytes(500, [("content-type", "text/plain")], b"Something went wrong.")
        finally:
            environ["wsgi.input"].close()
            loop.call_soon_threadsafe(_end, ended, live)


def _end_with(parent: int) -> None:
    """End this process once the one that began it is gone, however that ended.

    It would go on to answer, and hold the address from the server that is started next.
    """
    while os.getppid() == parent:
        time.sleep(1.0)
    os.kill(os.getpid(), signal.SIGTERM)  # lets requests come to their end
    time.sleep(GRACE)
    os._exit(1)


class _Gone(Exception):
    """The client is not there any more, or takes nothing."""


def _end(ended: asyncio.Future[Any], live: Any) -> None:
    if not ended.done():
        ended.set_result(live)


def _no_write(data: bytes) -> None:
    raise NotImplementedError("answers are iterated")


def _send(
    answer: Iterable[bytes], environ: dict[str, Any], begun: list[Any], proto: Proto, loop: Loop
) -> None:
    """Send an answer: at once where it is short, else piece by piece as fast as it is taken."""
    pieces = iter(answer)
    held, size, transport = [], 0, None
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size < CHUNK:
            continue
        if transport is None:
            if environ["REQUEST_METHOD"] == "HEAD":
                break
            transport = proto.response_stream(begun[0], begun[1])
        _push(transport, b"".join(held), loop)
        held, size = [], 0
    if transport is not None:
        if held:
            _push(transport, b"".join(held), loop)
    elif environ["REQUEST_METHOD"] == "HEAD" or begun[0] in BODILESS:
        proto.response_empty(begun[0], begun[1])
    else:
        proto.response_bytes(begun[0], begun[1], b"".join(held))


def _push(transport: Any, piece: bytes, loop: Loop) -> None:
    sent = asyncio.run_coroutine_threadsafe(_sending(transport, piece), loop)
    try:
        sent.result(PATIENCE)
    except Exception as cause:
        sent.cancel()
        raise _Gone from cause


async def _sending(transport: Any, piece: bytes) -> None:
    await transport.send_bytes(piece)


async def _body(scope: Any, proto: Proto) -> IO[bytes]:
    """Read the body, the larger ones into a temporary file; granian holds the client back meanwhile."""
    headers = scope.headers
    length = headers.get("content-length")
    if length in (None, "0") and "transfer-encoding" not in headers:
        return io.BytesIO()
    if length is not None and length.isdigit() and int(length) <= IN_MEMORY:
        return io.BytesIO(await proto())
    kept: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed with the request
    size = 0
    async for piece in proto:
        size += len(piece)
        if size > MOST:
            break
        kept.write(piece)
    kept.seek(0)
    return kept


def _environ(scope: Any, body: IO[bytes]) -> dict[str, Any]:
    """Return the request as WSGI has it (PEP 3333)."""
    server, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope.path).decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        if "_" in name:
            continue  # would read like one with a dash, which a proxy may have taken out
        key = "HTTP_" + name.replace("-", "_").upper()
        if key == "HTTP_CONTENT_TYPE":
            environ["CONTENT_TYPE"] = value
        elif key == "HTTP_CONTENT_LENGTH":
            environ["CONTENT_LENGTH"] = value
        elif key in environ:
            environ[key] += (";" if key == "HTTP_COOKIE" else ",") + value
        else:
            environ[key] = value
    if "HTTP_HOST" not in environ and scope.authority:
        environ["HTTP_HOST"] = scope.authority
    if "CONTENT_LENGTH" not in environ and "HTTP_TRANSFER_ENCODING" in environ:
        environ["CONTENT_LENGTH"] = str(body.seek(0, io.SEEK_END))
        body.seek(0)
    return environ
