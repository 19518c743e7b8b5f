"""A server with the demo company, as `fairway up` starts it, on a free port and in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.postgres import free_port

START_LIMIT = 300.0  # seconds to migrate, to load the demo company and to answer


@dataclass(frozen=True, slots=True)
class Server:
    """Where it answers (no slash at the end), and who may sign in, as `fairway up` tells."""

    address: str
    email: str
    password: str


@contextlib.contextmanager
def demo_server() -> Iterator[Server]:
    """Run a server until the end of the block.

    :raises RuntimeError: it ended or did not answer in time; its own words are in the message.
    """
    with tempfile.TemporaryDirectory(prefix="fairway-server-", ignore_cleanup_errors=True) as folder:
        address = f"127.0.0.1:{free_port()}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FAIRWAY_")}
        env = kept | {
            "FAIRWAY_DATA": f"{folder}/data",
            "FAIRWAY_LISTEN": address,
            "FAIRWAY_DEMO": "1",
            "COLUMNS": "200",
        }
        log = Path(folder, "log")
        with log.open("wb") as out:
            process = subprocess.Popen(
                [Path(sys.executable).with_name("fairway"), "up"],
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait_for(f"http://{address}", process, log)
            words = log.read_text(errors="replace")
            told = re.search(r"Sign in as (\S+) with (\S+?)\.?\s", words)
            if told is None:
                raise RuntimeError(f"the server does not tell who may sign in:\n{words}")
            yield Server(f"http://{address}", told[1], told[2])
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + START_LIMIT
    while True:
        try:
            with urllib.request.urlopen(f"{address}/sign-in", timeout=5):  # noqa: S310  (our own server)
                return
        except urllib.error.HTTPError:
            return  # it answers, if only that the address is none
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            if process.poll() is not None or time.monotonic() > limit:
                raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')}") from None
            time.sleep(0.2)
