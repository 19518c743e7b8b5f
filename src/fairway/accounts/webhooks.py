"""Webhooks: who sets them up, and the job that sends what their owners may see."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec
from django.db.models import QuerySet

from fairway.accounts import queries
from fairway.audit import queries as audit
from fairway.audit.commands import Command, Plan, execute, expect
from fairway.jobs import queries as jobs
from fairway.jobs.commands import JobContext, delivering, feeder, queued, rearm, task
from fairway.jobs.queries import Webhook
from fairway.kernel import text
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from fairway.kernel.models import uid_lookup

SUBSCRIBE, SEE = "jobs.subscribe", "audit.view"
MOST_FILTERS = 50
TEST = "fairway.test"
Patch = msgspec.UnsetType


def seen(actor: Actor) -> QuerySet[Webhook]:
    """Return one's own webhooks, and those of organisations whose jobs one may see."""
    return jobs.webhooks(organisations=queries.places(actor, "jobs.view"), own=actor.pk)


def webhook(actor: Actor, reference: str, *, lock: bool = False) -> Webhook:
    """Return a webhook by uid: one's own, or one of what one sees.

    :raises NotFound: there is none, or it is another branch's.
    """
    lookup = uid_lookup(reference)
    around = jobs.webhooks(organisations=queries.access(actor).organisations, own=actor.pk)
    found = around.filter(**lookup) if lookup else Webhook.objects.none()
    one = (found.select_for_update(of=("self",)) if lock else found).first()
    if one is None:
        raise NotFound(f"There is no webhook “{reference}”.")
    return one


def read(actor: Actor, reference: str) -> Webhook:
    """Return a webhook to be shown.

    :raises NotFound: there is none, or it is another branch's. :raises Forbidden: it is somebody else's.
    """
    one = webhook(actor, reference)
    if one.owner_id != actor.pk:
        queries.require(actor, "jobs.view", at=one.organisation_id)
    return one


class CreateWebhook(Command, name="jobs.webhook.create"):
    """Have events of a branch sent to an address, from now on, as far as one may see them oneself.

    `commands`: names, or beginnings that end with a dot; `kinds`: of the records that events are about;
    empty: all. The answer is the secret that signs what is sent; it is told this once.
    """

    permission: ClassVar[str] = SUBSCRIBE
    name: str
    url: str
    organisation: str
    commands: list[str] = []
    kinds: list[str] = []

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        place = queries.organisation(actor, self.organisation)
        _require(actor, place.pk)
        queries.require(actor, SEE, at=place.pk)
        if actor.pk is None:
            raise Invalid.field("organisation", "A webhook belongs to somebody; Fairway itself has none.")
        secret = delivering.new_secret()
        made = Webhook(
            name=text.line(self.name, field="name", longest=100), url=_url(self.url),
            organisation=place, owner_id=actor.pk,
            commands=_names(self.commands, "commands"), kinds=_names(self.kinds, "kinds"),
            secret=delivering.sealed(secret), position=audit.head()[0],
        )  # fmt: skip
        return Plan(subject=made, create=[made], answer=secret)


class _Step(Command):
    """What is done to one webhook."""

    permission: ClassVar[str] = SUBSCRIBE
    webhook: str

    def found(self, actor: Actor, *, lock: bool) -> Webhook:
        """:raises Forbidden: the actor may not set up webhooks there."""
        one = webhook(actor, self.webhook, lock=lock)
        _require(actor, one.organisation_id)
        return one


class EditWebhook(_Step, name="jobs.webhook.edit"):
    """Change a webhook, switch it off or on again. Whoever changes what goes where becomes its owner."""

    version: int | None = None
    name: str | Patch = msgspec.UNSET
    url: str | Patch = msgspec.UNSET
    commands: list[str] | Patch = msgspec.UNSET
    kinds: list[str] | Patch = msgspec.UNSET
    active: bool | Patch = msgspec.UNSET

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        one = self.found(actor, lock=lock)
        expect(one, self.version)
        values: dict[str, Any] = {}
        if self.name is not msgspec.UNSET:
            values["name"] = text.line(self.name, field="name", longest=100)
        if self.url is not msgspec.UNSET:
            values["url"] = _url(self.url)
        if self.commands is not msgspec.UNSET:
            values["commands"] = _names(self.commands, "commands")
        if self.kinds is not msgspec.UNSET:
            values["kinds"] = _names(self.kinds, "kinds")
        if self.active is not msgspec.UNSET:
            values |= {"active": self.active, "reason": "", "failing_since": None}
        # It sends what its owner may see: whoever else turns it elsewhere must see that themselves.
        if one.owner_id != actor.pk and actor.pk is not None and values.keys() - {"name"}:
            queries.require(actor, SEE, at=one.organisation_id)
            values["owner"] = queries.user(actor, actor.uid)
        return Plan(subject=one, change=[(one, values)])


