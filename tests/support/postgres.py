"""Throw-away PostgreSQL clusters: started in a temporary folder, on a free port of loopback, gone afterwards.

`python -m tests.support.postgres find` prints the folder of the server programs, `serve` runs a cluster,
prints its URL and stops when its standard input ends.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Self

START_LIMIT = 60.0  # seconds until a starting server counts as dead
# A lost power supply loses nothing that tests wait for, so nothing is forced to disk.
HASTY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "jit": "off",
}
IN_MEMORY, ROOM = Path("/dev/shm"), 4 * 1024**3  # noqa: S108  (a folder of random name is made in it)
"""To copy a database is to copy a thousand files: a quarter of the time where no disk is asked."""
COMMON = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_min_messages": "fatal",
    "log_min_error_statement": "panic",  # refusals by constraint are expected here, by the thousand
}


def programs() -> Path | None:
    """Return the folder of the newest PostgreSQL server on this machine, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def free_port() -> int:
    """Return a port of loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def owner() -> pwd.struct_passwd | None:
    """Return whom the server runs as: root may not, so `postgres` or `nobody` does; None means ourselves."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres")
    return pwd.getpwnam("nobody")


def place(*, durable: bool) -> str | None:
    """Return the folder to make a cluster's own in: in memory where there is room, else the usual one."""
    with contextlib.suppress(OSError):
        if not durable and shutil.disk_usage(IN_MEMORY).free > ROOM:
            return str(IN_MEMORY)
    return None


class Cluster:
    """One server with one superuser. Use as a context manager.

    `durable` keeps fsync and synchronous commit on, for tests that kill the server.

    :raises RuntimeError: no server programs here, or it did not start in a minute; with its words.
    """

    def __init__(self, *, durable: bool = False) -> None:
        found = programs()
        if found is None:
            raise RuntimeError(
                "no PostgreSQL server programs on this machine; install the package postgresql"
            )
        self.bin = found
        self.durable = durable
        self.port = free_port()
        self.password = secrets.token_urlsafe(16)
        self.folder = Path(tempfile.mkdtemp(prefix="fairway-postgres-", dir=place(durable=durable)))
        self.server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the URL that the settings take, naming the database `postgres`."""
        return f"postgresql://fairway:{self.password}@127.0.0.1:{self.port}/postgres"

    def __enter__(self) -> Self:
        try:
            self._make()
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def _as_owner(self) -> dict[str, int | list[int]]:
        who = owner()
        return {} if who is None else {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}

    def _make(self) -> None:
        secret = self.folder / "password"
        secret.write_text(self.password)
        if who := owner():
            os.chown(self.folder, who.pw_uid, who.pw_gid)
            os.chown(secret, who.pw_uid, who.pw_gid)
        options = ["--username=fairway", f"--pwfile={secret}", "--auth=scram-sha-256", "--no-sync"]
        done = subprocess.run(  # type: ignore[call-overload]  # user, group and extra_groups arrive as a mapping
            [self.bin / "initdb", *options, "--encoding=UTF8", "--locale=C", self.folder / "data"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            **self._as_owner(),
        )
        if done.returncode:
            raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")

    def start(self) -> None:
        """Start the server and wait until it answers; also after `kill`."""
        settings = COMMON if self.durable else COMMON | HASTY
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        log = self.folder / "log"
        with log.open("ab") as out:
            self.server = subprocess.Popen(  # type: ignore[call-overload]  # as above
                [self.bin / "postgres", "-D", self.folder / "data", "-p", str(self.port), *options],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self._as_owner(),
            )
        ready: list[str | Path] = [self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        limit = time.monotonic() + START_LIMIT
        while subprocess.run(ready, check=False).returncode:
            if self.server.poll() is not None or time.monotonic() > limit:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the server at once, breaking its connections; it leaves its data in order."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill the server and its children as a lost power supply would."""
        if self.server and self.server.poll() is None:
            os.killpg(self.server.pid, signal.SIGKILL)
            # Backends are their own process groups; without their postmaster they end at once.
            self.server.wait(10)
        self.server = None

    def _end(self, by: signal.Signals) -> None:
        if self.server and self.server.poll() is None:
            self.server.send_signal(by)
            try:
                self.server.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        self.server = None

    def remove(self) -> None:
        """Stop the server and delete its folder."""
        self._end(signal.SIGQUIT)  # its data goes too, so there is nothing to put in order
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def unwinding() -> Iterator[None]:
    """Turn SIGTERM into an exit that runs what is to be run on the way out."""

    def leave(number: int, _: FrameType | None) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def main(command: str) -> int:
    """Run `find` or `serve`; return the exit code."""
    if command == "find":
        print(programs() or "")  # noqa: T201  (the answer)
        return 0
    with unwinding(), Cluster() as cluster:
        print(cluster.url, flush=True)  # noqa: T201  (the answer)
        with contextlib.suppress(KeyboardInterrupt):
            sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
