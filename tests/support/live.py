"""A real server on a fresh database of the kind that the run is for, and clients that speak HTTP to it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import templates
from tests.support.postgres import free_port

START_LIMIT = 180.0  # seconds; the machine may be busy
ADMIN, PASSWORD = "admin@fairway.example", "a lamp on the quay"


@contextlib.contextmanager
def fresh_database(folder: Path) -> Iterator[str]:
    """Give the URL of a database without records: a file in the folder, or one more in the cluster."""
    cluster = os.environ.get("FAIRWAY_DATABASE_URL", "")
    name = f"live_{secrets.token_hex(6)}" if cluster else str(folder / "fairway.sqlite3")
    templates.copy(name, cluster)
    try:
        yield templates.url_of(name, cluster)
    finally:
        templates.drop(name, cluster)


class Live:
    """One server; can be killed and started again on the same database."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder = folder
        self.address = f"http://127.0.0.1:{free_port()}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FAIRWAY_")}
        self.env = kept | {
            "FAIRWAY_DATABASE_URL": database,
            "FAIRWAY_DATA": str(folder / "data"),
            "FAIRWAY_LISTEN": self.address.removeprefix("http://"),
            "FAIRWAY_DEMO": "0",
            "FAIRWAY_ADMIN_EMAIL": ADMIN,
            "FAIRWAY_ADMIN_PASSWORD": PASSWORD,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.token = ""
        self._clients: list[Client] = []

    def fairway(self, *arguments: str, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the command line on the server's database."""
        program = Path(sys.executable).with_name("fairway")
        return subprocess.run(
            [program, *arguments],
            env=self.env | env,
            capture_output=True,
            text=True,
            check=check,
            timeout=120,
        )

    def start(self) -> None:
        """Start and wait until it answers.

        :raises RuntimeError: it did not; with its words.
        """
        log = self.folder / "log"
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [Path(sys.executable).with_name("fairway"), "up"],
                env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        limit = time.monotonic() + START_LIMIT
        while True:
            probe = Client(self.address, "")
            try:
                probe.ask("GET", "me")
                break
            except OSError as cause:
                if self.process.poll() is not None or time.monotonic() > limit:
                    raise RuntimeError(f"no answer:\n{log.read_text(errors='replace')}") from cause
                time.sleep(0.1)
            finally:
                probe.close()
        if not self.token:
            self.token = self.fairway("token", "create", ADMIN).stdout.strip()

    def kill(self) -> None:
        """End every process of the server as a power cut would: no signal that it could catch."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
        for client in self._clients:
            client.stale = True  # not closed from here: a thread may be waiting on it at this very moment

    def end(self) -> None:
        """Kill it, and close the connections: nobody waits on them any more."""
        self.kill()
        for client in self._clients:
            client.close()

    def client(self) -> Client:
        return self.client_of(self.token)

    def client_of(self, token: str) -> Client:
        made = Client(self.address, token)
        self._clients.append(made)
        return made


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


class Client:
    """Speaks JSON to the API with a token, on a connection of its own."""

    def __init__(self, address: str, token: str) -> None:
        self.connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=180)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.stale = False

    def close(self) -> None:
        self.connection.close()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send one request to a path below `/api/v1/`.

        :raises OSError: the server is not there or went away.
        """
        content = None if body is None else json.dumps(body)
        if self.stale:
            self.close()  # opens again by itself
            self.stale = False
        try:
            self.connection.request(method, f"/api/v1/{path}", content, self.headers | headers)
            answer = self.connection.getresponse()
            return Answer(answer.status, answer.read().decode())
        except http.client.HTTPException as cause:
            raise ConnectionError(str(cause)) from cause

    def get(self, path: str) -> Any:
        """Read, and insist on 200."""
        return self._insist(self.ask("GET", path), 200)

    def create(self, path: str, body: Any) -> Any:
        """Create, and insist on 201."""
        return self._insist(self.ask("POST", path, body), 201)

    @staticmethod
    def _insist(answer: Answer, status: int) -> Any:
        assert answer.status == status, f"{answer.status}: {answer.text}"
        return answer.json()
