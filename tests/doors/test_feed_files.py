"""The change feed and the conflicts as files, as other lists come."""

from __future__ import annotations

import csv
import io
import json

from django.test import Client

from fairway.accounts.commands import CreateToken
from fairway.audit.commands import execute
from tests.support.company import Company


def whole(company: Company, path: str) -> bytes:
    token = execute(CreateToken(name="t"), actor=company.boss).answer
    answer = Client().get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_the_feed_comes_whole_as_a_file(company: Company) -> None:
    lines = [json.loads(line) for line in whole(company, "events?format=ndjson").splitlines()]
    numbers = [line["sequence"] for line in lines]
    assert numbers == list(range(1, len(numbers) + 1))
    since = whole(company, f"events?format=csv&after={numbers[2]}").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(since)))
    assert [int(row["sequence"]) for row in rows][: len(numbers) - 3] == numbers[3:]
    assert {row["command"] for row in rows} >= {"accounts.user.create", "accounts.list.export"}


def test_conflicts_come_whole_as_a_file(company: Company) -> None:
    told = whole(company, "conflicts?format=csv&fields=rule,message").decode("utf-8-sig")
    assert told.splitlines() == ['"rule","message"']
