"""The form of a freeze or maintenance window; whether values make sense is for the commands to say."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fairway.accounts import queries as accounts
from fairway.calendars import queries
from fairway.calendars.models import Window, stopped
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid
from fairway.policy.expressions import TEXT_LIMIT
from fairway.scheduling import WEEKDAYS, is_skipped, local_to_utc
from fairway.scheduling import zone as zone_called
from fairway.ui.forms import KeysField, ZoneField

STOPPING = (
    Window.Kind.HARD_FREEZE,
    Window.Kind.SOFT_FREEZE,
    Window.Kind.LOCKDOWN,
    Window.Kind.MAINTENANCE,
)
LOCAL = "%Y-%m-%dT%H:%M"
ONCE, OWN = "once", "own"
REPEATS = (
    (ONCE, gettext_lazy("Once")),
    ("daily", gettext_lazy("Every day")),
    ("working", gettext_lazy("Every day from Monday to Friday")),
    ("weekly", gettext_lazy("Every week, on the day of the start")),
    ("monthly", gettext_lazy("Every month, on that date")),
    ("nth", gettext_lazy("Every month, on that weekday of the month")),
    ("yearly", gettext_lazy("Every year")),
    (OWN, gettext_lazy("By a rule (RFC 5545)")),
)
CRITICALITIES = (
    ("1", gettext_lazy("1 – most critical")),
    ("2", gettext_lazy("2 – high")),
    ("3", gettext_lazy("3 – medium")),
    ("4", gettext_lazy("4 – low")),
)


FOLDED = (
    "items", "environments", "criticalities", "tiers", "change_models", "condition", "downtime_only"
)  # fmt: skip
"""Fields that a simple window does not need."""


class LocalTime(forms.CharField):
    """A wall time without zone, cleaned to a naive datetime."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL)

    def to_python(self, value: Any) -> Any:
        """Read it.

        :raises ValidationError: it is none.
        """
        text = super().to_python(value)
        if not text:
            return None
        try:
            local = datetime.fromisoformat(str(text))
        except ValueError as cause:
            message = _("“%(value)s” is no date and time; write it like 2026-11-24T21:00.")
            raise ValidationError(message, params={"value": str(text)[:40]}) from cause
        if local.tzinfo is not None:
            raise ValidationError(_("Give the local time alone; its zone stands below."))
        return local


