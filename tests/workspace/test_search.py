"""Search against a slow reference, on random records; what it may show; what it is kept by."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fairway.accounts import commands as accounts
from fairway.accounts.models import User
from fairway.audit.commands import Command, execute, execute_many
from fairway.catalog.commands import ArchiveItem, CreateItem, EditItem, PutItem
from fairway.environments.commands import CreateEnvironment
from fairway.kernel.actor import SYSTEM, Actor
from fairway.workspace.commands import rebuild
from fairway.workspace.models import SearchRow
from fairway.workspace.queries import KINDS, Results, exact, search, suggest
from fairway.workspace.rules import Rank, rank, read_terms
from tests.support import company
from tests.support.company import Company

NAMES = ("Payments", "Zürich", "ledger", "Straße", "API", "gateway", "core", "paywall", "Élan", "x1")
QUERIES = (
    "p",
    "pay",
    "payments",
    "zur",
    "STRASSE",
    "ledg core",
    "ment",
    "ateway",
    "gate api",
    "x1",
    "el",
    "é",
)
JUNK = (
    "'", '"', '"*',
    "a AND OR NOT (b)", "NEAR(a b, 2)", "^marks:x", "-- ; DROP", "%", "_%", "\\", "a\x00b", "\ud800",
    "@1", "#item", "=pay", "~pay", "& | ! <-> :*", "​", "日本語", "🚢", "(" * 500, "pay " * 2500, "é" * 10_000,
)  # fmt: skip


@pytest.fixture
def people(founded_once: Company, db: None) -> Company:
    return founded_once


def stored() -> set[tuple[Any, ...]]:
    columns = [field.attname for field in SearchRow._meta.concrete_fields if field.name != "id"]
    return set(SearchRow.objects.values_list(*columns))


def history(chance: random.Random, length: int) -> list[Command]:
    """Return commands on a few items of two branches; some of them are refused, which is part of it."""

    def name() -> str:
        return " ".join(chance.sample(NAMES, chance.randint(1, 3)))

    commands: list[Command] = []
    for _ in range(length):
        key = f"{chance.choice(NAMES).casefold().encode('ascii', 'ignore').decode()}-{chance.randint(1, 6)}"
        where = chance.choice(("retail", "cards", "shops"))
        commands.append(
            chance.choice(
                (
                    CreateItem(key=key, name=name(), kind="system", organisation=where, description=name()),
                    EditItem(item=key, name=name(), attributes={"vendor": name()}),
                    EditItem(item=key, organisation=where, status="planned"),
                    ArchiveItem(item=key),
                    PutItem(key=key, name=name(), kind="host", organisation=where),
                )
            )
        )
    return commands


@pytest.mark.parametrize("seed", range(3))
def test_what_is_kept_equals_what_is_made_anew(people: Company, seed: int) -> None:
    chance = random.Random(seed)
    commands = history(chance, 60)
    for command in commands[:20]:
        list(execute_many([command], actor=SYSTEM))
    list(execute_many(commands[20:], actor=SYSTEM))  # in a batch that holds refused ones
    live = stored()
    assert len({row[0] for row in live}) == 3  # people and organisations too
    assert rebuild() == len(live)
    assert stored() == live


def reference(actor: Actor, organisations: set[int | None] | None, text: str) -> dict[str, Rank]:
    """Return the keys that the words find by looking at every row; inside words only if need be."""
    terms = read_terms(text)
    near = {
        row.key: rank(terms, key=row.key, title=row.title, marks=row.marks)
        for row in SearchRow.objects.filter(archived=False)
        if organisations is None or row.organisation_id in organisations
    }
    single = len("".join(terms.words)) == 1
    begun = {k: r for k, r in near.items() if r <= (Rank.NAMING if single else Rank.BODY)}
    return begun or {k: r for k, r in near.items() if r is Rank.INSIDE}


@pytest.mark.parametrize("seed", range(2))
def test_finds_what_looking_at_every_row_finds(people: Company, seed: int) -> None:
    list(execute_many(history(random.Random(seed), 120), actor=SYSTEM))
    for actor in (people.boss, people.vera):
        seen = None
        if actor is people.vera:
            seen = set(
                User.objects.filter(organisation__slug__in=("retail", "shops")).values_list(
                    "organisation_id", flat=True
                )
            ) | {SearchRow.objects.get(kind="organisation", key="shops").organisation_id}
        for text in QUERIES:
            expected = reference(actor, seen, text)
            found = search(actor, text, limit=1000)
            assert {one.key: one.rank for one in found.found} == expected, text
            assert found.total == len(expected), text
            assert [one.rank for one in found.found] == sorted(one.rank for one in found.found)
            nearest = suggest(actor, text)
            assert len(nearest) == min(8, len(expected)), text
            assert {one.key for one in nearest} <= expected.keys(), text


def test_no_query_is_wrong(people: Company) -> None:
    for junk in JUNK:
        for actor in (people.boss, people.vera):
            assert isinstance(search(actor, junk), Results)
            assert isinstance(suggest(actor, junk), list)
            exact(actor, junk)


def item(key: str, where: str, name: str = "", **more: Any) -> None:
    execute(CreateItem(key=key, name=name or key, kind="system", organisation=where, **more), actor=SYSTEM)


def test_another_branch_is_neither_found_nor_counted_nor_suggested(people: Company, client: Client) -> None:
    item("pay-retail", "retail")
    item("pay-cards", "cards", description="pay")
    found = search(people.rita, "pay")
    assert ([one.key for one in found.found], found.counts) == (["pay-retail"], {"item": 1})
    assert [one.key for one in suggest(people.rita, "pay")] == ["pay-retail"]
    assert exact(people.rita, "pay-cards") is None
    assert search(people.rita, "ay-cards").found == ()
    execute(EditItem(item="pay-cards", organisation="retail"), actor=SYSTEM)
    assert search(people.rita, "pay").counts == {"item": 2}


def test_people_are_found_by_whoever_may_see_accounts(people: Company) -> None:
    execute(
        accounts.CreateUser(email="zoe@example.org", name="Zoë Quill", organisation="retail"), actor=SYSTEM
    )
    assert [one.key[:4] for one in search(people.rita, "zoe").found] == ["USR-"]
    lone = company.person("lone", "retail")  # no role: sees nothing
    assert search(lone, "zoe").counts == {}
    assert suggest(lone, "zoe") == []


def test_names_come_before_mentions_and_archived_ones_stay_away(people: Company) -> None:
    item("clearing", "retail", description="for the ledger")
    item("ledger-db", "retail", name="Database")
    item("core", "retail", name="Core Ledger")
    item("ledger", "retail", name="Books")
    item("ledgers", "retail", name="Old ledgers")
    execute(ArchiveItem(item="ledgers"), actor=SYSTEM)
    assert [one.key for one in search(people.rita, "ledger").found] == [
        "ledger",
        "ledger-db",
        "core",
        "clearing",
    ]
    both = search(people.rita, "ledger", archived=True)
    assert both.found[-1].key == "ledgers"
    assert both.counts == {"item": 5}
    found = exact(people.rita, "LEDGERS")
    assert found is not None
    assert found.archived


def test_statements_do_not_grow_with_rows(people: Company) -> None:
    def statements(count: Callable[[], object]) -> int:
        with CaptureQueriesContext(
            connection,
        ) as taken:
            count()
        return len(taken)

    item("pay-0", "retail")
    search(people.rita, "pay")  # who sees what is kept from here on
    before = statements(lambda: search(people.rita, "pay")), statements(lambda: suggest(people.rita, "pay"))
    list(
        execute_many(
            [
                PutItem(key=f"pay-{n}", name=f"Pay {n}", kind="system", organisation="retail")
                for n in range(60)
            ],
            actor=SYSTEM,
        )
    )
    after = statements(lambda: search(people.rita, "pay")), statements(lambda: suggest(people.rita, "pay"))
    assert after[0] <= before[0] <= 8, (before, after)
    assert after[1] <= before[1] <= 8, (before, after)


def test_every_page_of_results_shows_others(people: Company) -> None:
    commands = [PutItem(key=f"pay-{n}", name="Pay", kind="system", organisation="retail") for n in range(25)]
    list(execute_many(commands, actor=SYSTEM))
    pages = [search(people.rita, "pay", limit=10, offset=offset) for offset in (0, 10, 20)]
    assert [len(page.found) for page in pages] == [10, 10, 5]
    assert [page.more for page in pages] == [True, True, False]
    assert len({one.key for page in pages for one in page.found}) == 25


def test_the_page_tells_counts_marks_and_leads_to_records(people: Company, client: Client) -> None:
    item("pay-gate", "retail", name="Payment <Gateway>", description="see the pay ledger")
    execute(
        CreateEnvironment(key="pay-sit", name="Pay SIT", tier="system_test", organisation="retail"),
        actor=SYSTEM,
    )
    client.force_login(User.objects.get(email="rita@example.org"))
    text = client.get("/search?q=pay").content.decode()
    assert "<mark>Pay</mark>ment &lt;Gateway&gt;" in text
    assert "2 records" in text
    assert client.get("/search?q=Pay-Gate").headers["Location"] == "/items/pay-gate"
    assert client.get("/search/suggest?q=pay").json()["items"][0]["href"] in (
        "/items/pay-gate",
        "/environments/pay-sit",
    )
    assert client.get("/search?q=pay&kind=environment").status_code == 200
    assert client.get("/search?q=%27%00&kind=nonsense&cursor=x").status_code == 200


def test_every_kind_tells_where_its_records_stand() -> None:
    assert {name: kind.address("K") for name, kind in KINDS.items()}.items() >= {
        "item": "/items/K", "environment": "/environments/K", "change": "/changes/K", "window": "/windows/K",
        "user": "/administration/people/K", "team": "/administration/teams/K",
    }.items()  # fmt: skip
