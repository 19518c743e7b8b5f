"""How conflicts are handled: by whom, and which of them may stay."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from fairway.accounts import queries as accounts
from fairway.accounts.commands import CreateToken
from fairway.accounts.models import User
from fairway.audit.commands import execute
from fairway.audit.models import Event
from fairway.changes import queries
from fairway.changes.commands import EditChange, HandleConflict
from fairway.changes.models import Collision
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from tests.changes.conftest import NOON, Company, hours


def pair(company: Company, **more: Any) -> tuple[str, str]:
    """Two changes of different people that meet for an hour on one item."""
    return company.change(), company.change("max", title="Other", windows=(hours(1, 3),), **more)


def say(company: Company, name: str, one: str, other: str, **more: Any) -> None:
    command = HandleConflict(change=one, other=other, **{"rule": "claims.same_item", **more})
    execute(command, actor=company.people[name], at=NOON)


def told(company: Company, one: str, other: str) -> queries.Handling:
    mine = queries.dossier(company.max, one)
    finding = queries.conflict(mine, queries.change(company.max, other), "claims.same_item", at=NOON)
    return queries.handlings([finding]).get(finding.id, queries.NOT_HANDLED)


def test_it_stays_while_both_stay_where_they_are_and_is_told_from_both_sides(company: Company) -> None:
    one, other = pair(company)
    assert told(company, one, other) == queries.NOT_HANDLED
    say(company, "rita", one, other, owner=company.ian.uid, accepted=True, reason="Different nodes")
    for sides in ((one, other), (other, one)):
        found = told(company, *sides)
        assert (found.status, found.reason, found.by) == ("accepted", "Different nodes", company.rita.name)
        assert found.owner is not None
        assert found.owner.uid == company.ian.uid
    event = Event.objects.latest("sequence")
    assert (event.command, event.subject_key) == ("changes.conflict.handle", one)
    execute(EditChange(change=other, windows=(hours(1.5, 3),)), actor=company.max, at=NOON)
    moved = told(company, one, other)
    assert (moved.status, moved.reason) == ("open", "")
    assert moved.owner is not None, "whoever sees to it goes on seeing to it"


def test_what_is_left_out_stays_and_the_other_side_writes_the_same_row(company: Company) -> None:
    one, other = pair(company)
    say(company, "rita", one, other, accepted=True, reason="Different nodes")
    say(company, "max", other, one, owner=company.max.uid)
    found = told(company, one, other)
    assert (found.status, found.reason) == ("accepted", "Different nodes")
    say(company, "max", other, one, accepted=False)
    assert told(company, one, other).status == "open"
    say(company, "max", other, one, owner=None)
    assert told(company, one, other).owner is None
    before = Collision.objects.get()
    say(company, "rita", other, one, owner=None)
    assert Collision.objects.get().person_id == before.person_id, "nothing new was said"


def test_what_blocks_cannot_just_stay(company: Company) -> None:
    one, other = pair(company, downtime=(hours(1, 3),), submit=True)
    with pytest.raises(Conflict, match="cannot just stay"):
        say(company, "rita", one, other, accepted=True, reason="Fine")
    say(company, "rita", one, other, owner=company.rita.uid)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"accepted": True}, Invalid),
        ({"reason": "Because"}, Invalid),
        ({"rule": "claims.person"}, NotFound),
        ({"owner": "USR-999999"}, NotFound),
    ],
)
def test_what_makes_no_sense_is_refused(
    company: Company, more: dict[str, Any], problem: type[Exception]
) -> None:
    one, other = pair(company)
    with pytest.raises(problem):
        say(company, "rita", one, other, **more)
    assert not Collision.objects.exists()


def test_only_who_stands_in_one_or_edits_may_say_so(company: Company) -> None:
    one, other = pair(company)
    with pytest.raises(Forbidden, match="You may not say"):
        say(company, "vera", one, other, owner=None)
    with pytest.raises(NotFound):
        say(company, "carl", one, other, owner=None)


def test_list_and_page_filter_by_it(company: Company) -> None:
    one, other = pair(company)
    third = company.change("max", title="Third", windows=(hours(1, 3),))
    say(company, "rita", one, other, owner=company.rita.uid, accepted=True, reason="Different nodes")
    token = execute(CreateToken(name="test"), actor=company.max).answer

    def ask(query: str = "") -> set[tuple[str, ...]]:
        answer = Client().get(f"/api/v1/conflicts{query}", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.content
        return {tuple(sorted(party["key"] for party in row["parties"])) for row in answer.json()["items"]}

    assert ask() == {(one, other), (one, third), (other, third)}
    assert ask("?status=accepted") == {(one, other)}
    assert ask("?status=open") == {(one, third), (other, third)}
    rita = accounts.refs([company.rita.pk or 0])[company.rita.pk or 0].key
    assert ask(f"?owner={rita}") == {(one, other)}
    assert ask("?owner=") == {(one, third), (other, third)}
    browser = Client()
    browser.force_login(User.objects.get(uid=company.rita.uid))
    where = "/conflicts?span=ever"
    assert "Different nodes" in browser.get(f"{where}&owner=me").content.decode()
    assert "Different nodes" not in browser.get(f"{where}&status=open").content.decode()
    assert browser.get(f"{where}&status=closed").status_code == 422


def test_asking_how_conflicts_are_handled_takes_one_statement(
    company: Company, django_assert_num_queries: Any
) -> None:
    keys = [company.change("max", title=str(number)) for number in range(6)]
    mine = queries.dossier(company.max, keys[0])
    for key in keys[1:]:
        say(company, "max", keys[0], key, accepted=True, reason="Fine")
    findings = [
        queries.conflict(mine, queries.change(company.max, key), "claims.same_item", at=NOON)
        for key in keys[1:]
    ]
    with django_assert_num_queries(1):
        assert {one.status for one in queries.handlings(findings).values()} == {"accepted"}