class WindowForm(forms.Form):
    """A new window, or one that is changed; `version` is the one that was read."""

    aliases: ClassVar[dict[str, str]] = {
        "starts_at": "starts",
        "local_start": "starts",
        "ends_at": "ends",
        "environment_groups": "environments",
        "duration": "ends",
        "rrule": "rule",
    }

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=Window.Kind.choices,
        help_text=gettext_lazy(
            "A hard freeze stops work, a soft freeze asks for a reason; where there are maintenance windows,"
            " work has to lie inside one. A lockdown holds work in flight once it is approved and enforced. A"
            " blockout keeps bookings out; holidays and information only tell."
        ),
    )
    starts = LocalTime(label=gettext_lazy("Starts"), required=False)
    ends = LocalTime(
        label=gettext_lazy("Ends"),
        required=False,
        help_text=gettext_lazy("Only a lockdown has no times: it holds from when it is enforced."),
    )
    zone = ZoneField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("Start and end are local times there, also when clocks change."),
    )
    repeats = forms.ChoiceField(label=gettext_lazy("Repeats"), choices=REPEATS, initial=ONCE)
    until = forms.DateField(
        label=gettext_lazy("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("The last day on which it starts again; leave it empty to go on for good."),
    )
    rule = forms.CharField(
        label=gettext_lazy("Rule"),
        max_length=500,
        required=False,
        help_text=gettext_lazy(
            "Only where it repeats by a rule, such as FREQ=MONTHLY;BYDAY=-1FR: the last Friday of each month."
        ),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    organisation = forms.ChoiceField(
        label=gettext_lazy("Holds for"), help_text=gettext_lazy("This organisation and all below it.")
    )
    items = KeysField(
        url="/items/pick",
        label=gettext_lazy("Only these items"),
        required=False,
    )
    environments = KeysField(
        url="/environments/pick?groups=1",
        label=gettext_lazy("Only these environments"),
        required=False,
        help_text=gettext_lazy("Or groups of them: it then holds for what belongs to the group at the time."),
    )
    change_models = forms.MultipleChoiceField(
        label=gettext_lazy("Only changes of this model"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    condition = forms.CharField(
        label=gettext_lazy("Only changes for which"),
        required=False,
        max_length=TEXT_LIMIT,
        widget=forms.Textarea(attrs={"rows": 2, "class": "fw-code", "spellcheck": "false"}),
        help_text=gettext_lazy(
            'A condition in CEL, such as category == "database" && priority <= 2. There are title, category,'
            " priority, model, template, organisation, downtime, notice and working_notice (in hours), and"
            " custom."
        ),
    )
    stops = forms.MultipleChoiceField(
        label=gettext_lazy("Stops"),
        choices=Window.Stops.choices,
        required=False,
        initial=stopped(),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Of the steps that are not ticked it only warns."),
    )
    downtime_only = forms.BooleanField(
        label=gettext_lazy("Only while a change takes things down"), required=False
    )
    criticalities = forms.MultipleChoiceField(
        label=gettext_lazy("Only items of this criticality"),
        choices=CRITICALITIES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    tiers = forms.MultipleChoiceField(
        label=gettext_lazy("Only environments of this tier"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(
        self,
        data: Any = None,
        *,
        actor: Actor,
        window: Window | None = None,
        facets: queries.Facets | None = None,
    ) -> None:
        super().__init__(data, initial=_initial(actor, window, facets))
        self.hits: list[dict[str, str]] = []
        self.window = window
        self.actor = actor
        places = [
            (slug, name)
            for pk, slug, name in accounts.organisations(actor).values_list("pk", "slug", "name")
            if accounts.access(actor).may("calendars.edit", pk)
        ]
        if window is not None and window.organisation.slug not in dict(places):
            places.append((window.organisation.slug, window.organisation.name))
        self.fields["organisation"].choices = places  # type: ignore[attr-defined]
        self.fields["tiers"].choices = queries.tiers()  # type: ignore[attr-defined]
        self.fields["change_models"].choices = queries.model_choices()  # type: ignore[attr-defined]
        for name in ("items", "environments"):
            refs = getattr(facets, name) if facets else ()
            if facets and name == "environments":
                refs = (*refs, *facets.groups)
            picker: Any = self.fields[name].widget
            picker.names = {ref.key: ref.name for ref in refs if not ref.hidden}

        for name in ("starts", "ends"):
            self.fields[name].unmarked = True  # type: ignore[attr-defined] # all kinds but one need them

    @property
    def opened(self) -> bool:
        """Whether what lies folded away is to be seen: something stands there, or is wrong."""
        said = any(self[name].value() for name in FOLDED)
        usual = set(self["stops"].value() or ()) == set(stopped())
        return said or not usual or any(name in self.errors for name in (*FOLDED, "stops"))

    def clean_zone(self) -> str:
        """Refuse what is no zone.

        :raises ValidationError: names the nearest one.
        """
        try:
            return zone_called(self.cleaned_data["zone"]).key
        except Invalid as cause:
            raise ValidationError(cause.detail) from cause

    def clean(self) -> dict[str, Any]:
        """Refuse an end that is not after the start, and a rule that is missing."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        starts, ends = values.get("starts"), values.get("ends")
        if values.get("kind") != Window.Kind.LOCKDOWN:
            for name in ("starts", "ends"):
                if not values.get(name) and name not in self.errors:
                    self.add_error(name, _("This is needed, except for a lockdown."))
        if values.get("zone") and values.get("repeats") == ONCE:
            where = zone_called(values["zone"])
            for name, wall in (("starts", starts), ("ends", ends)):
                if wall and is_skipped(wall, where):
                    told = _(
                        "The clock of %(zone)s jumps over %(time)s on this day; give a time that it shows."
                    )
                    self.add_error(name, told % {"zone": where.key, "time": f"{wall:%H:%M}"})
        if starts and ends and ends <= starts:
            self.add_error("ends", _("The end must be later than the start."))
        if values.get("repeats") == OWN and not values.get("rule", "").strip():
            self.add_error("rule", _("Write the rule, such as FREQ=MONTHLY;BYDAY=-1FR."))
        return values

    def stale(self, version: int) -> None:
        """Take the present version along: saving once more is then a choice."""
        data: Any = self.data
        self.data = data.copy()
        self.data["version"] = str(version)  # type: ignore[index]

    def values(self) -> dict[str, Any]:
        """Return what the commands take."""
        given = self.cleaned_data
        kept = ("name", "kind", "zone", "reason", "organisation", "tiers", "change_models", "condition")
        values = {name: given[name] for name in kept}
        groups = queries.groups_among(self.actor, given["environments"])
        values |= {
            "criticalities": [int(text) for text in given["criticalities"]],
            "items": given["items"],
            "environments": [key for key in given["environments"] if key not in groups],
            "environment_groups": [key for key in given["environments"] if key in groups],
            "downtime_only": given["downtime_only"],
            "stops": given["stops"] if given["kind"] in STOPPING else None,
        }
        starts, ends = given["starts"], given["ends"]
        if given["kind"] == Window.Kind.LOCKDOWN:
            pass  # it holds from when it is enforced
        elif given["repeats"] == ONCE:
            where = zone_called(given["zone"])
            values |= {"starts_at": local_to_utc(starts, where), "ends_at": local_to_utc(ends, where)}
            values |= {"local_start": "", "duration": None, "rrule": "", "rdates": [], "exdates": []}
        else:
            values |= {"starts_at": None, "ends_at": None, "local_start": starts.isoformat()}
            values |= {"duration": ends - starts, "rrule": self._rule(starts, given["until"])}
        if self.window is not None and values["organisation"] == self.window.organisation.slug:
            del values["organisation"]
        return values

    def _rule(self, starts: datetime, until: date | None) -> str:
        kind = self.cleaned_data["repeats"]
        if kind == OWN:
            return str(self.cleaned_data["rule"])
        weekday = WEEKDAYS[starts.weekday()]
        rule = {
            "daily": "FREQ=DAILY",
            "working": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
            "weekly": f"FREQ=WEEKLY;BYDAY={weekday}",
            "monthly": f"FREQ=MONTHLY;BYMONTHDAY={starts.day}",
            "nth": f"FREQ=MONTHLY;BYDAY={(starts.day - 1) // 7 + 1}{weekday}",
            "yearly": f"FREQ=YEARLY;BYMONTH={starts.month};BYMONTHDAY={starts.day}",
        }[kind]
        return f"{rule};UNTIL={until:%Y%m%d}" if until else rule


def _initial(actor: Actor, window: Window | None, facets: queries.Facets | None) -> dict[str, Any]:
    if window is None:
        home = accounts.user(actor, actor.uid).organisation.slug
        return {"zone": actor.zone, "organisation": home}
    if window.status:
        starts = ends = None
    elif window.starts_at and window.ends_at:
        where = zone_called(window.zone)
        starts = window.starts_at.astimezone(where).replace(tzinfo=None)
        ends = window.ends_at.astimezone(where).replace(tzinfo=None)
    else:
        starts = datetime.fromisoformat(window.local_start)
        ends = starts + (window.duration or timedelta())
    return {
        "version": window.version,
        "name": window.name,
        "kind": window.window_kind,
        "starts": starts.strftime(LOCAL) if starts else "",
        "ends": ends.strftime(LOCAL) if ends else "",
        "zone": window.zone,
        "repeats": OWN if window.recurring else ONCE,
        "rule": window.rrule,
        "reason": window.reason,
        "organisation": window.organisation.slug,
        "items": [ref.key for ref in facets.items if not ref.hidden] if facets else [],
        "environments": [ref.key for ref in (*facets.environments, *facets.groups) if not ref.hidden]
        if facets
        else [],
        "criticalities": [str(number) for number in window.criticalities],
        "tiers": window.tiers,
        "change_models": [ref.key for ref in facets.models] if facets else [],
        "condition": window.condition,
        "stops": window.stops,
        "downtime_only": window.downtime_only,
    }
