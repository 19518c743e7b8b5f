"""How findings of calendars read."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairway.calendars.rules import FREEZE, OUTSIDE_MAINTENANCE, Kind
from fairway.policy import Finding, Severity, Words, sentence


@sentence(FREEZE)
def freeze(finding: Finding, words: Words) -> str:
    if not finding.params:
        period = words.period(finding.interval) if finding.interval else ""
        return _("A freeze of another organisation covers %(period)s.") % {"period": period}
    until = finding.params.get("until")
    values = {
        "name": finding.params["name"],
        "key": finding.parties[-1].key,
        "things": _listed(finding.params.get("things") or []),
        "until": words.instant(until) if until else "",
    }
    if finding.params["kind"] == Kind.SOFT_FREEZE:
        text = _("The soft freeze %(name)s (%(key)s) covers %(things)s") % values
    else:
        text = _("The freeze %(name)s (%(key)s) covers %(things)s") % values
    text += _(" until %(until)s") % values if until else _(" without an end in sight")
    if finding.params["kind"] == Kind.SOFT_FREEZE and finding.severity is Severity.BLOCK:
        return text + _("; say why the work has to be done then.")
    return text + "."


@sentence(OUTSIDE_MAINTENANCE)
def outside_maintenance(finding: Finding, words: Words) -> str:
    period = words.period(finding.interval) if finding.interval else ""
    if not finding.params.get("names"):
        return _("%(period)s is outside the maintenance windows of another organisation.") % {
            "period": period
        }
    names = finding.params.get("names") or []
    values = {
        "period": period,
        "things": _listed(finding.params.get("things") or []),
        "names": _listed(names),
    }
    text = ngettext(
        "%(period)s is outside the maintenance window of %(things)s (%(names)s).",
        "%(period)s is outside the maintenance windows of %(things)s (%(names)s).",
        len(names),
    )
    return text % values


def _listed(words: list[str]) -> str:
    if not words:
        return _("this work")
    if len(words) <= 4:
        return ", ".join(words)
    return _("%(keys)s and %(count)d more") % {"keys": ", ".join(words[:3]), "count": len(words) - 3}
