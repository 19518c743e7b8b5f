"""What can be done to working calendars: their hours, and the days that differ."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar

from msgspec import UNSET, UnsetType

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan, expect
from fairway.calendars import queries
from fairway.calendars.commands.windows import home
from fairway.calendars.events import CalendarEvent
from fairway.calendars.models import CalendarDay, WorkingCalendar
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid
from fairway.kernel.period import YEARS, Period
from fairway.kernel.text import line, slug
from fairway.scheduling import Recurrence, Rule, read_shifts, read_week, written_week, zone

MOST_DAYS = 1_000
"""Days that differ in one calendar."""
FOLLOWED = timedelta(days=3653)
"""How long a rule of holidays is followed from its first day on."""
ARCHIVED = "calendars.working_calendar.archived"
_DAY = timedelta(days=1)


class CreateWorkingCalendar(Command, name=CalendarEvent.WORKING_CREATE):
    """Say when an organisation works, and all below it that has no calendar of its own.

    `hours`: by weekday, such as `{"mo": ["09:00-12:30", "13:15-17:00"]}`; a day that is left out has none.
    Without `organisation` it goes to that of who makes it, without `zone` its hours are in theirs.
    """

    permission: ClassVar[str] = "calendars.edit"
    undoable: ClassVar[bool] = True
    key: str
    name: str
    hours: dict[str, list[str]]
    organisation: str | None = None
    zone: str = ""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        organisation = home(actor, self.organisation)
        accounts.require(actor, self.permission, at=organisation.pk)
        key = slug(self.key)
        if WorkingCalendar.objects.filter(slug=key).exists():
            raise Conflict(f"The key “{key}” is taken.", code="calendars.working_calendar.exists")
        return _made(key, organisation, self.name, self.hours, self.zone or actor.zone)


class EditWorkingCalendar(Command, name=CalendarEvent.WORKING_EDIT):
    """Change a working calendar; what is left out stays."""

    permission: ClassVar[str] = "calendars.edit"
    undoable: ClassVar[bool] = True
    calendar: str
    version: int | None = None
    name: str | UnsetType = UNSET
    hours: dict[str, list[str]] | UnsetType = UNSET
    organisation: str | UnsetType = UNSET
    zone: str | UnsetType = UNSET

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = _held(self, actor, self.calendar, lock=lock)
        if found.archived_at is not None:
            raise Conflict(
                f"{found.key} is archived; put it anew to use it again.",
                code=ARCHIVED,
            )
        return _edited(self, found, actor)


class PutWorkingCalendar(Command, name=CalendarEvent.WORKING_PUT):
    """Make the working calendar of this key, or change the one there is; an archived one comes back."""

    permission: ClassVar[str] = "calendars.edit"
    undoable: ClassVar[bool] = True
    key: str
    version: int | None = None
    name: str | UnsetType = UNSET
    hours: dict[str, list[str]] | UnsetType = UNSET
    organisation: str | UnsetType = UNSET
    zone: str | UnsetType = UNSET

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        key = slug(self.key)
        if not WorkingCalendar.objects.filter(slug=key).exists():
            organisation = home(actor, None if self.organisation is UNSET else self.organisation)
            accounts.require(actor, self.permission, at=organisation.pk)
            if self.name is UNSET or self.hours is UNSET:
                missing = "name" if self.name is UNSET else "hours"
                raise Invalid.field(missing, "A new working calendar needs its name and its hours.")
            return _made(key, organisation, self.name, self.hours, self.zone or actor.zone)
        if not queries.working_exists(actor, key):
            raise Conflict(f"The key “{key}” is taken.", code="calendars.working_calendar.exists")
        return _edited(self, _held(self, actor, key, lock=lock), actor)


class ArchiveWorkingCalendar(Command, name=CalendarEvent.WORKING_ARCHIVE):
    """Take a working calendar out of use; the nearest above it counts from now on."""

    permission: ClassVar[str] = "calendars.edit"
    undoable: ClassVar[bool] = True
    calendar: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = _held(self, actor, self.calendar, lock=lock)
        return Plan(subject=found, change=[] if found.archived_at else [(found, {"archived_at": at})])


class PutHoliday(Command, name=CalendarEvent.HOLIDAY_PUT):
    """Say of a day that nobody works, or at other hours than on its weekday; one that is there is changed.

    `duration`: how many days in a row, a day begun counting whole. `rrule`: how they come again (RFC 5545),
    followed for ten years; `exdates`: days that it leaves out. Without `calendar` it is that by which the
    organisation works, or that of the actor.
    """

    permission: ClassVar[str] = "calendars.edit"
    undoable: ClassVar[bool] = True
    day: date
    name: str
    calendar: str = ""
    organisation: str | None = None
    hours: list[str] = []
    duration: timedelta = _DAY
    rrule: str = ""
    exdates: list[date] = []

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = self._calendar(actor, lock=lock)
        accounts.require(actor, self.permission, at=found.organisation_id)
        _in_use(found)
        name = line(self.name, field="name")
        read_shifts(self.hours)
        present = {row.day: row for row in queries.days_of(found)}
        wanted = self._days()
        fresh = [
            CalendarDay(calendar=found, day=day, name=name, hours=self.hours)
            for day in wanted
            if day not in present
        ]
        if len(present) + len(fresh) > MOST_DAYS:
            raise Invalid.field("day", f"A calendar holds at most {MOST_DAYS:,} days that differ.")
        changed = [
            (row, {"name": name, "hours": self.hours})
            for day in wanted
            if (row := present.get(day)) is not None and (row.name, row.hours) != (name, self.hours)
        ]
        for row, _values in changed:
            row.calendar = found
        edits: list[Any] = [(found, {"day_edits": found.day_edits + 1})] if fresh or changed else []
        return Plan(subject=found, create=fresh, change=[*edits, *changed])

    def _calendar(self, actor: Actor, *, lock: bool) -> WorkingCalendar:
        if self.calendar:
            return queries.working_calendar(actor, self.calendar, lock=lock)
        organisation = home(actor, self.organisation)
        known = queries.working_of(organisation.pk)
        if known is None:
            raise Invalid.field(
                "organisation", f"{organisation.slug} has no working calendar; make one, or name another."
            )
        return queries.working_calendar(actor, known.ref.uid, lock=lock)

    def _days(self) -> list[date]:
        """:raises Invalid: the days have no sense, by field."""
        count = -(-self.duration // _DAY)
        if not 1 <= count <= 366:
            raise Invalid.field("duration", "A holiday takes one day at least and 366 at most.")
        if not YEARS[0] <= self.day.year <= YEARS[1]:
            told = f"The year {self.day.year} is too far; give one from {YEARS[0]} to {YEARS[1]}."
            raise Invalid.field("day", told)
        starts = [self.day]
        if self.rrule.strip():
            again = Recurrence(datetime.combine(self.day, time()), _DAY, "UTC", Rule.parse(self.rrule))
            again.check()
            first = datetime.combine(self.day, time(), UTC)
            starts = [one.start.date() for one in again.occurrences(Period(first, first + FOLLOWED))]
        left_out = set(self.exdates)
        days = {start + number * _DAY for start in starts if start not in left_out for number in range(count)}
        if len(days) > MOST_DAYS:
            raise Invalid.field("rrule", f"These are {len(days):,} days; at most {MOST_DAYS:,} may differ.")
        return sorted(days)


class RemoveHoliday(Command, name=CalendarEvent.HOLIDAY_REMOVE):
    """Have a day be again as its weekday."""

    permission: ClassVar[str] = "calendars.edit"
    undoable: ClassVar[bool] = True
    calendar: str
    day: date

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.working_calendar(actor, self.calendar, lock=lock)
        accounts.require(actor, self.permission, at=found.organisation_id)
        _in_use(found)
        rows = list(CalendarDay.objects.filter(calendar=found, day=self.day))
        for row in rows:
            row.calendar = found
        return Plan(
            subject=found,
            change=[(found, {"day_edits": found.day_edits + 1})] if rows else [],
            remove=rows,
        )


def _held(given: Any, actor: Actor, key: str, *, lock: bool) -> WorkingCalendar:
    found = queries.working_calendar(actor, key, lock=lock)
    accounts.require(actor, given.permission, at=found.organisation_id)
    expect(found, given.version)
    return found


def _in_use(found: WorkingCalendar) -> None:
    if found.archived_at is not None:
        raise Conflict(f"{found.key} is archived; use it again first.", code=ARCHIVED)


def _made(
    key: str, organisation: Any, name: str, hours: Mapping[str, list[str]], where: str | UnsetType
) -> Plan:
    made = WorkingCalendar(slug=key, organisation=organisation, **_values(name, hours, where))
    _alone(organisation)
    return Plan(subject=made, create=[made])


def _edited(given: EditWorkingCalendar | PutWorkingCalendar, found: WorkingCalendar, actor: Actor) -> Plan:
    values = _values(given.name, given.hours, given.zone)
    if given.organisation is not UNSET:
        target = home(actor, given.organisation)
        if target.pk != found.organisation_id:
            accounts.require(actor, given.permission, at=target.pk)
            values["organisation"] = target
    if found.archived_at is not None:
        values["archived_at"] = None
    if "organisation" in values or "archived_at" in values:
        _alone(values.get("organisation", found.organisation))
    return Plan(subject=found, change=[(found, values)] if values else [])


def _alone(organisation: Any) -> None:
    """:raises Conflict: the organisation has a working calendar."""
    other = WorkingCalendar.objects.filter(organisation=organisation, archived_at=None).first()
    if other is not None:
        raise Conflict(
            f"{organisation.slug} works by {other.slug}; edit that one, or archive it first.",
            code="calendars.working_calendar.several",
        )


def _values(
    name: str | UnsetType, hours: Mapping[str, list[str]] | UnsetType, where: str | UnsetType
) -> dict[str, Any]:
    """Return the columns that are set.

    :raises Invalid: a value has no sense, by field.
    """
    values: dict[str, Any] = {}
    if name is not UNSET:
        values["name"] = line(name, field="name")
    if hours is not UNSET:
        week = read_week(hours)
        if not any(week):
            raise Invalid.field("hours", "Nobody works at any time of the week; give hours to one day.")
        values["hours"] = dict(written_week(week))
    if where is not UNSET:
        values["zone"] = zone(where).key
    return values
