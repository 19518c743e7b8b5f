"""What working calendars answer: as records, and when an organisation works."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.calendars.models import CalendarDay, WorkingCalendar
from fairway.kernel.actor import Actor
from fairway.kernel.cache import Kept
from fairway.kernel.errors import NotFound
from fairway.kernel.listing import Column, Listing, ListQuery, Page, search_words
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.scheduling import WorkingTime, local_to_utc, read_shifts, read_week, zone

USUAL_WEEK = {day: ["09:00-17:00"] for day in ("mo", "tu", "we", "th", "fr")}
USUAL = WorkingTime("UTC", read_week(USUAL_WEEK))
"""When an organisation works of which no calendar tells."""
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Working:
    """A working calendar ready to be asked; `names`: of the days without work."""

    ref: Ref
    version: int
    time: WorkingTime
    names: Mapping[date, str]


def working_of(organisation: int) -> Working | None:
    """Return the calendar by which an organisation works: its own, or the nearest above it."""
    known = _kept.at(audit.revisions().get("calendars", 0))
    above = accounts.ancestors(organisation) & known.keys()
    if not above:
        return None
    return known[max(above, key=lambda pk: len(accounts.ancestors(pk)))]


def working_time(organisation: int) -> WorkingTime:
    """Return when an organisation works; where no calendar tells: Monday to Friday, 9 to 17 UTC."""
    found = working_of(organisation)
    return USUAL if found is None else found.time


@dataclass(frozen=True, slots=True)
class DayOff:
    """A holiday as a timeline draws it."""

    calendar: Ref
    name: str
    period: Period


def days_off(organisations: Collection[int], period: Period) -> list[tuple[DayOff, tuple[int, ...]]]:
    """Return the holidays that a period meets, each with those of the organisations that have it."""
    of: dict[Ref, tuple[Working, list[int]]] = {}
    for pk in sorted(set(organisations)):
        if (found := working_of(pk)) is not None:
            of.setdefault(found.ref, (found, []))[1].append(pk)
    return [(day, tuple(places)) for found, places in of.values() for day in _off(found, period)]


def _off(found: Working, period: Period) -> list[DayOff]:
    where = zone(found.time.zone_name)

    def start(day: date) -> datetime:
        return local_to_utc(datetime(day.year, day.month, day.day), where)  # noqa: DTZ001 - wall time

    first, last = period.start.date() - timedelta(days=1), period.end.date() + timedelta(days=1)
    days = ((day, name) for day, name in found.names.items() if first <= day <= last)
    whole = ((name, start(day), start(day + timedelta(days=1))) for day, name in sorted(days))
    return [
        DayOff(found.ref, name, Period(begin, end))
        for name, begin, end in whole
        if begin < end and begin < period.end and end > period.start  # a zone may skip a day
    ]


WORKING = Listing(
    columns={
        "key": Column("slug", sorts=True),
        "name": Column("name_folded", "folded", sorts=True),
        "organisation": Column(
            "organisation__slug", sorts=True, refers=accounts.by_slug, through="organisation"
        ),
        "zone": Column("zone", sorts=True),
        "created_at": Column("created_at", "instant", sorts=True),
    },
    values=(
        "pk", "uid", "slug", "name", "zone", "hours", "version", "created_at", "archived_at",
        "organisation_id", "organisation__uid", "organisation__slug", "organisation__name", "differing",
    ),
    sort="name",
    search=search_words("name_folded", "slug"),
)  # fmt: skip


class WorkingQuery(ListQuery, kw_only=True, columns=WORKING.columns):
    """`archived=true`: those put away."""

    organisation: str = ""
    zone: str = ""
    name__contains: str = ""
    archived: bool | None = None


def working_calendars(actor: Actor) -> QuerySet[WorkingCalendar]:
    """Return the calendars that the actor may see: of visible organisations and of all above them."""
    own = accounts.access(actor).organisations
    query = WorkingCalendar.objects.select_related("organisation")
    if own is None:
        return query
    return query.filter(organisation__in={above for one in own for above in accounts.branch(one)})


def working_calendar(actor: Actor, reference: str, *, lock: bool = False) -> WorkingCalendar:
    """Return the calendar by slug or uid, archived or not.

    :raises NotFound: there is none, or the actor may not see it.
    """
    lookup = WorkingCalendar.lookup(reference)
    rows = working_calendars(actor)
    if lock:
        rows = rows.select_for_update(of=("self",), no_key=True)
    found = rows.filter(**lookup).first() if lookup else None
    if found is None:
        raise NotFound(f"There is no working calendar “{reference[:100]}”.")
    return found


def working_exists(actor: Actor, key: str) -> bool:
    """Say whether the actor sees a calendar of this key, archived or not."""
    return working_calendars(actor).filter(slug=key).exists()


def working_page(actor: Actor, query: WorkingQuery) -> Page:
    """Return one page of working calendars as plain values; archived ones only when asked for."""
    rows = working_calendars(actor).filter(archived_at__isnull=not query.archived)
    rows = rows.annotate(differing=Count("days"))
    asked = {name: getattr(query, name) for name in query.__struct_fields__ if name != "archived"}
    return WORKING.page(rows, WorkingQuery(**asked))


def days_of(calendar: WorkingCalendar) -> list[CalendarDay]:
    """Return the days of a calendar that differ, in order."""
    return list(CalendarDay.objects.filter(calendar=calendar).order_by("day"))


def week_of(hours: Mapping[str, Any]) -> WorkingTime:
    """Return the week alone, without days that differ, as working time in UTC."""
    return WorkingTime("UTC", read_week(hours))


def compiled_calendar(calendar: WorkingCalendar, days: Collection[CalendarDay]) -> Working:
    """Return a calendar ready to be asked."""
    return Working(
        calendar.ref(),
        calendar.version,
        WorkingTime(
            calendar.zone,
            read_week(calendar.hours),
            frozenset(one.day for one in days if not one.hours),
            {one.day: read_shifts(one.hours) for one in days if one.hours},
        ),
        {one.day: one.name for one in days if not one.hours},
    )


def _load(revision: int, before: tuple[int, Mapping[int, Working]] | None) -> Mapping[int, Working]:
    kept = {(one.ref, one.version): one for one in before[1].values()} if before else {}
    found: dict[int, Working] = {}
    anew: dict[int, WorkingCalendar] = {}
    for calendar in WorkingCalendar.objects.filter(archived_at=None):
        known = kept.get((calendar.ref(), calendar.version))
        if known is None:
            anew[calendar.pk] = calendar
        else:
            found[calendar.organisation_id] = known  # with the years that it has worked out
    days: dict[int, list[CalendarDay]] = {}
    for one in CalendarDay.objects.filter(calendar__in=anew) if anew else ():
        days.setdefault(one.calendar_id, []).append(one)
    return found | {
        calendar.organisation_id: compiled_calendar(calendar, days.get(pk, ()))
        for pk, calendar in anew.items()
    }


_kept = Kept(_load)
