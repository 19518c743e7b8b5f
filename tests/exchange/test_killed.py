"""Imports while server and worker are killed: nothing is half written, left out or counted twice."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fairway.accounts.commands import CreateOrganisation
from fairway.audit.commands import execute
from fairway.audit.models import Event
from fairway.exchange import commands
from fairway.exchange.entries import Options
from fairway.exchange.models import ImportLine, ImportRun
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Problem
from tests.support.committed import together
from tests.support.live import Client, Live, fresh_database

pytestmark = [pytest.mark.race, pytest.mark.long]
ROWS, REFUSED = 6_000, 120


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with fresh_database(tmp_path) as url:
        server = Live(tmp_path, url)
        server.env |= {"FAIRWAY_JOB_LEASE": "2"}
        try:
            server.start()
            yield server
        finally:
            server.end()


def table(prefix: str, count: int = ROWS) -> str:
    rows = (f"{prefix}-{n},Item {n},{'system' if n % 50 else 'sistem'}\n" for n in range(count))
    return "key,name,kind\n" + "".join(rows)


def begin(client: Client, prefix: str) -> str:
    """Send a file that becomes a job; return the import's uid."""
    answer = client.ask("POST", "imports", {"kind": "items", "text": table(prefix)})
    assert answer.status == 202, answer.text
    uid: str = answer.json()["uid"]
    return uid


def until(client: Client, uid: str, position: int) -> dict[str, Any]:
    """Wait until an import is past so many rows, or done."""
    limit = time.monotonic() + 240
    while True:
        found: dict[str, Any] = client.get(f"imports/{uid}")
        if found["state"] == "done" or found["position"] > position:
            return found
        assert found["state"] == "importing", found
        assert time.monotonic() < limit, found
        time.sleep(0.02)


def ask(live: Live, query: str) -> Any:
    """Ask the server's database, past the server."""
    url = live.env["FAIRWAY_DATABASE_URL"]
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            return connection.execute(query).fetchone()[0]
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]


def figures(live: Live, client: Client, uid: str, prefix: str) -> dict[str, Any]:
    """Return everything that can be counted of an import."""
    found = client.get(f"imports/{uid}")
    puts = "SELECT count(*) FROM audit_event WHERE command = 'catalog.item.put' AND subject_key LIKE '%s-%%'"
    lines = "SELECT count(*) FROM exchange_importline l JOIN exchange_importrun r ON r.id = l.run_id"
    hex_ = f"replace(CAST(r.uid AS text), '-', '') = '{uid.replace('-', '')}'"
    return {
        **{name: found[name] for name in ("state", "position", "total", "counts", "error")},
        "problems": len(found["problems"]),
        "items": ask(live, f"SELECT count(*) FROM catalog_configurationitem WHERE slug LIKE '{prefix}-%'"),  # noqa: S608
        "events": ask(live, puts % prefix),
        "lines": ask(live, f"{lines} WHERE {hex_}"),
    }


def kill_server_alone(live: Live) -> None:
    """Kill the process that was started, and none of those that it began."""
    assert live.process is not None
    os.kill(live.process.pid, signal.SIGKILL)
    live.process.wait()
    for client in live._clients:
        client.stale = True


def until_nobody_answers(live: Live) -> None:
    """Wait until what the killed server began is gone too: else none could be started in its place."""
    limit = time.monotonic() + 60
    while True:
        probe = Client(live.address, "")
        try:
            probe.ask("GET", "me")
        except OSError:
            return
        finally:
            probe.close()
        assert time.monotonic() < limit, "what the killed server began goes on without it"
        time.sleep(0.2)


def test_an_import_goes_on_where_it_was_when_everything_was_killed(live: Live) -> None:
    client = live.client()
    uid = begin(client, "cut")
    seen = until(client, uid, 0)
    live.kill()  # server and worker at once, as a power cut would
    live.start()
    seen = until(client, uid, seen["position"])
    assert seen["state"] == "importing", "the import ended before anything was killed: nothing was shown"
    before = client.get(f"imports/{uid}")["position"]
    kill_server_alone(live)
    until_nobody_answers(live)
    live.start()
    until(client, uid, ROWS)
    whole = begin(client, "whole")
    until(client, whole, ROWS)
    cut = figures(live, client, uid, "cut")
    assert cut == figures(live, client, whole, "whole")
    assert 0 < before < ROWS
    assert cut["counts"] == {"created": ROWS - REFUSED, "refused": REFUSED}
    assert cut["items"] == cut["events"] == ROWS - REFUSED
    assert "whole" in live.fairway("audit", "verify").stdout


@pytest.mark.usefixtures("committed")
def test_two_who_import_one_file_at_once_count_each_row_once() -> None:
    execute(CreateOrganisation(slug="bank", name="Bank"), actor=SYSTEM)
    options = Options(kind="items", file="items.csv", organisation="bank")
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    run = commands.keep(io.BytesIO(table("one", 1_200).encode()), options, actor=SYSTEM, at=at)
    answers = together(*[lambda: commands.begin(run, actor=SYSTEM, at=at, dry_run=False)] * 3)
    strange = [one for one in answers if not isinstance(one, ImportRun | Problem)]
    assert not strange, strange
    run = ImportRun.objects.get(pk=run.pk)
    assert (run.state, run.position) == ("done", 1_200)
    assert run.counts == {"created": 1_176, "refused": 24}
    assert ImportLine.objects.filter(run=run).count() == 1_200
    assert Event.objects.filter(command="catalog.item.put").count() == 1_176
