"""Redundancy through its commands, in impact, and over the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fairway.audit.commands import Command, execute
from fairway.audit.models import Event
from fairway.catalog import queries
from fairway.catalog.commands import (
    CreateRedundancy,
    EditItem,
    EditRedundancy,
    PutRedundancy,
    RemoveRedundancy,
    RemoveRelation,
)
from fairway.catalog.models import Redundancy, Relation
from fairway.catalog.queries import Direction
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from fairway.kernel.refs import HIDDEN
from fairway.workspace.commands import UndoEvent

from .conftest import Company

Make = Callable[..., str]
Relate = Callable[..., object]
NODES = ("node-a", "node-b", "node-c")


@pytest.fixture
def shop(company: Company, item: Make, relate: Relate) -> Company:
    """A shop on three nodes, two of which run on one host; the till is a service that needs the shop."""
    for key in ("shop", *NODES):
        item(key, criticality=2)
    item("host", kind="host")
    item("till", kind="business-service", criticality=1)
    for node in NODES:
        relate("shop", node)
    relate("node-a", "host", "runs-on"), relate("node-b", "host", "runs-on"), relate("till", "shop")
    return company


def group(needed: int = 2, members: tuple[str, ...] = NODES, **more: Any) -> CreateRedundancy:
    return CreateRedundancy(
        **{"item": "shop", "kind": "depends-on", "needed": needed, "members": list(members), **more}
    )


def reached(key: str, direction: Direction = Direction.DOWNSTREAM, actor: Actor = SYSTEM) -> set[str]:
    return {one.item.key for one in impact(key, direction, actor).reached}


def impact(key: str, direction: Direction = Direction.DOWNSTREAM, actor: Actor = SYSTEM) -> queries.Impact:
    return queries.impact(actor, queries.item(actor, key), direction=direction)


def test_failure_stops_while_enough_members_stand_and_that_is_told(shop: Company) -> None:
    assert reached("node-a") == {"shop", "till"}

    outcome = execute(group(), actor=shop.retail)

    assert Event.objects.latest("sequence").command == "catalog.redundancy.create"
    assert outcome.created
    found = impact("node-c")
    assert found.total == 0
    [spared] = found.spared
    assert (spared.item.key, spared.needed, spared.standing, spared.members) == ("shop", 2, 2, 3)
    assert [ref.key for ref in spared.failed] == ["node-c"]


def test_what_takes_too_many_down_at_once_is_reached_with_its_way(shop: Company) -> None:
    execute(group(), actor=shop.retail)

    found = impact("host")

    ways = {one.item.key: [ref.key for ref in one.path] for one in found.reached}
    assert ways["till"] == ["host", "node-b", "shop", "till"], "by the member whose failure was too much"
    assert [(one.item.key, one.criticality) for one in found.services] == [("till", 1)]
    assert found.spared == ()
    assert reached("till", Direction.UPSTREAM) == {"shop", "host"}, "no node alone takes it down"
    upstream = impact("till", Direction.UPSTREAM)
    [by_host] = [one for one in upstream.reached if one.item.key == "host"]
    assert [ref.key for ref in by_host.path] == ["till", "shop", "node-b", "host"]
    assert len(by_host.relations) == 3
    [relied] = upstream.spared
    assert (relied.item.key, relied.standing, relied.failed) == ("shop", 3, ())


def test_several_that_fail_together_count_together(shop: Company) -> None:
    execute(group(needed=1), actor=shop.retail)
    pks = [queries.item(SYSTEM, node).pk for node in NODES]

    def together(*numbers: int, **more: Any) -> int:
        starts = [pks[number] for number in numbers]
        return queries.impact(SYSTEM, starts, direction=Direction.DOWNSTREAM, **more).total

    assert (together(0, 1), together(0, 1, 2)) == (0, 2)
    assert together(0, 1, 2, barred=[queries.item(SYSTEM, "shop").pk]) == 0


def test_who_may_not_see_a_member_is_told_its_count_alone(shop: Company, item: Make, relate: Relate) -> None:
    item("secret", organisation="cards")
    relate("shop", "secret")
    execute(group(needed=1, members=("node-a", "secret")), actor=shop.boss)

    [told] = queries.redundancies(shop.retail, [queries.item(shop.retail, "shop")])
    assert (told["count"], [ref.key for ref in told["members"]]) == (2, ["node-a"])
    known = queries.snapshot().items
    secret = next(pk for pk, one in known.items() if one.ref.key == "secret")
    [spared] = queries.impact(shop.retail, [secret], direction=Direction.DOWNSTREAM).spared
    assert spared.failed == (HIDDEN,)


@pytest.mark.parametrize(
    ("case", "command", "message"),
    [
        ("needs more than there are", group(needed=4), "Of 3 members 1 to 3 can be needed, not 4."),
        ("needs none", group(needed=0), "Of 3 members 1 to 3 can be needed, not 0."),
        ("a single member", group(needed=1, members=("node-a",)), "Name 2 to 200 items"),
        ("not joined", group(members=("node-a", "host")), "It is not said that shop depends on host."),
        (
            "joined the wrong way",
            group(members=("node-a", "till")),
            "It is not said that shop depends on till.",
        ),
        ("another kind", group(kind="runs-on"), "It is not said that shop runs on node-a."),
        ("no such item", group(members=("node-a", "node-x")), "There is no item “node-x”."),
        ("no such kind", group(kind="needs"), "There is no kind of relation “needs”"),
    ],
)
def test_what_makes_no_sense_is_refused(
    shop: Company, case: str, command: CreateRedundancy, message: str
) -> None:
    with pytest.raises(Invalid) as refused:
        execute(command, actor=shop.retail)

    assert message in " ".join(error.message for error in refused.value.errors)
    assert not Redundancy.objects.exists()


def test_an_item_counts_in_one_group_only_and_a_group_stands_once(shop: Company) -> None:
    execute(group(), actor=shop.retail)

    with pytest.raises(Conflict):
        execute(group(), actor=shop.retail)
    with pytest.raises(Invalid) as refused:
        execute(group(name="other", members=("node-a", "node-b")), actor=shop.retail)
    assert [error.message for error in refused.value.errors] == [
        "node-a counts in another group of shop.",
        "node-b counts in another group of shop.",
    ]


def test_put_creates_then_changes_and_edit_takes_members_out(shop: Company) -> None:
    put = PutRedundancy(item="shop", kind="depends-on", needed=2, members=list(NODES))
    assert execute(put, actor=shop.retail).created
    assert execute(put, actor=shop.retail).sequence is None, "nothing had to change"
    made = Redundancy.objects.get()

    execute(
        EditRedundancy(redundancy=str(made.uid), needed=1, members=["node-a", "node-b"]), actor=shop.retail
    )

    made.refresh_from_db()
    counted = Relation.objects.filter(redundancy=made).values_list("target__slug", flat=True)
    assert (made.needed, sorted(counted)) == (1, ["node-a", "node-b"])
    assert reached("node-c") == {"shop", "till"}
    with pytest.raises(Invalid):
        execute(EditRedundancy(redundancy=str(made.uid), needed=3), actor=shop.retail)


def test_removing_the_group_or_a_relation_lets_failure_travel_again(shop: Company) -> None:
    execute(group(), actor=shop.retail)
    assert reached("node-a") == set()
    gone = Relation.objects.get(target__slug="node-c", source__slug="shop")
    execute(RemoveRelation(relation=str(gone.uid)), actor=shop.retail)
    assert reached("node-a") == {"shop", "till"}, "two are left, and two are needed"

    execute(RemoveRedundancy(redundancy=str(Redundancy.objects.get().uid)), actor=shop.retail)

    assert reached("node-a") == {"shop", "till"}
    assert not Redundancy.objects.exists()


def test_the_group_goes_with_its_item_to_another_organisation(shop: Company) -> None:
    execute(group(), actor=shop.boss)
    execute(EditItem(item="shop", organisation="cards"), actor=shop.boss)

    assert Redundancy.objects.get().organisation.slug == "cards"
    with pytest.raises(NotFound):
        queries.redundancy(shop.retail, str(Redundancy.objects.get().uid))


def test_a_reader_may_not(shop: Company) -> None:
    with pytest.raises(Forbidden):
        execute(group(), actor=shop.reader)


def test_circles_are_told_to_who_sees_two_of_them(shop: Company, item: Make, relate: Relate) -> None:
    assert queries.cycles(shop.boss) == []
    item("foreign", organisation="cards")
    relate("host", "node-a"), relate("foreign", "till"), relate("till", "foreign")

    assert [[ref.key for ref in circle] for circle in queries.cycles(shop.boss)] == [
        ["foreign", "till"],
        ["host", "node-a"],
    ]
    assert [[ref.key for ref in circle] for circle in queries.cycles(shop.retail)] == [["host", "node-a"]]


def state() -> dict[str, tuple[int, list[str]]]:
    """Return the groups by name: how many are needed, of whom."""
    return {
        one.name: (one.needed, sorted(one.relations.values_list("target__slug", flat=True)))
        for one in Redundancy.objects.all()
    }


def undo(sequence: int | None, actor: Actor = SYSTEM) -> int | None:
    assert sequence is not None
    return execute(UndoEvent(event=sequence), actor=actor).sequence


def test_what_is_done_to_redundancy_is_taken_back_and_done_anew(shop: Company) -> None:
    """Each step, its undoing, and the undoing of that: every state comes back, under the old uid."""
    steps: list[Callable[[str], Command]] = [
        lambda _: group(needed=2),
        lambda uid: EditRedundancy(redundancy=uid, members=list(NODES[:2])),
        lambda _: PutRedundancy(item="shop", kind="depends-on", needed=3, members=list(NODES)),
        lambda uid: RemoveRedundancy(redundancy=uid),
    ]
    before, uid = [state()], ""
    for step in steps:
        done = execute(step(uid), actor=shop.retail)
        after = state()
        back = undo(done.sequence, shop.retail)
        assert state() == before[-1]
        undo(back, shop.retail)
        assert state() == after
        before.append(after)
        uid = uid or str(Redundancy.objects.get().uid)
    last = Event.objects.latest("sequence").sequence
    undo(last, shop.retail)  # the redoing of the removal
    assert (str(Redundancy.objects.get().uid), state()) == (uid, before[-2])


def test_an_undo_never_leaves_a_group_that_cannot_be(shop: Company) -> None:
    made = execute(group(needed=2, members=NODES[:2]), actor=SYSTEM)
    uid = str(Redundancy.objects.get().uid)
    more = execute(EditRedundancy(redundancy=uid, members=list(NODES)), actor=SYSTEM)
    execute(EditRedundancy(redundancy=uid, needed=3), actor=SYSTEM)
    for sequence in (more.sequence, made.sequence):  # of two three would be needed; one more counts in it
        with pytest.raises(Conflict):
            undo(sequence)
    gone = execute(RemoveRedundancy(redundancy=uid), actor=SYSTEM)
    execute(group(needed=1, members=NODES), actor=SYSTEM)
    with pytest.raises(Conflict):
        undo(gone.sequence)
    assert state() == {"": (1, sorted(NODES))}
    with pytest.raises(NotFound):
        undo(gone.sequence, shop.cards)