class RotateSecret(_Step, name="jobs.webhook.rotate"):
    """Make a new secret, told this once; the old one signs nothing any more."""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        one = self.found(actor, lock=lock)
        secret = delivering.new_secret()
        change = [(one, {"secret": delivering.sealed(secret)})]
        return Plan(subject=one, change=change, note={"secret": "changed"}, answer=secret)


class RemoveWebhook(_Step, name="jobs.webhook.remove"):
    """Take a webhook away; what it sent stands in the log."""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        one = self.found(actor, lock=lock)
        return Plan(subject=one, change=[(one, {"active": False, "archived_at": at})])


class ReplayWebhook(_Step, name="jobs.webhook.replay"):
    """Send all events after one again that the filters let through, under their old message ids."""

    after: int

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        one = self.found(actor, lock=lock)
        head, _ = audit.head()
        if not 0 <= self.after < head:
            raise Invalid.field("after", f"Name the number of an event from 0 to {head - 1}.")
        if not one.active:
            raise Conflict("This webhook is switched off; switch it on first.", code="jobs.webhook.off")
        return Plan(subject=one, change=[(one, {"position": min(self.after, one.position)})])


class TestWebhook(_Step, name="jobs.webhook.test"):
    """Send a test to a webhook, also to one that is switched off."""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        one = self.found(actor, lock=lock)
        sent = queued(
            send_test, {"webhook": str(one.uid)}, actor=actor, organisation=one.organisation_id,
            title=f"Test of the webhook {one.name}",
        )  # fmt: skip
        return Plan(subject=one, create=[sent])


class SwitchOffWebhook(Command, name="jobs.webhook.switch_off"):
    """Fairway itself gives a webhook up, and says why."""

    webhook: str
    reason: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        if not actor.is_system:
            raise NotFound(f"There is no webhook “{self.webhook}”.")
        one = webhook(actor, self.webhook, lock=lock)
        return Plan(subject=one, change=[(one, {"active": False, "reason": self.reason[:300]})])


def _require(actor: Actor, place: int) -> None:
    """:raises Forbidden: the actor may not set up webhooks there, or acts by a token of few permissions."""
    queries.require(actor, SUBSCRIBE, at=place)
    if actor.scopes is not None:
        raise Forbidden(
            "You may not do this with this token: a webhook sends all that you may see, and outlives the"
            " token. Take one without scopes."
        )


def _url(given: str) -> str:
    wrong = delivering.objection(given.strip())
    if wrong:
        raise Invalid.field("url", wrong)
    return given.strip()


def _names(given: list[str], field: str) -> list[str]:
    """Check filters.

    :raises Invalid: one is no name, or there are too many.
    """
    found = list(dict.fromkeys(name.strip() for name in given if name.strip()))
    if len(found) > MOST_FILTERS:
        raise Invalid.field(field, f"There may be at most {MOST_FILTERS}.")
    for name in found:
        plain = name.replace(".", "").replace("_", "").replace("-", "")
        if len(name) > 80 or not plain.isascii() or not plain.isalnum():
            raise Invalid.field(
                field, f"“{name[:40]}” is no name; write such as changes.change.approve or changes."
            )
    return found


# Sending ---------------------------------------------------------------------------------------------------


def _owner(one: Webhook) -> tuple[Actor, Collection[int] | None] | str:
    """Return for whom and of which organisations events are sent, or why none are any more."""
    if not one.owner.valid_at(datetime.now(UTC)):
        return f"{one.owner.name}, to whom it belongs, was deactivated or is not valid any more."
    actor = queries.person(one.owner)
    places = queries.places(actor, SEE)
    branch = queries.descendants(one.organisation_id)
    organisations = branch if places is None else branch & places
    if one.organisation_id == queries.tree().root and places is None:
        return actor, None
    if not organisations:
        return f"{one.owner.name}, to whom it belongs, may not see its events any more."
    return actor, organisations


@task(title="Send to a webhook", queue="webhooks")
def deliver(context: JobContext, webhook: str) -> dict[str, int]:
    """Look at what is new for a webhook and send what is due."""
    one = jobs.webhooks(organisations=None, own=None).filter(uid=webhook, active=True).first()
    if one is None:
        return {}
    found = _owner(one)
    reason = found if isinstance(found, str) else ""
    if not isinstance(found, str):
        actor, organisations = found
        while delivering.spread(one, context, reader=actor, organisations=organisations):
            context.progress(one.position)
        reason = delivering.send_due(one, context, reader=actor, organisations=organisations)
    if reason:
        execute(SwitchOffWebhook(webhook=webhook, reason=reason), actor=SYSTEM)
    return {"position": one.position}


@task(title="Test of a webhook", queue="webhooks", attempts=1)
def send_test(context: JobContext, webhook: str) -> dict[str, Any]:
    """Send a test, once, and note how it went."""
    one = jobs.webhooks(organisations=None, own=None).get(uid=webhook)
    return delivering.send_test(one, context, command=TEST)


@feeder
def feed(now: datetime) -> None:
    """Have each webhook looked at for which there is something to do."""
    for uid in jobs.webhooks_due(now):
        rearm(deliver, {"webhook": uid}, unique_key=f"webhook:{uid}")
