"""What the commands of accounts have in common: checks, and words that people type."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import msgspec
from django.db.models import Model

from fairway.accounts import queries
from fairway.accounts.models import Organisation, User
from fairway.kernel import text
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid
from fairway.kernel.models import uid_lookup

Patch = msgspec.UnsetType


def lock_tree(lock: bool) -> None:
    """Let one writer at a time at the tree: two moves at once could close a circle."""
    if lock:
        list(Organisation.objects.select_for_update(no_key=True).filter(parent=None).values_list("pk"))


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())  # it reads the file system


def zone(name: str) -> str:
    """Return the name of a time zone.

    :raises Invalid: the IANA database has no such zone.
    """
    if name not in _zones():
        raise Invalid.field(
            "zone", f"“{name[:60]}” is not an IANA time zone; write one such as Europe/London."
        )
    return name


def own_uid(actor: Actor) -> str:
    """Return the uid of who acts.

    :raises Invalid: Fairway itself acts; it has no account.
    """
    if actor.pk is None:
        raise Invalid.field("user", "Name the person or service account.")
    return actor.uid


def require_whole(actor: Actor, user: User) -> None:
    """Check that the actor administers the person everywhere they have a role.

    :raises Forbidden: somewhere they do not.
    """
    queries.require(actor, "accounts.administer", at=user.organisation_id)
    if not queries.administers(actor, user):
        raise Forbidden(
            f"{user.name} has roles outside the branches that you administer; ask an administrator of those."
        )


def require_match(actor: Actor, user: User) -> None:
    """Check that the actor holds all that the person does: whoever gets a key to an account may as much.

    :raises Forbidden: the person may more.
    """
    if user.pk != actor.pk:
        not_more(queries.exceeding_of(actor, user=user), f"{user.name} has roles with")


def not_more(missing: Sequence[str], what: str) -> None:
    """Check that nothing is missing that somebody would give.

    :raises Forbidden: they would give more than they hold; the message names it.
    """
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise Forbidden(
            f"{what} {', '.join(missing[:3])}{more}, which you do not hold there yourself; nobody gives more"
            " than they hold. Ask somebody who holds it."
        )


def keep_administered(lock: bool, at: datetime, **without: Any) -> None:
    """Check that somebody would still administer the whole tree without this; see `queries.administered`.

    :raises Conflict: the last one would be gone.
    """
    lock_tree(lock)  # of two at once that each leave the other, the second sees what the first did
    if not queries.administered(at=at, **without) and queries.administered(at=at):
        raise Conflict(
            "Nobody who signs in would administer the whole tree any more. Give somebody else an"
            " administrator’s role on the root organisation first.",
            code="accounts.last-administrator",
        )


def why_not(user: User) -> str:
    if user.is_service:
        return "a service account acts by token"
    return "the account is not active" if user.can_sign_in else "the account may not sign in"


def named(text: str, longest: int = 200) -> str:
    text = " ".join(text.split())
    if not 1 <= len(text) <= longest:
        raise Invalid.field("name", f"A name has 1 to {longest} characters.")
    if any(character < " " or character == "\x7f" for character in text):
        raise Invalid.field("name", "A name holds no control characters.")
    return text


def free_slug(model: type[Model], slug: str) -> str:
    text.slug(slug, field="slug")
    if model._default_manager.filter(slug=slug).exists():
        raise Conflict(f"The key “{slug}” is taken.", code="slug-taken")
    return slug


def by_uid(reference: str) -> dict[str, object]:
    from_uid = uid_lookup(reference)
    return dict(from_uid) if from_uid else {"pk__in": ()}
