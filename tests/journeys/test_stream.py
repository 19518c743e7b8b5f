"""The live stream and the server's entry, with real sockets."""

from __future__ import annotations

import asyncio
import gc
import http.client
import json
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.live import Client, Live, fresh_database
from tests.support.streams import Stream

pytestmark = pytest.mark.race


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("stream")
    with fresh_database(folder) as url:
        server = Live(folder, url)
        try:
            server.start()
            yield server
        finally:
            server.end()


@pytest.fixture(autouse=True)
def _collected(live: Live) -> Iterator[None]:
    """What a test leaves open is warned of in that very test."""
    yield
    gc.collect()


async def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    limit = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < limit, "never"
        await asyncio.sleep(0.02)


def write(client: Client, name: str, count: int) -> None:
    for number in range(count):
        body = {"key": f"{name}-{number}", "name": name, "kind": "system", "organisation": "company"}
        client.create("items", body)


def log(client: Client, after: int) -> list[dict[str, Any]]:
    """Return all events after one, as the change feed has them."""
    found: list[dict[str, Any]] = []
    while True:
        page = client.get(f"events?limit=1000&after={after}")
        found += page["items"]
        if page["next"] >= page["head"]:
            return found
        after = page["next"]


async def follow(live: Live, streams: int, each: int, *, name: str) -> tuple[list[Stream], int]:
    """Let so many read while four write; a third is cut meanwhile and comes again with what it saw last."""
    head = live.client().get("events?limit=1")["head"]
    readers = [Stream(live.address, live.token) for _ in range(streams)]
    tasks = [asyncio.create_task(reader.read()) for reader in readers]
    await until(lambda: all(reader.status == 200 for reader in readers), 60)
    await asyncio.sleep(0.3)
    writers = [
        asyncio.create_task(asyncio.to_thread(write, live.client(), f"{name}-{n}", each)) for n in range(4)
    ]
    await until(lambda: all(len(reader.events) > 1 for reader in readers[::3]))
    for reader in readers[::3]:
        reader.cut()
    await asyncio.gather(*(task for task, _ in zip(tasks[::3], readers[::3], strict=True)))
    for reader in readers[::3]:
        tasks.append(asyncio.create_task(reader.read()))
    await asyncio.gather(*writers)
    last = live.client().get("events?limit=1")["head"]
    await until(lambda: all(reader.after == last for reader in readers), 60)
    for reader in readers:
        reader.cut()
    await asyncio.gather(*tasks)
    return readers, head


def test_twenty_readers_get_the_log_without_a_gap_over_cuts_while_four_write(live: Live) -> None:
    readers, head = asyncio.run(follow(live, 20, 12, name="small"))
    told = log(live.client(), head)
    assert len(told) >= 48
    for reader in readers:
        assert reader.events == told


@pytest.mark.deep
def test_five_hundred_readers_get_the_log_without_a_gap(live: Live) -> None:
    begun = time.monotonic()
    readers, head = asyncio.run(follow(live, 500, 12, name="large"))
    told = [event["sequence"] for event in log(live.client(), head)]
    assert all(reader.numbers == told for reader in readers)
    assert time.monotonic() - begun < 120


def test_a_stream_of_one_record_begins_with_what_was_missed_and_tells_of_nothing_else(live: Live) -> None:
    client = live.client()
    write(client, "noise", 2)
    mine = client.get("items/noise-1")["uid"]

    async def story() -> Stream:
        reader = Stream(live.address, live.token, after=0, subject=mine)
        task = asyncio.create_task(reader.read())
        await until(lambda: len(reader.events) == 1)
        client.ask("PATCH", "items/noise-0", {"name": "Other"}, **{"If-Match": "*"})
        client.ask("PATCH", "items/noise-1", {"name": "Mine"}, **{"If-Match": "*"})
        await until(lambda: len(reader.events) == 2)
        reader.cut()
        await task
        return reader

    events = asyncio.run(story()).events
    assert [event["command"] for event in events] == ["catalog.item.create", "catalog.item.edit"]
    assert {event["subject"]["uid"] for event in events} == {mine}


