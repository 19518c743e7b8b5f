"""Groups of environments, which are one lane, and links, by which one is taken with another."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from fairway.accounts.commands import CreateToken
from fairway.audit.commands import Command, execute
from fairway.environments import queries
from fairway.environments.commands import (
    ArchiveEnvironmentGroup,
    CreateEnvironment,
    CreateEnvironmentGroup,
    CreateEnvironmentLink,
    EditEnvironmentGroup,
    PutEnvironmentGroup,
    PutEnvironmentLink,
    RemoveEnvironmentLink,
)
from fairway.environments.models import EnvironmentLink, GroupMember
from fairway.environments.rules import expanded, way_down
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from tests.support.company import Company

Make = Callable[..., str]
GRAPHS = st.dictionaries(st.integers(0, 6), st.lists(st.integers(0, 6), max_size=3), max_size=6)


@given(st.lists(st.integers(0, 6), max_size=3), GRAPHS)
def test_expanding_takes_all_that_is_linked_below_each_once(named: list[int], children: Any) -> None:
    reached = set(named)
    for _ in range(8):  # slow and obvious: as often as there are environments
        reached |= {child for one in reached for child in children.get(one, ())}
    found = expanded(named, children)
    assert sorted(found) == sorted(reached)
    assert list(found[: len(set(named))]) == list(dict.fromkeys(named))


@given(st.integers(0, 6), st.integers(0, 6), GRAPHS)
def test_a_way_down_is_one_of_links_and_none_is_overlooked(top: int, bottom: int, children: Any) -> None:
    way = way_down(top, bottom, children)
    assert bool(way) == (bottom in expanded([top], children))
    assert all(child in children.get(one, ()) for one, child in pairwise(way))


def run(command: Command, actor: Actor = SYSTEM) -> Any:
    return execute(command, actor=actor)


def link(parent: str, child: str) -> None:
    run(CreateEnvironmentLink(parent=parent, child=child))


def test_a_group_stands_for_what_it_holds(company: Company, environment: Make) -> None:
    for key in ("sit1", "uat", "prod"):
        environment(key)
    run(CreateEnvironmentGroup(key="lane", name="Lane", members=["sit1", "uat"]), company.rita)

    def named(*references: str) -> list[str]:
        return [one.slug for one in queries.named(company.rita, references)]

    assert named("lane") == ["sit1", "uat"]
    assert named("uat", "lane", "prod") == ["uat", "sit1", "prod"]
    run(EditEnvironmentGroup(group="lane", members=["uat"]), company.rita)
    assert named("lane") == ["uat"]
    group = queries.group(company.rita, "lane")
    assert (group.version, group.member_edits) == (2, 1)
    run(ArchiveEnvironmentGroup(group="lane"), company.rita)
    with pytest.raises(Invalid, match="There is no environment “lane”"):
        named("lane")
    run(PutEnvironmentGroup(key="lane"), company.rita)
    assert named("lane") == ["uat"]


def test_a_group_is_used_whole_or_not_at_all(company: Company, environment: Make) -> None:
    environment("till"), environment("vault", "cards")
    run(CreateEnvironmentGroup(key="both", name="Both", members=["till", "vault"], organisation="retail"))
    with pytest.raises(Invalid, match="also holds environments that you do not see"):
        queries.named(company.rita, ["both"])
    run(EditEnvironmentGroup(group="both", members=["till"]), company.rita)
    assert GroupMember.objects.count() == 2  # who does not see a member does not put it out


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (CreateEnvironmentGroup(key="empty", name="Empty", members=[]), Invalid),
        (CreateEnvironmentGroup(key="prod", name="Taken by an environment", members=["prod"]), Conflict),
        (CreateEnvironmentGroup(key="lane", name="Taken", members=["prod"]), Conflict),
        (CreateEnvironmentGroup(key="other", name="Other", members=["nowhere"]), Invalid),
        (CreateEnvironment(key="lane", name="Taken by a group", tier="staging"), Conflict),
        (CreateEnvironmentLink(parent="prod", child="prod"), Invalid),
        (CreateEnvironmentLink(parent="prod", child="nowhere"), Invalid),
        (CreateEnvironmentLink(parent="prod", child="uat"), Conflict),
        (RemoveEnvironmentLink(link="0198a0b4-0000-7000-8000-000000000000"), NotFound),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(
    company: Company, environment: Make, command: Command, problem: type[Problem]
) -> None:
    environment("prod"), environment("uat")
    run(CreateEnvironmentGroup(key="lane", name="Lane", members=["prod"]))
    link("prod", "uat")
    with pytest.raises(problem):
        run(command)


def test_links_go_in_no_circle(company: Company, environment: Make) -> None:
    for key in ("a", "b", "c"):
        environment(key)
    link("a", "b")
    link("b", "c")
    with pytest.raises(Invalid) as refused:
        link("c", "a")
    assert refused.value.errors[0].message == (
        "The links would go in a circle: c → a → b → c. Remove one first."
    )
    run(PutEnvironmentLink(parent="a", child="c"))
    run(PutEnvironmentLink(parent="a", child="c"))
    assert EnvironmentLink.objects.count() == 3
    a, b, c = (queries.environment(SYSTEM, key).pk for key in "abc")
    assert queries.with_children([a]) == (a, b, c)
    run(RemoveEnvironmentLink(link=str(EnvironmentLink.objects.get(parent=a, child=c).uid)))
    run(RemoveEnvironmentLink(link=str(EnvironmentLink.objects.get(parent=b).uid)))
    assert queries.with_children([a]) == (a, b)
    assert queries.above([b]) == {a, b}


def test_linking_takes_the_right_to_both(company: Company, environment: Make) -> None:
    environment("till"), environment("vault", "cards")
    with pytest.raises(Invalid, match="vault"):  # she sees none of it
        run(CreateEnvironmentLink(parent="till", child="vault"), company.rita)
    with pytest.raises(Forbidden):
        run(CreateEnvironmentLink(parent="till", child="till"), company.vera)


@pytest.mark.urls("tests.catalog.urls")
def test_groups_and_links_over_the_api(company: Company, environment: Make) -> None:
    environment("prod"), environment("uat")
    token = run(CreateToken(name="test"), company.rita).answer
    client = Client(headers={"Authorization": f"Bearer {token}"})

    def call(method: str, path: str, body: Any = None, **headers: str) -> Any:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        more = {"data": body, "content_type": "application/json"} if body is not None else {}
        return getattr(client, method)(f"/api/v1/{path}", headers=names, **more)

    made = call("post", "environment-groups", {"key": "lane", "name": "Lane", "members": ["uat", "prod"]})
    assert (made.status_code, made["Location"]) == (201, "/api/v1/environment-groups/lane")
    assert ([one["key"] for one in made.json()["members"]], made.json()["count"]) == (["prod", "uat"], 2)
    assert call("patch", "environment-groups/lane", {"members": ["uat"]}, If_Match='"1"').json()["count"] == 1
    assert call("patch", "environment-groups/lane", {"members": ["uat"]}, If_Match='"1"').status_code == 412
    assert [row["key"] for row in call("get", "environment-groups?environment=uat").json()["items"]] == [
        "lane"
    ]
    assert call("get", "environment-groups?environment=prod").json()["items"] == []

    made = call("post", "environment-links", {"parent": "prod", "child": "uat"})
    assert made.status_code == 201
    assert call("get", "environment-links?parent=prod").json()["items"][0]["child"]["key"] == "uat"
    assert call("post", "environment-links", {"parent": "uat", "child": "prod"}).status_code == 422
    assert call("delete", f"environment-links/{made.json()['uid']}", If_Match="*").status_code == 200
    assert call("get", "environment-links").json()["items"] == []
