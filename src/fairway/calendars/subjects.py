"""Freezes and maintenance windows as records that one comments on, watches and looks back at."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from fairway.calendars import queries
from fairway.workspace.commands import register
from fairway.workspace.queries import SubjectKind, ViewPage, register_page

register(
    SubjectKind(
        kind="window",
        resource="windows",
        label=_("Freeze or maintenance window"),
        permission="calendars.view",
        model="calendars.Window",
        find=queries.window,
        visible=queries.windows,
        people=queries.window_people,
        parts={
            "calendars.WindowItem": "window_id",
            "calendars.WindowEnvironment": "window_id",
            "calendars.WindowGroup": "window_id",
            "calendars.WindowModel": "window_id",
        },
    )
)
register(
    SubjectKind(
        kind="working-calendar",
        resource="working-calendars",
        label=_("Working calendar"),
        permission="calendars.view",
        model="calendars.WorkingCalendar",
        find=queries.working_calendar,
        visible=queries.working_calendars,
        parts={"calendars.CalendarDay": "calendar_id"},
    )
)
register_page(
    ViewPage(
        name="windows",
        label=_("Freezes and maintenance windows"),
        path="/windows",
        permission="calendars.view",
        parameters=frozenset({"kind", "organisation", "archived", "q"}),
    )
)
