"""Making calendar feeds, and taking them back."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import ClassVar, Literal

from django.utils.translation import gettext as _

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan
from fairway.catalog import queries as catalog
from fairway.changes import queries
from fairway.changes.events import ChangeEvent
from fairway.changes.models import CalendarFeed
from fairway.environments import queries as environments
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Forbidden
from fairway.kernel.text import line

MOST_FEEDS = 50


class CreateFeed(Command, name=ChangeEvent.FEED_CREATE):
    """Make a feed of one's own calendar; its secret is told once, as the answer."""

    permission: ClassVar[str] = "changes.view"
    name: str
    shows: Literal["all", "changes", "windows"] = "all"
    item: str = ""
    environment: str = ""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """:raises Forbidden: with a token that has scopes, or as a service account. :raises NotFound: the
        item or environment is none that the actor sees. :raises Conflict: one has too many feeds.
        """
        accounts.require(actor, self.permission, at=None)
        if actor.scopes is not None:
            raise Forbidden(_("A feed cannot be made with this token: it has scopes; sign in."))
        owner = accounts.user(actor, actor.uid)
        if owner.is_service:
            raise Forbidden(_("A person makes feeds: they show what that person may see."))
        if CalendarFeed.objects.filter(owner=owner, revoked_at=None).count() >= MOST_FEEDS:
            raise Conflict(
                _("You have %(most)d feeds; take one back first.") % {"most": MOST_FEEDS},
                code="changes.feed.many",
            )
        secret = secrets.token_urlsafe(32)
        made = CalendarFeed(
            owner=owner,
            name=line(self.name, field="name"),
            digest=accounts.digest(secret),
            shows=self.shows,
            item=str(catalog.item(actor, self.item).uid) if self.item else "",
            environment=str(environments.environment(actor, self.environment).uid)
            if self.environment
            else "",
            created_at=at,
        )
        return Plan(subject=owner, create=[made], note={"feed": str(made.uid)}, answer=secret)


class RevokeFeed(Command, name=ChangeEvent.FEED_REVOKE):
    """Take a feed back at once."""

    permission: ClassVar[str] = "changes.view"
    feed: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """:raises NotFound: there is none, or the actor does not see whose it is.
        :raises Forbidden: it is another's, whom the actor does not administer.
        """
        found = queries.feed(actor, self.feed)
        if found.owner_id == actor.pk:
            accounts.require(actor, self.permission, at=None)
        else:
            accounts.require(actor, "accounts.administer", at=found.owner.organisation_id)
        return Plan(subject=found.owner, change=[] if found.revoked_at else [(found, {"revoked_at": at})])
