"""What can be done to links: saying that who takes one environment takes another one with it."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan, expect
from fairway.environments import queries
from fairway.environments.events import EnvironmentEvent
from fairway.environments.models import EnvironmentLink
from fairway.environments.rules import way_down
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid


class CreateEnvironmentLink(Command, name=EnvironmentEvent.LINK_CREATE):
    """Link an environment below another one: who takes the parent takes the child.

    It takes the right to edit both, for it lets others take the child.
    """

    permission: ClassVar[str] = "environments.edit"
    undoable: ClassVar[bool] = True
    parent: str
    child: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        made, known = _link(self, actor, lock=lock)
        if known is not None:
            raise Conflict(
                f"{self.child} is linked below {self.parent} already.", code="environments.link.exists"
            )
        return Plan(subject=made, create=[made])


class PutEnvironmentLink(Command, name=EnvironmentEvent.LINK_PUT):
    """Link an environment below another one, unless it is."""

    permission: ClassVar[str] = "environments.edit"
    undoable: ClassVar[bool] = True
    parent: str
    child: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        made, known = _link(self, actor, lock=lock)
        return Plan(subject=known) if known is not None else Plan(subject=made, create=[made])


class RemoveEnvironmentLink(Command, name=EnvironmentEvent.LINK_REMOVE):
    """Take a link away: from now on both are taken apart from each other; the log keeps that it was."""

    permission: ClassVar[str] = "environments.edit"
    link: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.link(actor, self.link)
        accounts.require(actor, self.permission, at=found.parent.organisation_id)
        expect(found, self.version)
        return Plan(subject=found, remove=[found])


def _link(
    given: CreateEnvironmentLink | PutEnvironmentLink, actor: Actor, *, lock: bool
) -> tuple[EnvironmentLink, EnvironmentLink | None]:
    """Return the link asked for, unsaved, and the same one if it is there already.

    :raises Invalid: an environment does not exist (for the actor), or the links would go in a circle.
    """
    [parent] = queries.environments(actor, [given.parent], field="parent")
    [child] = queries.environments(actor, [given.child], field="child")
    for end in (parent, child):
        accounts.require(actor, given.permission, at=end.organisation_id)
    if parent.pk == child.pk:
        raise Invalid.field("child", "An environment is not linked below itself; name another one.")
    if lock:
        queries.lock_links()
    back = way_down(child.pk, parent.pk, queries.children())
    if back:
        sees = accounts.access(actor).sees
        facts = queries.facts()
        names = [facts[pk].ref.key if sees(facts[pk].ref) else "…" for pk in back]
        raise Invalid.field(
            "child", f"The links would go in a circle: {' → '.join([parent.slug, *names])}. Remove one first."
        )
    made = EnvironmentLink(parent=parent, child=child, organisation_id=parent.organisation_id)
    return made, EnvironmentLink.objects.filter(parent=parent, child=child).first()
