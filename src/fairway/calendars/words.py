"""How a recurring window reads."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from fairway.kernel.errors import Invalid
from fairway.scheduling import Frequency, Rule
from fairway.ui.times import length

ORDINALS = {
    1: gettext_lazy("first"),
    2: gettext_lazy("second"),
    3: gettext_lazy("third"),
    4: gettext_lazy("fourth"),
    5: gettext_lazy("fifth"),
    -1: gettext_lazy("last"),
}


def repeats(rrule: str) -> str:
    """Return the rule in words, or as it is written where words would be longer than the rule.

    :raises Invalid: it is no rule.
    """
    rule = Rule.parse(rrule)
    every = {
        Frequency.DAILY: ngettext("every day", "every %(n)d days", rule.interval),
        Frequency.WEEKLY: ngettext("every week", "every %(n)d weeks", rule.interval),
        Frequency.MONTHLY: ngettext("every month", "every %(n)d months", rule.interval),
        Frequency.YEARLY: ngettext("every year", "every %(n)d years", rule.interval),
    }[rule.frequency] % {"n": rule.interval}
    unusual = any(nth not in {0, *ORDINALS} for nth, _day in rule.by_day)
    if unusual or rule.by_set_pos or (rule.by_day and rule.by_month_day):
        return str(rule)
    parts = [every]
    if rule.by_day:
        parts.append(_("on %(days)s") % {"days": _days(rule)})
    if rule.by_month_day:
        parts.append(_("on day %(days)s") % {"days": ", ".join(map(_month_day, rule.by_month_day))})
    if rule.by_month:
        parts.append(
            _("in %(months)s") % {"months": ", ".join(str(MONTHS[month]) for month in rule.by_month)}
        )
    if rule.until is not None:
        parts.append(_("until %(day)s") % {"day": f"{rule.until:%Y-%m-%d}"})
    if rule.count is not None:
        parts.append(ngettext("%(n)d time", "%(n)d times", rule.count) % {"n": rule.count})
    return " ".join(parts)


def recurring(local_start: str, duration: timedelta, zone: str, rrule: str, rdates: list[str]) -> str:
    """Return when a recurring window comes: every week on Saturday at 22:00 for 8 h (Europe/London)."""
    start = datetime.fromisoformat(local_start)
    try:
        what = repeats(rrule) if rrule else _("on %(day)s") % {"day": f"{start:%Y-%m-%d}"}
    except Invalid:
        what = rrule
    text = _("%(what)s at %(time)s for %(length)s (%(zone)s)") % {
        "what": what,
        "time": f"{start:%H:%M}",
        "length": length(duration),
        "zone": zone,
    }
    if rdates:
        more = ngettext(" and on %(n)d more day", " and on %(n)d more days", len(rdates))
        text += more % {"n": len(rdates)}
    return text


def _month_day(day: int) -> str:
    if day > 0:
        return str(day)
    return _("last") if day == -1 else _("%(n)d from the end") % {"n": -day}


def _days(rule: Rule) -> str:
    if {day for nth, day in rule.by_day if nth == 0} == set(range(5)) and len(rule.by_day) == 5:
        return _("working days (Monday to Friday)")
    return ", ".join(
        str(WEEKDAYS[day])
        if nth == 0
        else _("the %(nth)s %(day)s") % {"nth": ORDINALS[nth], "day": WEEKDAYS[day]}
        for nth, day in rule.by_day
    )
