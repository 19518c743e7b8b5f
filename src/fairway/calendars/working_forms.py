"""The forms of working calendars; whether values make sense is for the commands to say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from fairway.accounts import queries as accounts
from fairway.calendars.models import WorkingCalendar
from fairway.calendars.queries import USUAL_WEEK
from fairway.kernel.actor import Actor
from fairway.scheduling import WEEK
from fairway.ui.forms import ZoneField

DAYS = (
    gettext_lazy("Monday"),
    gettext_lazy("Tuesday"),
    gettext_lazy("Wednesday"),
    gettext_lazy("Thursday"),
    gettext_lazy("Friday"),
    gettext_lazy("Saturday"),
    gettext_lazy("Sunday"),
)


def written(hours: list[str]) -> str:
    """Return the hours of a day as they stand in a form."""
    return ", ".join(hours)


def read(text: str) -> list[str]:
    """Return the hours of a day as commands take them."""
    return [part for part in text.replace(";", ",").replace(" ", "").split(",") if part]


class WorkingForm(forms.Form):
    """A new working calendar, or one that is changed; `version` is the one that was read."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    key = forms.CharField(
        label=gettext_lazy("Key"), max_length=100, help_text=gettext_lazy("Short and lasting, such as uk.")
    )
    organisation = forms.ChoiceField(
        label=gettext_lazy("Organisation"),
        help_text=gettext_lazy("It holds for all below it that has no working calendar of its own."),
    )
    zone = ZoneField(
        label=gettext_lazy("Time zone"), help_text=gettext_lazy("Hours and holidays are local there.")
    )

    def __init__(self, data: Any = None, *, actor: Actor, calendar: WorkingCalendar | None = None) -> None:
        self.calendar = calendar
        hours: Mapping[str, list[str]] = USUAL_WEEK if calendar is None else calendar.hours
        initial: dict[str, Any] = {day: written(hours.get(day, [])) for day in WEEK}
        if calendar is None:
            initial |= {
                "zone": actor.zone,
                "organisation": accounts.user(actor, actor.uid).organisation.slug,
            }
        else:
            initial |= {
                "version": calendar.version,
                "name": calendar.name,
                "zone": calendar.zone,
                "organisation": calendar.organisation.slug,
            }
        super().__init__(data, initial=initial)
        if calendar is not None:
            del self.fields["key"]
        for day, label in zip(WEEK, DAYS, strict=True):
            self.fields[day] = forms.CharField(label=label, required=False, max_length=200)
            self.fields[day].unmarked = True  # type: ignore[attr-defined] # what the words above them say
        access = accounts.access(actor)
        rows = accounts.organisations(actor).values_list("pk", "slug", "name")
        places = [(slug, name) for pk, slug, name in rows if access.may("calendars.edit", pk)]
        if calendar is not None and calendar.organisation.slug not in dict(places):
            places.append((calendar.organisation.slug, calendar.organisation.name))
        self.fields["organisation"].choices = places  # type: ignore[attr-defined]

    @property
    def week(self) -> list[Any]:
        """The fields of the days of the week, in order."""
        return [self[day] for day in WEEK]

    def values(self) -> dict[str, Any]:
        """Return what the commands take."""
        given = self.cleaned_data
        names = ("name", "key", "zone", "organisation")
        values: dict[str, Any] = {name: given[name] for name in names if name in given}
        if self.calendar is not None and values["organisation"] == self.calendar.organisation.slug:
            del values["organisation"]
        return values | {"hours": {day: hours for day in WEEK if (hours := read(given[day]))}}


class HolidayForm(forms.Form):
    """A day that differs, or several in a row."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    day = forms.DateField(
        label=gettext_lazy("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    last = forms.DateField(
        label=gettext_lazy("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("Where it is more than one."),
    )
    hours = forms.CharField(
        label=gettext_lazy("Hours"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Such as 09:00-12:00; empty: nobody works."),
    )
    yearly = forms.BooleanField(label=gettext_lazy("Every year on this date"), required=False)

    def values(self) -> dict[str, Any]:
        """Return what the command takes."""
        given = self.cleaned_data
        last = given["last"] or given["day"]
        return {
            "name": given["name"],
            "day": given["day"],
            "duration": last - given["day"] + timedelta(days=1),
            "hours": read(given["hours"]),
            "rrule": "FREQ=YEARLY" if given["yearly"] else "",
        }
