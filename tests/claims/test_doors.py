"""Conflicts over the API and on their page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from fairway.accounts import queries as accounts
from fairway.accounts.commands import CreateToken
from fairway.accounts.models import User
from fairway.audit.commands import execute
from fairway.catalog.queries import item
from fairway.claims import queries
from fairway.claims.queries import Claim, Strength
from fairway.kernel.actor import SYSTEM
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from tests.support.company import Company
from tests.support.company import actor as again

SOON = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)


def hold(number: int, organisation: str, key: str, start: int, end: int, *, exclusive: bool = False) -> None:
    owner = accounts.organisation(SYSTEM, organisation).pk
    source = Ref("change", f"CHG-{number}", f"Secret plan {number}", f"uid-{number}", number, owner)
    period = Period(SOON + timedelta(hours=start), SOON + timedelta(hours=end))
    claim = Claim(source, item(SYSTEM, key).pk, None, period, Strength.APPROVED, exclusive)
    queries.replace("change", {number: [claim]})


@pytest.fixture
def clashing(company: Company) -> Company:
    hold(1, "retail", "network", 0, 4)
    hold(2, "cards", "network", 3, 6, exclusive=True)
    hold(3, "retail", "till", 5, 8)
    hold(4, "retail", "ledger", 7, 9)
    return company


def ask(name: str, query: str = "") -> Any:
    token = execute(CreateToken(name="test"), actor=again(name)).answer
    return Client().get(f"/api/v1/conflicts{query}", headers={"Authorization": f"Bearer {token}"})


def browser(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(email=f"{name}@example.org"))
    return client


def pairs(answer: Any) -> list[tuple[str, str, str]]:
    return [
        (one["rule"].removeprefix("claims."), *sorted(party["key"] for party in one["parties"]))
        for one in answer.json()["items"]
    ]


def test_every_pair_stands_in_the_list_once(clashing: Company) -> None:
    answer = ask("boss", "?count=true")
    assert pairs(answer) == [
        ("same_item", "CHG-1", "CHG-2"),
        ("related_item", "CHG-2", "CHG-3"),
        ("related_item", "CHG-3", "CHG-4"),
    ]
    assert (answer.json()["count"], answer.json()["next"]) == (3, None)
    first = answer.json()["items"][0]
    assert (first["severity"], first["path"], first["waivable_by"]) == (
        "block",
        ["network"],
        ["change manager"],
    )


def test_the_list_is_filtered_and_paged(clashing: Company) -> None:
    first = ask("boss", "?limit=2")
    rest = ask("boss", f"?limit=2&cursor={first.json()['next']}")
    assert pairs(first) + pairs(rest) == pairs(ask("boss"))
    assert pairs(ask("boss", "?rule=claims.same_item")) == [("same_item", "CHG-1", "CHG-2")]
    assert pairs(ask("boss", "?item=ledger")) == [("related_item", "CHG-3", "CHG-4")]
    assert pairs(ask("boss", "?subject=CHG-1")) == [("same_item", "CHG-1", "CHG-2")]
    until = (SOON + timedelta(hours=5)).isoformat().replace("+00:00", "Z")
    assert pairs(ask("boss", f"?to={until}")) == [("same_item", "CHG-1", "CHG-2")]
    assert pairs(ask("boss", f"?from={until}&item=till"))[-1] == ("related_item", "CHG-3", "CHG-4")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?rule=claims.nothing", 422),
        ("?item=nothing", 404),
        ("?environment=nothing", 422),
        ("?from=2027-01-01", 422),
        ("?from=2027-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", 422),
        ("?cursor=x", 422),
        ("?limit=0", 422),
        ("?colour=red", 422),
    ],
)
def test_a_question_without_sense_is_refused(clashing: Company, query: str, status: int) -> None:
    assert ask("boss", query).status_code == status


def test_another_branch_reads_as_another_organisation(clashing: Company) -> None:
    answer = ask("rita")
    assert pairs(answer)[0] == ("same_item", "", "CHG-1")
    text = answer.content.decode()
    assert "Secret plan 2" not in text
    assert "CHG-2" not in text
    assert answer.json()["items"][0]["message"].startswith(
        "Another organisation has work on the same item from"
    )
    assert ask("rita", "?subject=CHG-2").json()["items"] == []
    page = browser("rita").get("/conflicts").content.decode()
    assert "CHG-1" in page
    assert "another organisation" in page
    assert "Secret plan 2" not in page
    assert "CHG-2" not in page


def test_the_page_groups_by_rule(clashing: Company) -> None:
    shown = browser("boss").get("/conflicts")
    groups = shown.context["groups"]
    assert [(group["title"], group["count"]) for group in groups] == [
        ("On the same item", 1), ("Through related items", 2),
    ]  # fmt: skip
    text = shown.content.decode()
    for word in ("/changes/CHG-1", "/changes/CHG-2", "/items/network", "3 conflicts"):
        assert word in text
    assert "No conflicts" in browser("boss").get("/conflicts?span=past").content.decode()
    assert len(browser("boss").get("/conflicts?span=ever&rule=claims.same_item").context["groups"]) == 1


def test_the_page_opens_to_all_rows(company: Company) -> None:
    for number in range(1, 17):
        hold(number, "retail", "ledger", 0, 4)
    boss = browser("boss")
    (group,) = boss.get("/conflicts").context["groups"]
    assert (group["count"], len(group["rows"]), group["left"]) == (120, 100, 20)
    (whole,) = boss.get("/conflicts?all=1").context["groups"]
    assert (len(whole["rows"]), whole["left"]) == (120, 0)


def test_strangers(clashing: Company) -> None:
    assert Client().get("/api/v1/conflicts").status_code == 401
    assert Client().get("/conflicts")["Location"].startswith("/sign-in?next=")