def test_a_stream_ends_when_its_token_is_revoked_and_before_it_tells_more(live: Live) -> None:
    client = live.client()
    token = client.create("tokens", {"name": "short"})["token"]
    made = next(row for row in client.get("tokens")["items"] if row["name"] == "short")

    async def story() -> Stream:
        reader = Stream(live.address, token)
        task = asyncio.create_task(reader.read())
        await until(lambda: reader.status == 200)
        write(client, "seen", 1)
        await until(lambda: len(reader.events) == 1)
        assert client.ask("DELETE", f"tokens/{made['uid']}").status == 204
        write(client, "unseen", 1)
        await asyncio.wait_for(task, 10)
        return reader

    reader = asyncio.run(story())
    assert reader.ended
    assert len(reader.events) == 1


@pytest.mark.parametrize("ending", ["validity", "deactivation"])
def test_a_stream_ends_with_the_access_of_its_person(live: Live, ending: str) -> None:
    client, email = live.client(), f"{ending}@fairway.example"
    key = client.create("users", {"email": email, "name": "Guest", "organisation": "company"})["key"]
    client.create("grants", {"role": "viewer", "user": key, "organisation": "company"})
    token = live.fairway("token", "create", email).stdout.strip()

    async def story() -> Stream:
        reader = Stream(live.address, token)
        task = asyncio.create_task(reader.read())
        await until(lambda: reader.status == 200)
        write(client, f"{ending}-before", 1)
        await until(lambda: len(reader.events) >= 1)
        if ending == "validity":
            soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
            changed = client.ask("PATCH", f"users/{key}", {"valid_until": soon}, **{"If-Match": "*"})
            await asyncio.sleep(1.1)
        else:
            changed = client.ask("POST", f"users/{key}/deactivate", {}, **{"If-Match": "*"})
        assert changed.status == 200, changed.text
        write(client, f"{ending}-behind", 1)
        await asyncio.wait_for(task, 15)
        return reader

    reader = asyncio.run(story())
    assert reader.ended
    last = client.get(f"items/{ending}-behind-0")["uid"]
    assert last not in {event["subject"]["uid"] for event in reader.events if event["subject"]}


def test_who_has_no_token_gets_no_stream(live: Live) -> None:
    reader = Stream(live.address, "nobody")
    asyncio.run(reader.read())
    assert reader.status == 401


def test_bodies_of_any_kind_arrive_whole_and_long_answers_leave_whole(live: Live) -> None:
    client = live.client()
    host = live.address.removeprefix("http://")
    raw = http.client.HTTPConnection(host, timeout=30)
    pieces = [b'{"key": "chunked", "name": "C', b'hunked", "kind": "system", "organisation": "company"}']
    raw.request("POST", "/api/v1/items", iter(pieces), client.headers, encode_chunked=True)
    made = raw.getresponse()
    assert (made.status, made.read()[:1]) == (201, b"{")
    raw.request("POST", "/api/v1/items", b" " * 2**21 + b"".join(pieces), client.headers)
    taken = raw.getresponse()
    assert taken.status == 409, "it was read to its end: the key stands behind two mebibytes of blanks"
    taken.read()

    raw.request("POST", "/api/v1/items", b"x" * (34 * 2**20), client.headers)
    refused = raw.getresponse()
    said = refused.read()
    assert refused.status == 413, said
    raw.close()

    raw.request("HEAD", "/sign-in")
    empty = raw.getresponse()
    assert (empty.status, empty.read()) == (200, b"")
    raw.request("GET", "/static/ui/no-such-file.css?%C3%A9=%00")
    missing = raw.getresponse()
    assert (missing.status, missing.read()[:9]) == (404, b"<!doctype")
    raw.close()

    raw.request("GET", "/api/v1/openapi.json")
    whole = raw.getresponse().read()
    lines = client.ask("GET", "items", None, Accept="application/x-ndjson").text.splitlines()
    assert len(whole) > 64 * 1024
    assert whole.endswith(b"}")
    assert json.loads(whole)["openapi"].startswith("3.1")
    assert len(lines) == client.get("items?count=true&limit=1")["count"]
    raw.close()


def test_a_server_that_is_told_to_end_ends_its_streams_first(live: Live) -> None:
    async def story() -> Stream:
        reader = Stream(live.address, live.token)
        task = asyncio.create_task(reader.read())
        await until(lambda: reader.status == 200)
        assert live.process is not None
        live.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(task, 10)
        return reader

    assert asyncio.run(story()).ended
    assert live.process is not None
    assert live.process.wait(20) == 0
