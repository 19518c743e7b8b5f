"""Waivers as they are listed, read and honoured."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from fairway.accounts import queries as accounts
from fairway.approvals import queries as approvals
from fairway.calendars import queries as calendars
from fairway.changes.models import Change, Implementer, Waiver, WaiverQuota
from fairway.changes.rules.waiving import PERMISSIONS, Exempt, permission_of
from fairway.kernel.actor import Actor
from fairway.kernel.db import Prepared
from fairway.kernel.errors import NotFound
from fairway.kernel.listing import Column, Listing, ListQuery, Page, search_words
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref

HOLDING = (Waiver.State.GRANTED, Waiver.State.USED)
"""States in which a waiver counts, until it expires."""


def _granted(condition: Q) -> QuerySet[Waiver, tuple[Any, ...]]:
    return Waiver.objects.filter(condition, state__in=HOLDING).order_by("pk").values_list(
        "change_id", "number", "rule", "other_uid", "starts_at", "ends_at", "expires_at",
        "decided_by__name",
    )  # fmt: skip


_of_change = Prepared(lambda change: _granted(Q(change=change)), -1)


def exempt(changes: Collection[int]) -> dict[int, list[Exempt]]:
    """Return the waivers that were granted to these changes, expired or not; one statement."""
    found: dict[int, list[Exempt]] = {}
    rows = _of_change(*changes) if len(changes) == 1 else _granted(Q(change__in=changes))
    for change, number, rule, other, start, end, expires, name in rows:
        one = Exempt(f"{Waiver.prefix}-{number}", rule, other, Period(start, end), expires, name or "Fairway")
        found.setdefault(change, []).append(one)
    return found


def waiver(actor: Actor, reference: str, *, lock: bool = False) -> Waiver:
    """Return the waiver by key or uid; `lock` holds its change, then itself.

    :raises NotFound: there is none, or the actor may not see it.
    """
    lookup = Waiver.lookup(reference)
    found = None
    if lookup is not None:
        query = Waiver.objects.select_related(
            "change", "organisation", "scope", "requested_by", "decided_by"
        ).filter(**lookup)
        seen = accounts.visible(query, actor)
        found = seen.first()
        if found is not None and lock:
            Change.objects.select_for_update(of=("self",), no_key=True).get(pk=found.change_id)
            found = seen.select_for_update(of=("self",), no_key=True).first()
    if found is None:
        raise NotFound(f"There is no waiver “{reference[:100]}”.")
    return found


def may_decide(actor: Actor, found: Waiver, *, at: datetime) -> bool:
    """Say whether the actor may grant it: they may waive the rule at its scope, and are no party to it."""
    permission = permission_of([found.waivable_by])
    return (
        actor.kind == "person"
        and accounts.access(actor).may(permission, found.scope_id)
        and actor.pk not in parties(found, at=at)
    )


def parties(found: Waiver, *, at: datetime) -> frozenset[int]:
    """Return who may not grant it: who asked for it or for the change, who carries that out, and whoever
    stands in for one of them.
    """
    people = Implementer.objects.filter(change=found.change_id).values_list("person_id", flat=True)
    return approvals.barred([found.requested_by_id, found.change.requester_id, *people], at=at)


def state_of(found: Waiver, *, at: datetime) -> str:
    """Return the state at an instant; `expired` follows from the time."""
    over = found.state in HOLDING and found.expires_at <= at
    return "expired" if over else str(found.state)


def quota(window: str, *, lock: bool = False) -> WaiverQuota | None:
    """Return how many waivers may be granted from a window, by its uid; `lock`: one grant after the other."""
    query = WaiverQuota.objects.filter(window__uid=window)
    return (query.select_for_update(of=("self",)) if lock else query).first()


def granted_from(window: str) -> int:
    """Return how many waivers from a window were granted and not revoked."""
    return Waiver.objects.filter(other_uid=window, state__in=HOLDING).count()


WAIVERS = Listing(
    columns={
        "number": Column("number", "number", sorts=True),
        "change": Column("change__number", "number", sorts=True),
        "rule": Column("rule", sorts=True),
        "state": Column("state", sorts=True, choices=tuple(Waiver.State.values)),
        "organisation": Column("organisation__slug", refers=accounts.by_slug, through="organisation"),
        "expires_at": Column("expires_at", "instant", sorts=True),
        "created_at": Column("created_at", "instant", sorts=True),
    },
    values=(
        "uid", "number", "finding", "rule", "state", "other_kind", "other_key", "other_uid", "waivable_by",
        "starts_at", "ends_at", "expires_at", "reason", "decision_note", "decided_at", "used_at", "version",
        "created_at", "archived_at", "organisation_id", "organisation__uid", "organisation__slug",
        "organisation__name", "change__number", "change__uid", "change__title", "requested_by__name",
        "decided_by__name", "scope_id",
    ),
    sort="-number",
    search=search_words("change__title_folded", "other_key"),
)  # fmt: skip


class WaiverQuery(ListQuery, kw_only=True, columns=WAIVERS.columns):
    """Filters of the list of waivers; `change`: by the number of its key."""

    change: str = ""
    rule: str = ""
    state: str = ""
    state__in: str = ""
    organisation: str = ""
    expires_at__gte: str = ""
    expires_at__lt: str = ""


def waiver_page(actor: Actor, query: WaiverQuery, *, mine: bool = False) -> Page:
    """Return one page of waivers as plain values; `mine`: those that wait for the actor to decide."""
    rows = _to_decide(actor) if mine else accounts.visible(Waiver.objects.all(), actor)
    return WAIVERS.page(rows, query)


def to_decide(actor: Actor) -> int:
    """Return how many requests of others wait where the actor may waive; no statement where they may not."""
    return _to_decide(actor).count() if decides(actor) else 0


def decides(actor: Actor) -> bool:
    """Say whether there is any place where the actor may waive something."""
    access = accounts.access(actor)
    return any(access.may(permission, None) for permission in PERMISSIONS.values())


def _to_decide(actor: Actor) -> QuerySet[Waiver]:
    access = accounts.access(actor)
    waits = Q(pk__in=())
    for role, permission in (
        ("change manager", "changes.manage"),
        ("environment manager", "environments.edit"),
    ):
        if permission not in access.permissions:
            continue
        where = access.permissions[permission]
        mine = Q(waivable_by__startswith=role)
        waits |= mine if where is None else mine & Q(scope__in=where)
    found = accounts.visible(Waiver.objects.filter(state=Waiver.State.REQUESTED), actor)
    return found.filter(waits).exclude(requested_by=actor.pk)


def waivers_of(actor: Actor, change: int) -> list[Any]:
    """Return the waivers asked for by a change, newest first."""
    rows = accounts.visible(Waiver.objects.filter(change=change), actor)
    return list(rows.select_related("requested_by", "decided_by").order_by("-pk"))


def quota_of(actor: Actor, window: str) -> tuple[Ref, int | None, int]:
    """Return a window, how many waivers from it may be granted (None: any number), and how many are.

    :raises NotFound: the actor sees no such window.
    """
    found = calendars.window(actor, window)
    known = quota(str(found.uid))
    return found.ref(), known.most if known is not None else None, granted_from(str(found.uid))


@dataclass(frozen=True, slots=True)
class Allowance:
    """What of a window may be waived: `most` (None: any number), what is granted, and what waits."""

    window: Ref
    kind: str
    organisation: str
    place: int
    waived_by: tuple[str, ...]
    most: int | None
    granted: int
    waiting: int

    @property
    def used_up(self) -> bool:
        return self.most is not None and self.granted >= self.most


def allowances(actor: Actor) -> list[Allowance]:
    """Return the windows that the actor sees which have a quota, or from which a waiver was granted or asked
    for; by name. Three statements.
    """
    most = dict(WaiverQuota.objects.values_list("window_id", "most"))
    counted: dict[str, dict[str, int]] = {}
    rows = Waiver.objects.filter(other_kind="window", state__in=(*HOLDING, Waiver.State.REQUESTED))
    for uid, state, count in rows.values_list("other_uid", "state").annotate(count=Count("pk")).order_by():
        counted.setdefault(uid, {})[state] = count
    seen = calendars.windows(actor).filter(Q(pk__in=most) | Q(uid__in=counted), archived_at=None)
    found = []
    for window in seen.order_by("name_folded", "pk"):
        of = counted.get(str(window.uid), {})
        found.append(
            Allowance(
                window.ref(),
                window.window_kind,
                window.organisation.name,
                window.organisation_id,
                calendars.waived_by(window.window_kind),
                most.get(window.pk),
                sum(of.get(state, 0) for state in HOLDING),
                of.get(Waiver.State.REQUESTED, 0),
            )
        )
    return found
