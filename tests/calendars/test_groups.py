"""A window on a group of environments holds for what belongs to the group when somebody asks."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from fairway.accounts import queries as accounts
from fairway.audit.commands import execute, preview
from fairway.calendars import queries
from fairway.calendars.commands import ArchiveWindow, CreateWindow, EditWindow
from fairway.calendars.rules import Calendar, Lane, Scope
from fairway.calendars.rules import Window as Compiled
from fairway.calendars.rules.windows import Kind, Target
from fairway.changes import queries as changes
from fairway.environments.commands import (
    ArchiveEnvironmentGroup,
    CreateEnvironment,
    CreateEnvironmentGroup,
    EditEnvironment,
    EditEnvironmentGroup,
)
from fairway.environments.queries import environment
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Conflict, Invalid
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.policy import Finding, tell
from tests.support.company import Company, actor

START = datetime(2027, 1, 4, 8, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def lane(company: Company) -> str:
    made = CreateEnvironmentGroup(key="lane", name="Lane", organisation="retail", members=["uat"])
    execute(made, actor=SYSTEM)
    freeze = CreateWindow(
        name="Quiet", kind="hard_freeze", organisation="retail", environment_groups=["lane"],
        starts_at=START, ends_at=START + DAY,
    )  # fmt: skip
    done = execute(freeze, actor=SYSTEM)
    assert done.subject is not None
    return done.subject.key


def asked(place: str = "") -> list[Finding]:
    """Return what calendars say about work in an environment within the freeze; empty: everywhere."""
    retail = accounts.organisation(SYSTEM, "retail").pk
    wheres = [environment(SYSTEM, place).pk] if place else []
    return queries.findings(
        subject=Ref("change", "CHG-1", organisation=retail),
        targets=changes.targets(retail, [], wheres),
        periods=[Period(START + HOUR, START + 2 * HOUR)],
        reason=False,
    )


def test_it_follows_the_group(lane: str) -> None:
    assert not asked("prod")
    [found] = asked("uat")
    assert "uat (group lane)" in tell(found)
    assert len(asked()) == 1  # everywhere is there too
    execute(EditEnvironmentGroup(group="lane", members=["prod"]), actor=SYSTEM)
    assert asked("prod")
    assert not asked("uat")
    execute(EditWindow(window=lane, environments=["uat"]), actor=SYSTEM)
    assert asked("prod")
    [found] = asked("uat")
    assert "group" not in tell(found)  # it is named itself
    execute(ArchiveWindow(window=lane), actor=SYSTEM)
    assert not asked("prod")


def test_other_edits_of_environments_leave_what_is_compiled(lane: str) -> None:
    before = queries.calendar()
    execute(EditEnvironment(environment="prod", description="Other words."), actor=SYSTEM)
    assert queries.calendar() is before
    execute(EditEnvironmentGroup(group="lane", members=["uat", "prod"]), actor=SYSTEM)
    assert queries.calendar() is not before


def test_a_group_that_a_window_names_is_not_archived(lane: str) -> None:
    with pytest.raises(Conflict, match=f"{lane} hold for lane"):
        execute(ArchiveEnvironmentGroup(group="lane"), actor=SYSTEM)
    execute(EditWindow(window=lane, environment_groups=[]), actor=SYSTEM)
    execute(ArchiveEnvironmentGroup(group="lane"), actor=SYSTEM)
    with pytest.raises(Invalid) as told:
        preview(EditWindow(window=lane, environment_groups=["lane"]), actor=SYSTEM)
    assert [error.field for error in told.value.errors] == ["environment_groups"]


def test_the_group_of_another_branch_is_not_told(lane: str, company: Company) -> None:
    execute(CreateEnvironment(key="far", name="Far", tier="staging", organisation="cards"), actor=SYSTEM)
    made = CreateEnvironmentGroup(key="theirs", name="Theirs", organisation="cards", members=["uat", "far"])
    execute(made, actor=SYSTEM)
    with pytest.raises(Invalid):
        preview(EditWindow(window=lane, environment_groups=["theirs"]), actor=company.rita)
    execute(EditWindow(window=lane, environment_groups=["theirs"]), actor=SYSTEM)
    sees = accounts.access(actor("rita")).sees
    [found] = asked("uat")
    assert "theirs" in tell(found)
    assert "theirs" not in tell(found.redacted(sees))
    window = queries.window(actor("rita"), lane)
    assert [ref.key for ref in queries.facets(actor("rita"), [window.pk])[window.pk].groups] == [""]
    execute(EditWindow(window=lane, environment_groups=["lane"]), actor=actor("rita"))
    kept = queries.facets(SYSTEM, [window.pk])[window.pk].groups
    assert [ref.key for ref in kept] == ["lane", "theirs"]  # what one does not see stays


@pytest.mark.parametrize("seed", range(30))
def test_a_group_says_what_naming_each_of_its_environments_says(seed: int) -> None:
    """The same windows twice, once on groups and once on what belongs to them, by all questions."""
    dice = random.Random(seed)
    groups = {pk: frozenset(dice.sample(range(1, 6), dice.randint(1, 3))) for pk in (1, 2, 3)}
    by_group, by_name = [], []
    for number in range(6):
        chosen = dice.sample(sorted(groups), dice.randint(0, 2))
        named = frozenset(dice.sample(range(1, 6), dice.randint(0, 1)))
        kind = dice.choice([Kind.HARD_FREEZE, Kind.MAINTENANCE, Kind.SOFT_FREEZE])
        start = START + dice.randint(0, 20) * HOUR
        when = Period(start, start + dice.randint(1, 12) * HOUR)
        tiers = frozenset(dice.sample(["staging", "production"], dice.randint(0, 1)))
        ref = Ref("window", f"WIN-{number}", "", str(number), number, 1)
        lanes = tuple(Lane(Ref("environment-group", f"g{pk}", pk=pk), groups[pk]) for pk in chosen)
        by_group.append(Compiled(ref, kind, Scope(1, environments=named, tiers=tiers, lanes=lanes), when))
        whole = named.union(*(groups[pk] for pk in chosen))
        by_name.append(Compiled(ref, kind, Scope(1, environments=whole, tiers=tiers), when))
    one, other = Calendar(by_group), Calendar(by_name)
    within = Period(START, START + 2 * DAY)
    for place in (None, *range(1, 6)):
        target = Target(
            7, place, frozenset({1}), tier=None if place is None else dice.choice(["staging", "production"])
        )
        period = Period(START + dice.randint(0, 20) * HOUR, START + 22 * HOUR)
        subject = Ref("change", "CHG-1")
        assert one.findings(subject, [target], [period], reason=False) == other.findings(
            subject, [target], [period], reason=False
        )
        assert one.openings([target], within, reason=False) == other.openings([target], within, reason=False)


def test_a_group_without_anything_in_it_holds_for_nothing() -> None:
    scope = Scope(1, lanes=(Lane(Ref("environment-group", "empty", pk=1), frozenset()),))
    assert not scope.matches(Target(1, 4, frozenset({1})))
    assert not scope.matches(Target(1, None, frozenset({1})))
