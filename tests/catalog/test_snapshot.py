"""The catalogue kept in memory: always what a fresh reading gives, however it was brought up to date."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairway.accounts import queries as accounts
from fairway.accounts.commands import CreateOrganisation
from fairway.audit.commands import execute, execute_many
from fairway.catalog import queries
from fairway.catalog.commands import (
    ArchiveItem,
    CreateItem,
    CreateRelation,
    EditItem,
    PutItem,
    PutRedundancy,
    PutRelation,
    RemoveRedundancy,
    RemoveRelation,
)
from fairway.catalog.models import ConfigurationItem, Redundancy, Relation
from fairway.catalog.queries.keeping import load
from fairway.kernel.actor import SYSTEM
from fairway.kernel.cache import Kept
from fairway.kernel.errors import Problem

from .conftest import Company

Make = Callable[..., str]
Relate = Callable[..., object]


def fresh() -> queries.Snapshot:
    return load(0, None)


def same(one: queries.Snapshot, other: queries.Snapshot) -> bool:
    starts = one.items.keys() | other.items.keys()
    return (
        one.items == other.items
        and one.services == other.services
        and one.graph.steps() == other.graph.steps()
        and one.graph.groups == other.graph.groups
        and all(one.graph.reach(start) == other.graph.reach(start) for start in starts)
    )


KEYS = [f"item-{number}" for number in range(5)]
keys = st.sampled_from(KEYS)
steps = st.one_of(
    st.builds(lambda key, criticality: PutItem(key=key, name=key, kind="system", criticality=criticality),
              keys, st.integers(1, 4)),
    st.builds(lambda key: ArchiveItem(item=key), keys),
    st.builds(lambda source, target, kind: PutRelation(source=source, target=target, kind=kind),
              keys, keys, st.sampled_from(["depends-on", "part-of", "runs-on"])),
    st.builds(lambda item, others, needed: PutRedundancy(
                  item=item, kind="depends-on", needed=min(needed, len(others)), members=sorted(others)),
              keys, st.sets(keys, min_size=2, max_size=3), st.integers(1, 2)),
    st.tuples(st.just("remove"), st.integers(0, 9)),
    st.tuples(st.just("ungroup"), st.integers(0, 9)),
)  # fmt: skip


@pytest.mark.usefixtures("committed")
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=st.lists(st.tuples(steps, st.booleans()), max_size=12))
def test_following_the_log_gives_what_a_fresh_reading_gives(plan: list[tuple[Any, bool]]) -> None:
    """Over random commands, with readings in between at random."""
    Relation.objects.all().delete()
    Redundancy.objects.all().delete()
    ConfigurationItem.objects.all().delete()
    Kept.forget_all()
    if not accounts.root():
        execute(CreateOrganisation(slug="group", name="Group"), actor=SYSTEM)
    for step, read in plan:
        command = step
        if isinstance(step, tuple):
            what, number = step
            table: Any = Relation if what == "remove" else Redundancy
            known = [str(uid) for uid in table.objects.order_by("pk").values_list("uid", flat=True)]
            if not known:
                continue
            uid = known[number % len(known)]
            command = RemoveRelation(relation=uid) if what == "remove" else RemoveRedundancy(redundancy=uid)
        try:
            execute(command, actor=SYSTEM)
        except Problem:
            continue
        if read:
            assert same(queries.snapshot(), fresh())
    assert same(queries.snapshot(), fresh())


def test_reading_again_costs_one_statement(company: Company, item: Make, relate: Relate) -> None:
    item("ledger"), item("host")
    relate("ledger", "host")
    queries.snapshot()

    with CaptureQueriesContext(connection) as captured:
        queries.snapshot()

    assert len(captured) == 1


def test_one_item_written_costs_three_statements_to_follow(company: Company, item: Make) -> None:
    item("ledger"), item("host")
    queries.snapshot()
    execute(EditItem(item="ledger", name="Books"), actor=SYSTEM)

    with CaptureQueriesContext(connection) as captured:
        known = queries.snapshot().items

    assert len(captured) == 3
    assert "Books" in {facts.ref.name for facts in known.values()}


def test_archiving_takes_an_item_out_of_the_graph_and_putting_brings_it_back(
    company: Company, item: Make, relate: Relate
) -> None:
    item("a"), item("b"), item("c")
    relate("b", "a"), relate("c", "b")
    [a, b, c] = ConfigurationItem.objects.order_by("pk").values_list("pk", flat=True)
    assert queries.graph().reach(a).keys() == {b, c}

    execute(ArchiveItem(item="b"), actor=SYSTEM)
    assert queries.graph().reach(a) == {}
    assert queries.facts([b])[b].ref.key == "b", "what it was called is still told"

    execute(PutItem(key="b"), actor=SYSTEM)
    assert queries.graph().reach(a).keys() == {b, c}


@pytest.mark.usefixtures("committed")
def test_what_is_rolled_back_is_not_kept() -> None:
    execute(CreateOrganisation(slug="group", name="Group"), actor=SYSTEM)
    execute(CreateItem(key="host", name="Host", kind="host"), actor=SYSTEM)
    before = queries.snapshot()

    with transaction.atomic():
        execute(CreateItem(key="ghost", name="Ghost", kind="host"), actor=SYSTEM)
        inside = queries.snapshot()
        assert {facts.ref.key for facts in inside.items.values()} == {"host", "ghost"}
        assert queries.snapshot() is inside, "kept for the transaction"
        transaction.set_rollback(True)

    assert queries.snapshot() is before
    execute(
        CreateItem(key="real", name="Real", kind="host"), actor=SYSTEM
    )  # takes the number of the lost event
    assert {facts.ref.key for facts in queries.snapshot().items.values()} == {"host", "real"}


@pytest.mark.usefixtures("committed")
def test_what_is_read_inside_a_transaction_is_kept_once_it_commits() -> None:
    execute(CreateOrganisation(slug="group", name="Group"), actor=SYSTEM)
    with transaction.atomic():
        execute(CreateItem(key="host", name="Host", kind="host"), actor=SYSTEM)
        inside = queries.snapshot()

    assert queries.snapshot() is inside


def test_items_written_earlier_in_a_batch_have_facts_at_once(company: Company) -> None:
    first = CreateItem(key="host", name="Host", kind="host", organisation="retail")
    second = CreateItem(key="ledger", name="Ledger", kind="system", organisation="retail")
    joined = CreateRelation(source="ledger", target="host", kind="runs-on")

    outcomes = list(execute_many([first, second, joined], actor=company.retail))

    assert [type(outcome).__name__ for outcome in outcomes] == ["Outcome"] * 3
    [host, ledger] = ConfigurationItem.objects.order_by("pk").values_list("pk", flat=True)
    assert queries.facts([host, ledger]).keys() == {host, ledger}
    assert queries.graph().reach(host).keys() == {ledger}
