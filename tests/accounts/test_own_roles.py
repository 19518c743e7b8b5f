"""Own roles: proposed by one administrator of the whole tree, confirmed by another, never more than held."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fairway.accounts import commands, queries
from fairway.accounts.models import Grant, Role, RoleProposal, User
from fairway.accounts.rules import PERMISSIONS
from fairway.audit.commands import execute
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Problem, Stale
from tests.support.committed import together
from tests.support.company import Company, actor, found, person

READS = ["accounts.view", "catalog.view"]
HELP_DESK = [*READS, "accounts.administer", "accounts.invite"]


@pytest.fixture
def second(company: Company) -> Actor:
    return person("second", "group", "administrator")


def propose(who: Actor, action: str = "create", role: str = "curator", **more: Any) -> str:
    if action == "create":
        more = {"name": "Curator", "permissions": READS, **more}
    made = execute(commands.ProposeRole(action=action, role=role, **more), actor=who)  # type: ignore[arg-type]
    assert made.subject is not None
    return made.subject.uid


def confirm(who: Actor, proposal: str) -> None:
    execute(commands.ConfirmRole(proposal=proposal), actor=who)


def agreed(one: Actor, other: Actor, action: str = "create", role: str = "curator", **more: Any) -> Role:
    confirm(other, propose(one, action, role, **more))
    return Role.objects.get(slug=role)


def test_a_role_is_made_changed_and_removed_by_two_people(company: Company, second: Actor) -> None:
    proposal = propose(company.boss, reason="For those who keep names tidy.")
    assert not Role.objects.filter(slug="curator").exists(), "nothing is done before it is confirmed"
    confirm(second, proposal)
    role = Role.objects.get(slug="curator")
    assert (role.permissions, role.built_in, role.version) == (READS, False, 1)
    noah = person("noah", "retail", "curator")
    assert queries.access(noah).may("catalog.view", queries.home(noah))
    assert not queries.access(noah).may("catalog.edit", queries.home(noah))

    edit = propose(second, "edit", permissions=[*READS, "catalog.edit"], version=1)
    effect = queries.role_effect(company.boss, RoleProposal.objects.get(uid=edit))
    assert (effect.gained, effect.lost, effect.people) == (["catalog.edit"], [], 1)
    assert [grant.user for grant in effect.grants] == [User.objects.get(email="noah@example.org")]
    confirm(company.boss, edit)
    assert queries.access(actor("noah")).may("catalog.edit", queries.home(noah))

    with pytest.raises(Conflict, match="granted 1 times"):
        propose(second, "remove")
    execute(commands.RevokeRole(grant=str(Grant.objects.get(role=role).uid)), actor=second)
    confirm(company.boss, propose(second, "remove"))
    with pytest.raises(NotFound):
        execute(
            commands.GrantRole(role="curator", organisation="retail", user="noah@example.org"), actor=second
        )
    with pytest.raises(Conflict, match="taken"):
        propose(second)


def test_a_second_person_is_another_person(company: Company, second: Actor) -> None:
    proposal = propose(company.boss)
    with pytest.raises(Forbidden, match="You proposed this"):
        confirm(company.boss, proposal)
    now = datetime.now(UTC)
    given = commands.Delegate(
        taker=second.uid, start=now.isoformat(), end=(now + timedelta(hours=1)).isoformat()
    )
    execute(given, actor=company.boss)
    with pytest.raises(Forbidden, match="stand in for"):
        confirm(actor("second"), proposal)
    with pytest.raises(Forbidden):
        confirm(company.rita, proposal)  # administers a branch alone
    robot = commands.CreateUser(email="bot@example.org", name="Bot", organisation="group", is_service=True)
    execute(robot, actor=SYSTEM)
    execute(
        commands.GrantRole(role="administrator", organisation="group", user="bot@example.org"), actor=SYSTEM
    )
    for step in (
        commands.ConfirmRole(proposal=proposal),
        commands.ProposeRole(action="create", role="r", name="R", permissions=READS),
    ):
        with pytest.raises(Forbidden, match="People propose"):
            execute(step, actor=actor("bot"))
    third = person("third", "group", "administrator")
    confirm(third, proposal)
    for decided in (
        commands.ConfirmRole(proposal=proposal),
        commands.RefuseRole(proposal=proposal, comment="no"),
        commands.WithdrawRole(proposal=proposal),
    ):
        with pytest.raises(Conflict, match="confirmed by Third"):
            execute(decided, actor=company.boss)


def test_what_was_proposed_upon_another_state_is_not_confirmed(company: Company, second: Actor) -> None:
    agreed(company.boss, second)
    edit = propose(second, "edit", name="Keeper of names")
    with pytest.raises(Conflict, match="proposed for “curator” already"):
        propose(company.boss, "remove")
    Role.objects.filter(slug="curator").update(version=7)
    with pytest.raises(Conflict, match="changed since"):
        confirm(company.boss, edit)
    execute(commands.RefuseRole(proposal=edit, comment="Too late."), actor=company.boss)
    with pytest.raises(Stale):
        propose(second, "edit", name="Other", version=1)
    proposal = propose(second, "edit", name="Other", version=7)
    Grant.objects.filter(user__email="second@example.org").delete()
    third = person("third", "group", "administrator")
    with pytest.raises(Conflict, match="may not propose this any more"):
        confirm(third, proposal)


def test_nobody_gives_more_than_they_hold(company: Company, second: Actor) -> None:
    """Whoever administers people alone comes by no other right, neither by roles nor by keys of others."""
    agreed(company.boss, second, role="desk", name="Help desk", permissions=HELP_DESK)
    desk, friend = person("desk", "group", "desk"), person("friend", "group")
    execute(commands.GrantRole(role="desk", organisation="group", user=friend.uid), actor=desk)
    robot = commands.CreateServiceAccount(slug="robot", name="Robot", organisation="group")
    bot = execute(robot, actor=company.boss).subject
    assert bot is not None
    execute(commands.GrantRole(role="viewer", organisation="group", user=bot.uid), actor=company.boss)
    execute(commands.CreateTeam(slug="crew", name="Crew", organisation="group"), actor=desk)
    execute(commands.GrantRole(role="approver", organisation="retail", team="crew"), actor=company.boss)
    now = datetime.now(UTC)
    for command in (
        commands.GrantRole(role="viewer", organisation="retail", user=friend.uid),
        commands.GrantRole(role="administrator", organisation="group", user=friend.uid),
        commands.SetMembers(team="crew", members=[friend.uid]),
        commands.InviteUser(user=company.vera.uid),
        commands.CreateToken(name="t", user=bot.uid),
        commands.Delegate(
            giver=company.vera.uid,
            taker=friend.uid,
            start=now.isoformat(),
            end=(now + timedelta(hours=1)).isoformat(),
        ),
        commands.ProposeRole(action="create", role="more", name="More", permissions=["changes.approve"]),
    ):
        with pytest.raises(Forbidden, match="do not hold there yourself"):
            execute(command, actor=actor("desk"))
    lesser = propose(desk, role="lesser", permissions=READS)
    confirm(friend, lesser)
    widened = propose(company.boss, "edit", "lesser", permissions=[*READS, "changes.approve"])
    with pytest.raises(Forbidden, match=r"changes\.approve"):
        confirm(actor("friend"), widened)


def test_built_in_roles_stay_as_they_are(company: Company, second: Actor) -> None:
    administrator = Role.objects.get(slug="administrator")
    assert set(administrator.permissions) == PERMISSIONS.keys(), "an administrator grants every permission"
    assert not Role.objects.filter(built_in=False).exists()
    with pytest.raises(Conflict, match="comes with Fairway"):
        propose(company.boss, "edit", "viewer", permissions=["accounts.view"])


@pytest.mark.parametrize(
    ("case", "given", "told"),
    [
        ("a key that is none", {"role": "Not a key"}, "is not a key"),
        ("a word of addresses", {"role": "proposals"}, "word of addresses"),
        ("a long key", {"role": "a" * 61}, "61 characters"),
        ("no permission", {"permissions": []}, "at least one"),
        ("an unknown permission", {"permissions": ["all.of_it"]}, "all.of_it"),
        ("no name", {"name": "  "}, "name is needed"),
        ("what is removed keeps its name", {"action": "remove", "name": "x"}, "leave this out"),
        ("nothing new", {"action": "edit"}, "nothing would change"),
    ],
)
def test_what_cannot_be_proposed(
    company: Company, second: Actor, case: str, given: dict[str, Any], told: str
) -> None:
    if "action" in given:
        agreed(company.boss, second)
    with pytest.raises(Invalid, match=told):
        propose(company.boss, **given)


def test_the_tree_keeps_an_administrator(company: Company, second: Actor) -> None:
    """Whatever way the last one would go."""
    execute(commands.CreateTeam(slug="keepers", name="Keepers", organisation="group"), actor=SYSTEM)
    agreed(company.boss, second, role="desk", name="Help desk", permissions=HELP_DESK)
    execute(commands.GrantRole(role="desk", organisation="group", team="keepers"), actor=SYSTEM)
    execute(commands.SetMembers(team="keepers", members=[company.boss.uid]), actor=SYSTEM)
    Grant.objects.filter(role__slug="administrator", organisation__parent=None).delete()
    boss = company.boss.uid
    ways: list[Callable[[], Any]] = [
        lambda: execute(commands.SetMembers(team="keepers", members=[]), actor=SYSTEM),
        lambda: execute(commands.EditTeam(team="keepers", is_active=False), actor=SYSTEM),
        lambda: execute(commands.SetUserActive(user=boss, active=False), actor=SYSTEM),
        lambda: execute(commands.EditUser(user=boss, can_sign_in=False), actor=SYSTEM),
        lambda: execute(commands.EditUser(user=boss, valid_until="2030-01-01T00:00:00Z"), actor=SYSTEM),
        lambda: execute(
            commands.RevokeRole(grant=str(Grant.objects.get(team__slug="keepers").uid)), actor=SYSTEM
        ),
        lambda: execute(
            commands.ProposeRole(action="edit", role="desk", permissions=READS), actor=company.boss
        ),
    ]
    for way in ways:
        with pytest.raises(Conflict, match="Nobody who signs in"):
            way()
    assert queries.administered(at=datetime.now(UTC))


def _both(answers: list[Any]) -> tuple[int, list[Problem]]:
    problems = [one for one in answers if isinstance(one, Problem)]
    assert all(isinstance(one, Problem) or not isinstance(one, Exception) for one in answers), answers
    return len(answers) - len(problems), problems


@pytest.mark.race
@pytest.mark.usefixtures("committed")
def test_of_many_at_once_one_confirms_and_none_leaves_the_tree_without_an_administrator() -> None:
    company = found()
    others = [person(f"other{n}", "group", "administrator") for n in range(4)]
    proposal = propose(company.boss)
    done, problems = _both(together(*[lambda who=who: confirm(who, proposal) for who in others]))
    assert done == 1, problems
    assert Role.objects.filter(slug="curator", version=1).count() == 1

    # Of two that are left, each takes the other's role away at once: one stays.
    Grant.objects.filter(user__in=[who.pk for who in others[1:]]).delete()
    pair = [actor("boss"), actor("other0")]
    grants = [str(Grant.objects.get(user__uid=who.uid, organisation__parent=None).uid) for who in pair]
    done, problems = _both(
        together(
            *[
                lambda who=who, grant=grant: execute(commands.RevokeRole(grant=grant), actor=who)
                for who, grant in zip(pair, reversed(grants), strict=True)
            ]
        )
    )
    assert done == 1, problems
    assert queries.administered(at=datetime.now(UTC))

    # A role is granted while its removal is confirmed: it is not both granted and gone.
    one, two = (person(name, "group", "administrator") for name in ("one", "two"))
    gone = propose(one, "remove")
    give = commands.GrantRole(role="curator", organisation="retail", user=company.vera.uid)
    done, problems = _both(together(lambda: confirm(two, gone), lambda: execute(give, actor=one)))
    role = Role.objects.get(slug="curator")
    assert done == 1, problems
    assert (role.archived_at is None) == Grant.objects.filter(role=role).exists()
