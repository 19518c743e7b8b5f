"""What calendars answer: windows as records, and what all of them say about work at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import connection
from django.db.models import QuerySet

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.calendars.models import (
    Window,
    WindowEnvironment,
    WindowGroup,
    WindowItem,
    WindowModel,
    when,
)
from fairway.calendars.queries.naming import lanes
from fairway.calendars.rules import FREEZE as FREEZE
from fairway.calendars.rules import NOTHING_PASSES as NOTHING_PASSES
from fairway.calendars.rules import NOTICES, WAIVED_BY, Kind, Scope, applies, condition, reads
from fairway.calendars.rules import OUTSIDE_MAINTENANCE as OUTSIDE_MAINTENANCE
from fairway.calendars.rules import Activity as Activity
from fairway.calendars.rules import Calendar as Calendar
from fairway.calendars.rules import Facts as Facts
from fairway.calendars.rules import Passes as Passes
from fairway.calendars.rules import Target as Target
from fairway.calendars.rules import Window as CompiledWindow
from fairway.kernel.actor import Actor
from fairway.kernel.cache import Kept
from fairway.kernel.errors import Conflict, NotFound
from fairway.kernel.listing import Column, Listing, ListQuery, Page, search_words
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.policy import Finding
from fairway.policy.expressions import Failed as Failed
from fairway.scheduling import IntervalSet
from fairway.workspace import queries as workspace

K = TypeVar("K")
Record = Window
"""A window as it is stored."""
Compiled = CompiledWindow
"""A window as the rules see it."""
MOST_SHADES = 1_000
_SHORT = timedelta(minutes=1)


def calendar() -> Calendar:
    """Return all windows ready to be asked, at their present revision: one small statement.

    Those that name groups of environments hold for what belongs to these now.
    """
    revisions = audit.revisions()
    found = _kept.at(revisions.get("calendars", 0))
    if not found.grouped:
        return found
    return _grouped.at(max(revisions.get("calendars", 0), revisions.get("environments", 0)))[0]


def findings(
    *,
    subject: Ref,
    targets: Sequence[Target],
    periods: Sequence[Period],
    reason: bool,
    activity: Activity = Activity.START,
    downtimes: Sequence[Period] = (),
    facts: Facts | None = None,
) -> list[Finding]:
    """Return what windows say about work on the targets in the periods.

    `reason`: whether it was stated why the work has to be done in a soft freeze. `downtimes`: when it takes
    things down. `facts`: gives the fields of the change (see rules.VARIABLES); None: it is no change. A
    window of the subject's own organisation, or of one above it, is told to whoever may see the subject: it
    binds them.
    """
    if not periods or not targets:
        return []
    above = accounts.branch(subject.organisation) if subject.organisation is not None else frozenset()

    def shown(window: Compiled) -> Ref:
        binds = window.ref.organisation in above
        return replace(window.ref, organisation=subject.organisation) if binds else window.ref

    return calendar().findings(
        subject,
        targets,
        periods,
        reason=reason,
        activity=activity,
        downtimes=downtimes,
        facts=facts,
        shown=shown,
    )


def openings(
    targets: Sequence[Target],
    *,
    start: datetime,
    horizon: timedelta,
    reason: bool,
    activity: Activity = Activity.START,
    downtimes: Sequence[Period] = (),
    facts: Facts | None = None,
    passes: Passes = NOTHING_PASSES,
) -> IntervalSet:
    """Return when, from the start on and up to the horizon, no calendar blocks work on all the targets.

    `passes`: when a window, or the maintenance of an item, is let pass, by its uid.
    """
    return calendar().openings(
        targets,
        Period(start, start + horizon),
        reason=reason,
        activity=activity,
        downtimes=downtimes,
        facts=facts,
        passes=passes,
    )


@dataclass(frozen=True, slots=True)
class Shade:
    """A window as a timeline draws it; `periods`: those that overlap the span asked for, the first 1,000."""

    ref: Ref
    kind: str
    reason: str
    scope: Scope
    periods: tuple[Period, ...]


def shades(actor: Actor, period: Period) -> list[Shade]:
    """Return the windows that the actor may see and that come in the period."""
    places = _readable(actor)
    known = calendar()
    found = []
    for window in known.windows:
        if places is None or window.ref.organisation in places:
            periods = known.occurrences(window, period)
            if window.until_released:
                periods = [Period(one.start, max(period.end, one.start + _SHORT)) for one in periods]
            if periods:
                shade = Shade(
                    window.ref, str(window.kind), window.reason, window.scope, tuple(periods[:MOST_SHADES])
                )
                found.append(shade)
    return found


def freezes(targets: Iterable[Target], period: Period, facts: Facts | None = None) -> list[Shade]:
    """Return the freezes that concern any of the targets and come in the period, whoever asks, unabridged.

    `facts`: what their conditions read; one whose condition does not hold is left out.
    """
    known = calendar()
    numbered = {window.ref: window for target in targets for window in known.matching(target)}
    return [
        Shade(window.ref, str(window.kind), window.reason, window.scope, tuple(periods))
        for window in numbered.values()
        if window.kind in (Kind.HARD_FREEZE, Kind.SOFT_FREEZE)
        and applies(window, facts) is not False
        and (periods := known.occurrences(window, period))
    ]


def noticing(targets: Iterable[Target]) -> list[Compiled]:
    """Return the windows that concern any of the targets and ask how much notice a change gives."""
    known = calendar()
    found = {window.ref: window for target in targets for window in known.matching(target)}
    return [window for window in found.values() if any(reads_notice(window, name) for name in NOTICES)]


def reads_notice(window: Compiled, name: str) -> bool:
    """Say whether a window asks for a kind of notice: `notice`, or `working_notice`."""
    return window.condition is not None and reads(window.condition, name)


def named_items() -> Collection[int]:
    """Return the items that a window names; all others differ for calendars by what they have in common."""
    return calendar().named_items


def concerned(things: Mapping[K, Iterable[Target]]) -> dict[Ref, list[K]]:
    """Return by window which of the named things it concerns, whatever changes them, in their order."""
    known = calendar()
    found: dict[Ref, list[K]] = {}
    for name, some in things.items():
        for ref in dict.fromkeys(
            window.ref for target in some for window in known.matching(target, any_model=True)
        ):
            found.setdefault(ref, []).append(name)
    return found


def concerning(targets: Iterable[Target]) -> list[Ref]:
    """Return the windows that concern any of the targets, whoever asks."""
    known = calendar()
    return list(
        dict.fromkeys(window.ref for target in targets for window in known.matching(target, any_model=True))
    )


def occurrences(reference: Ref, period: Period) -> list[Period]:
    """Return when a window comes in the period; nothing for one that is archived."""
    known = calendar()
    return [
        found
        for window in known.windows
        if window.ref == reference
        for found in known.occurrences(window, period)
    ]


_VALUES = (
    "uid", "number", "name", "window_kind", "reason", "zone", "starts_at", "ends_at", "local_start",
    "duration", "rrule", "rdates", "exdates", "criticalities", "tiers", "condition", "stops",
    "downtime_only", "status", "custom", "version", "created_at", "archived_at", "id",
    "organisation_id", "organisation__slug", "organisation__name", "organisation__uid",
)  # fmt: skip

LISTING = Listing(
    columns={
        "key": Column("number", "number", sorts=True, prefix=Window.prefix),
        "number": Column("number", "number", sorts=True, prefix=Window.prefix),
        "kind": Column("window_kind", choices=tuple(Window.Kind.values), sorts=True),
        "status": Column("status", choices=tuple(Window.Status.values)),
        "organisation": Column("organisation__slug", refers=accounts.by_slug, through="organisation"),
        "name": Column("name_folded", "folded", sorts=True),
        "starts_at": Column("starts_at", "instant", sorts=True),
        "ends_at": Column("ends_at", "instant", sorts=True),
        "created_at": Column("created_at", "instant", sorts=True),
    },
    values=_VALUES,
    sort="name",
    search=search_words("name_folded"),
)


class WindowQuery(ListQuery, kw_only=True, forbid_unknown_fields=True, columns=LISTING.columns):
    key: str = ""
    kind: str = ""
    kind__in: str = ""
    status: str = ""
    organisation: str = ""
    name: str = ""
    name__contains: str = ""
    starts_at__gte: str = ""
    starts_at__lt: str = ""
    ends_at__gte: str = ""
    ends_at__lt: str = ""
    archived: bool | None = None
    custom: str = ""


def windows(actor: Actor) -> QuerySet[Window]:
    """Return the windows that the actor may see: those of visible organisations and of all above them."""
    places = _readable(actor)
    query = Window.objects.select_related("organisation")
    return query if places is None else query.filter(organisation__in=places)


def window(actor: Actor, reference: str, *, lock: bool = False) -> Window:
    """Return the window by key (`WIN-3`) or uid, archived or not; `lock` holds its row.

    :raises NotFound: there is none, or the actor may not see it.
    """
    lookup = Window.lookup(reference)
    rows = windows(actor)
    if lock:
        rows = rows.select_for_update(of=("self",), no_key=True)
    found = rows.filter(**lookup).first() if lookup else None
    if found is None:
        raise NotFound(f"There is no window “{reference[:60]}”.")
    return found


def window_called(actor: Actor, organisation: Any, name: str) -> Window | None:
    """Return the window in use that an organisation has under a name, or None.

    :raises Conflict: it has several.
    """
    named = windows(actor).filter(organisation=organisation, name=name, archived_at=None)
    found = list(named.order_by("pk")[:2])
    if len(found) > 1:
        raise Conflict(
            f"{organisation.slug} has several windows called “{name}”: {found[0].key} and {found[1].key}."
            " Name one by its key, or rename the others.",
            code="calendars.window.ambiguous",
        )
    return found[0] if found else None


def window_page(actor: Actor, query: WindowQuery) -> Page:
    """Return one page of windows; archived ones only when asked for.

    :raises Invalid: a filter has no sense.
    """
    rows = windows(actor).filter(archived_at__isnull=not query.archived)
    rows = workspace.filtered(actor, "window", rows, query.custom)
    apart = ("archived", "key", "custom")
    asked = {name: getattr(query, name) for name in query.__struct_fields__ if name not in apart}
    if query.key:
        rows = rows.filter(**(Window.lookup(query.key) or {"pk": None}))
    return LISTING.page(rows, WindowQuery(**asked))


def _readable(actor: Actor) -> frozenset[int] | None:
    """Return the organisations whose windows the actor may read: those above bind what is below."""
    own = accounts.access(actor).organisations
    return None if own is None else frozenset(above for one in own for above in accounts.branch(one))


def _load(revision: int, last: tuple[int, Calendar] | None) -> Calendar:
    named: dict[str, dict[int, list[int]]] = {"items": {}, "environments": {}, "models": {}, "groups": {}}
    for facet, rows in (
        ("items", WindowItem.objects.values_list("window_id", "item_id")),
        ("environments", WindowEnvironment.objects.values_list("window_id", "environment_id")),
        ("models", WindowModel.objects.values_list("window_id", "model_id")),
        ("groups", WindowGroup.objects.values_list("window_id", "group_id")),
    ):
        for pk, thing in rows:
            named[facet].setdefault(pk, []).append(thing)
    return Calendar(
        compiled(row, **{facet: found.get(row["pk"], ()) for facet, found in named.items()})
        for row in Window.objects.filter(archived_at=None, status__in=("", *_TOLD)).values(*COMPILED)
    )


_TOLD = (Window.Status.ENFORCED, Window.Status.RELEASED)
COMPILED = (
    "pk", "number", "name", "uid", "organisation_id", "window_kind", "reason", "criticalities", "tiers",
    "condition", "stops", "downtime_only", "starts_at", "ends_at", "local_start", "duration", "zone",
    "rrule", "rdates", "exdates",
)  # fmt: skip
_TIMES = ("starts_at", "ends_at", "local_start", "duration", "zone", "rrule", "rdates", "exdates")


def compiled(
    row: Mapping[str, Any],
    *,
    items: Iterable[int] = (),
    environments: Iterable[int] = (),
    models: Iterable[int] = (),
    groups: Iterable[int] = (),
) -> Compiled:
    """Return a window as the rules see it, from its columns (COMPILED) and the things it names."""
    scope = Scope(
        row["organisation_id"],
        frozenset(items),
        frozenset(environments),
        frozenset(row["criticalities"]),
        frozenset(row["tiers"]),
        frozenset(models),
        lanes(groups),
    )
    key = f"{Window.prefix}-{row['number']}"
    return Compiled(
        Ref(Window.kind, key, row["name"], str(row["uid"]), row["pk"], row["organisation_id"]),
        Kind(row["window_kind"]),
        scope,
        when(*(row[name] for name in _TIMES)),
        row["reason"],
        frozenset(map(Activity, row["stops"])),
        row["downtime_only"],
        condition(row["condition"]) if row["condition"] else None,
        until_released=row["window_kind"] == Window.Kind.LOCKDOWN and row["ends_at"] is None,
    )


def compiled_of(window: Window, *, at: datetime) -> Compiled:
    """Return a record as the rules see it; a lockdown that is not in force yet, as if from `at` on."""
    row = {name: getattr(window, name) for name in COMPILED}
    if window.window_kind == Window.Kind.LOCKDOWN and window.starts_at is None:
        row["starts_at"] = at
    return compiled(
        row,
        items=WindowItem.objects.filter(window=window.pk or 0).values_list("item_id", flat=True),
        environments=WindowEnvironment.objects.filter(window=window.pk or 0).values_list(
            "environment_id", flat=True
        ),
        models=WindowModel.objects.filter(window=window.pk or 0).values_list("model_id", flat=True),
        groups=WindowGroup.objects.filter(window=window.pk or 0).values_list("group_id", flat=True),
    )


def waived_by(kind: str) -> tuple[str, ...]:
    """Return who may waive what a window of a kind says."""
    return WAIVED_BY.get(Kind(kind), ())


def lockdowns() -> list[Compiled]:
    """Return the lockdowns that are enforced, by key."""
    return [window for window in calendar().windows if window.kind is Kind.LOCKDOWN and window.until_released]


def enforced(key: str) -> bool:
    """Say whether the window is a lockdown that is enforced, as its row says."""
    lookup = Window.lookup(key)
    return lookup is not None and Window.objects.filter(status=Window.Status.ENFORCED, **lookup).exists()


GATE = 0x4641_4952_0001
"""Names the lock between what begins work and what enforces or releases a lockdown."""


def gate(*, alone: bool = False) -> None:
    """Hold the gate of lockdowns until the transaction ends; take it before any other lock.

    Whoever begins work shares it, whoever enforces a lockdown has it `alone`: so either the start sees the
    lockdown, or the lockdown sees the work. On SQLite writers take turns anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_xact_lock{'' if alone else '_shared'}(%s)", [GATE])


def _load_grouped(
    revision: int, last: tuple[int, tuple[Calendar, Calendar]] | None
) -> tuple[Calendar, Calendar]:
    """Return the calendar with groups as they are, and that from which it was made; the last one, where no
    group that is named differs.
    """
    base = _kept.at(audit.revisions().get("calendars", 0))
    scopes = [
        replace(window.scope, lanes=lanes(lane.ref.pk or 0 for lane in window.scope.lanes))
        for window in base.windows
    ]
    if last is not None and last[1][1] is base and [one.scope for one in last[1][0].windows] == scopes:
        return last[1]
    windows = (replace(window, scope=scope) for window, scope in zip(base.windows, scopes, strict=True))
    return Calendar(windows), base


_kept = Kept(_load)
_grouped = Kept(_load_grouped)
