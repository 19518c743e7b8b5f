"""Many clients at once: what each is told is exactly what was committed before it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.live import Client, Live

CLIENTS = 50
START = datetime(2031, 3, 4, 21, tzinfo=UTC)

pytestmark = pytest.mark.race


def item(client: Client, key: str) -> None:
    client.create("items", {"key": key, "name": key, "kind": "system", "organisation": "company"})


def draft(title: str, items: list[str], start: datetime) -> dict[str, Any]:
    window = {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}
    return {"title": title, "model": "normal", "organisation": "company", "items": items, "windows": [window]}


def clashing(answer: dict[str, Any], own: str) -> set[str]:
    """The other changes that an answer names as working on the same item."""
    found = answer["decision"]["findings"]
    named = [party["key"] for f in found if f["rule"] == "claims.same_item" for party in f["parties"]]
    return set(named) - {own}


def test_each_of_fifty_clients_is_told_exactly_the_changes_that_took_the_hour_before_it(live: Live) -> None:
    client = live.client()
    item(client, "ledger")
    keys = [
        client.create("changes", draft(f"Move {n}", ["ledger"], START + timedelta(days=n + 1)))["key"]
        for n in range(CLIENTS)
    ]
    gate = threading.Barrier(CLIENTS)
    body = {"windows": [{"start": START.isoformat(), "end": (START + timedelta(hours=1)).isoformat()}]}

    def move(key: str) -> set[str]:
        mine = live.client()
        gate.wait()
        for _ in range(100):
            answer = mine.ask("POST", f"changes/{key}/reschedule", body)
            if answer.status != 503:
                break
            time.sleep(0.1)  # told to come back: nothing was written
        assert answer.status == 200, answer.text
        return clashing(answer.json(), key)

    with ThreadPoolExecutor(CLIENTS) as pool:
        told = dict(zip(keys, pool.map(move, keys), strict=True))

    events = client.get("events?limit=1000")["items"]
    order = [e["subject"]["key"] for e in events if e["command"] == "changes.change.reschedule"]
    assert sorted(order) == sorted(keys)
    before: set[str] = set()
    for key in order:
        assert told[key] == before, f"{key} was told {sorted(told[key])}, before it stood {sorted(before)}"
        before.add(key)
    assert "whole" in live.fairway("audit", "verify").stdout


def test_nothing_acknowledged_is_lost_when_the_server_is_killed_while_it_writes(live: Live) -> None:
    client = live.client()
    item(client, "ledger")
    acknowledged: list[str] = []
    lock = threading.Lock()
    ended = threading.Event()

    def write(writer: int) -> None:
        mine = live.client()
        for n in range(1000):
            if ended.is_set():
                return
            try:
                answer = mine.ask(
                    "POST", "changes", draft(f"{writer}-{n}", ["ledger"], START + timedelta(hours=n))
                )
            except OSError:
                return  # the server is gone
            if answer.status == 201:
                with lock:
                    acknowledged.append(answer.json()["key"])

    with ThreadPoolExecutor(8) as pool:
        writers = [pool.submit(write, n) for n in range(8)]
        while len(acknowledged) < 60:
            time.sleep(0.01)
        live.kill()
        ended.set()
        for writer in writers:
            writer.result()

    live.start()
    stored, cursor = set(), ""
    while True:
        page = client.get(f"changes?limit=1000&fields=key{cursor}")
        stored |= {row["key"] for row in page["items"]}
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert set(acknowledged) <= stored
    recorded = {
        e["subject"]["key"]
        for e in client.get("events?limit=1000")["items"]
        if e["command"] == "changes.change.create"
    }
    assert recorded == stored, "a change without its event, or an event without its change"
    assert "whole" in live.fairway("audit", "verify").stdout
