"""Each role may what its permissions say, and nothing else; a token never more than it was given."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Sum

from fairway.accounts.commands import CreateToken
from fairway.accounts.rules import PERMISSIONS
from fairway.accounts.webhooks import SwitchOffWebhook
from fairway.audit.commands import Command, preview
from fairway.audit.models import Denial
from fairway.calendars.commands import PutWindow
from fairway.catalog.commands import PutRedundancy, PutRelation
from fairway.changes.commands import NoteDrift, RecordChange
from fairway.changes.commands.replanning import AskOwner
from fairway.environments.commands import PutEnvironmentLink, PutInstance
from fairway.exchange.commands import PutMapping
from fairway.kernel.actor import SYSTEM

from .calls import KNOWN, Call, on_both, problem, told
from .refusals import granted, planned
from .table import ANY, OPERATIONS, ROLES, roles_of
from .world import HOUR, World, run, undone, unwritten


def denials() -> int:
    return Denial.objects.aggregate(all=Sum("count"))["all"] or 0


def tried(roles: Collection[str]) -> list[str]:
    """Return all roles; on PostgreSQL one, for the statements are the same for each and Python decides."""
    return sorted(roles)[:1] if connection.vendor == "postgresql" else sorted(roles)


@pytest.mark.parametrize("name", KNOWN)
def test_a_role_may_exactly_what_it_is_permitted(world: World, name: str) -> None:
    """At this door, and by the commands behind it, whichever door they come through."""
    call = Call(name, world.north)
    allowed = roles_of(call.entry, call.operation.permission, world)
    assert allowed or call.entry.whole, "somebody may"
    with unwritten(world, name):
        for role in tried(world.roles.keys() - allowed):
            before = denials()
            answer = call(world.north.people[role].token)
            assert answer.status_code == 403, f"{role}: {told(answer)}"
            if call.entry.who is None:
                assert f" {call.operation.permission} " in problem(answer)["detail"], role
            assert denials() == before + (call.operation.unsafe and call.entry.denial), (
                f"{role} leaves one denial"
            )
    commands: list[Command] = []
    if call.entry.whole:
        with undone(), planned() as commands:
            answer = call(world.root.token)
            assert answer.status_code in call.entry.answers, told(answer)
    for role in tried(allowed):
        with undone(), planned() as commands:
            answer = call(world.north.people[role].token)
            assert answer.status_code in call.entry.answers, f"{role}: {told(answer)}"
    with unwritten(world, name):
        assert granted(world, commands) == []


@pytest.mark.parametrize("name", [name for name in KNOWN if OPERATIONS[name].who != ROLES])
def test_who_has_no_role_sees_nothing(world: World, name: str) -> None:
    call = Call(name, world.north)
    with unwritten(world, name):
        answer = call(world.north.people["nobody"].token)
        assert answer.status_code in {403, 404, 422, call.entry.foreign, *call.entry.missing}, told(answer)
        assert not world.north.traces(answer.content.replace(call.address().encode(), b"")) - sent(call)


def sent(call: Call) -> set[str]:
    """Return the traces of a branch that stand in the question itself."""
    text = f"{call.address()} {call.query} {call.body}"
    return call.branch.traces(text)


def token(world: World, scopes: Iterable[str], *, whole: bool = False) -> str:
    command = CreateToken(name="scoped", scopes=sorted(scopes))
    by = world.root if whole else world.north.people["administrator"]
    answer: str = run(command, by=by.email).answer
    return answer


# What a token was given is compared in Python; on both databases the operations run above.
@pytest.mark.parametrize("name", on_both(KNOWN))
def test_a_token_may_only_what_it_was_given(world: World, name: str) -> None:
    """Each permission that suffices does by itself; all others together do not."""
    call = Call(name, world.north)
    enough = call.entry.scopes
    if enough is None:
        enough = frozenset({call.operation.permission or ""})
    for permission in ("decisions.ask",) if enough == ANY else sorted(enough):
        with undone():
            answer = call(token(world, [permission], whole=call.entry.whole))
            assert answer.status_code in call.entry.answers, f"{permission}: {told(answer)}"
    if enough != ANY:
        with undone():
            answer = call(token(world, PERMISSIONS.keys() - enough, whole=call.entry.whole))
            assert answer.status_code == 403, told(answer)
            assert "with this token" in problem(answer)["detail"] or call.entry.who is not None


def behind(world: World) -> list[Command]:
    """Return the commands that imports, jobs and other commands run, and no operation by its name."""
    here, item = world.north.slug, world.north.item.key
    far = world.now + timedelta(days=30)
    return [
        PutInstance(item=f"{here}-spare", environment=f"{here}-integration"),
        PutEnvironmentLink(parent=f"{here}-integration", child=f"{here}-mirror"),
        PutRelation(source=f"{here}-spare", target=f"{here}-network", kind="connects-to"),
        PutRedundancy(
            item=f"{here}-database", kind="runs-on", needed=1, members=[f"{here}-spare", f"{here}-network"]
        ),
        PutWindow(name="fresh", kind="information", organisation=here, starts_at=far, ends_at=far + HOUR),
        RecordChange(title="fresh", organisation=here, items=(item,)),
        NoteDrift(item=item, source="scan", seen={"criticality": 3}),
        AskOwner(change=world.north.scheduled.key, question="fresh"),
        PutMapping(
            name="fresh", kind="items", text="fields: { key: Key, name: Name, kind: Kind }", organisation=here
        ),
        SwitchOffWebhook(webhook=world.north.records["webhook"].key, reason="fresh"),
    ]


@pytest.mark.sqlite_only  # Python decides
def test_commands_without_a_door_of_their_own_say_no_as_well(world: World) -> None:
    commands = behind(world)
    for command in commands:  # for who may, they would do something
        assert preview(command, actor=SYSTEM).subject is not None
    assert granted(world, commands, world.north.people["viewer"]) == []
