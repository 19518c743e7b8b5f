"""The events of calendars, named for the command that each one records."""

from __future__ import annotations

from enum import StrEnum


class CalendarEvent(StrEnum):
    """The rows that an event holds are those of the window and of the things its scope names."""

    WINDOW_CREATE = "calendars.window.create"
    WINDOW_EDIT = "calendars.window.edit"
    WINDOW_PUT = "calendars.window.put"
    WINDOW_ARCHIVE = "calendars.window.archive"
    WINDOW_REPLAN = "calendars.window.replan"
    WINDOWS_APPLY = "calendars.windows.apply"
    LOCKDOWN_APPROVE = "calendars.lockdown.approve"
    LOCKDOWN_ENFORCE = "calendars.lockdown.enforce"
    LOCKDOWN_RELEASE = "calendars.lockdown.release"
    LOCKDOWN_CANCEL = "calendars.lockdown.cancel"
    WORKING_CREATE = "calendars.working_calendar.create"
    WORKING_EDIT = "calendars.working_calendar.edit"
    WORKING_PUT = "calendars.working_calendar.put"
    WORKING_ARCHIVE = "calendars.working_calendar.archive"
    HOLIDAY_PUT = "calendars.holiday.put"
    HOLIDAY_REMOVE = "calendars.holiday.remove"
    SUBSCRIBE = "calendars.calendar.subscribe"
    UNSUBSCRIBE = "calendars.calendar.unsubscribe"
    WINDOW_REMIND = "calendars.window.remind"
