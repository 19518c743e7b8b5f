"""How findings of calendars read."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairway.calendars.rules import CONDITION, FREEZE, NOTE, OUTSIDE_MAINTENANCE, Kind
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
        "things": _things(finding),
        "until": words.instant(until) if until else "",
    }
    kind = finding.params["kind"]
    if kind == Kind.SOFT_FREEZE:
        text = _("The soft freeze %(name)s (%(key)s) covers %(things)s") % values
    elif kind == Kind.BLOCKOUT:
        text = _("The booking blockout %(name)s (%(key)s) covers %(things)s") % values
    elif kind == Kind.LOCKDOWN:
        text = _("The lockdown %(name)s (%(key)s) covers %(things)s") % values
        if not until:
            return text + _(" until it is released.")
    else:
        text = _("The freeze %(name)s (%(key)s) covers %(things)s") % values
    text += _(" until %(until)s") % values if until else _(" without an end in sight")
    if kind == Kind.SOFT_FREEZE and finding.severity is Severity.BLOCK:
        return text + _("; say why the work has to be done then.")
    if finding.severity is Severity.WARN and not finding.params.get("stops", True):
        return text + _("; it warns of this and does not stop it.")
    return text + "."


@sentence(NOTE)
def note(finding: Finding, words: Words) -> str:
    if not finding.params:
        period = words.period(finding.interval) if finding.interval else ""
        return _("%(period)s is marked in a calendar of another organisation.") % {"period": period}
    values = {
        "name": finding.params["name"],
        "key": finding.parties[-1].key,
        "things": _things(finding),
        "period": words.period(finding.interval) if finding.interval else "",
    }
    if finding.params["kind"] == Kind.HOLIDAY:
        return _("%(period)s is a holiday for %(things)s: %(name)s (%(key)s).") % values
    return _("%(period)s is marked in the calendar of %(things)s: %(name)s (%(key)s).") % values


@sentence(CONDITION)
def condition(finding: Finding, words: Words) -> str:
    if not finding.params:
        return _("Whether a window of another organisation holds for this cannot be told.")
    values = {
        "name": finding.params["name"],
        "key": finding.parties[-1].key,
        "why": finding.params["why"],
    }
    return _("Whether %(name)s (%(key)s) holds for this cannot be told: in its condition %(why)s.") % values


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
        "things": _things(finding),
        "names": _listed(names),
    }
    text = ngettext(
        "%(period)s is outside the maintenance window of %(things)s (%(names)s).",
        "%(period)s is outside the maintenance windows of %(things)s (%(names)s).",
        len(names),
    )
    return text % values


def _things(finding: Finding) -> str:
    """Return what is hit in words, with the group of environments by which it is."""
    told, groups = _listed(finding.params.get("things") or []), finding.params.get("groups") or []
    if not groups:
        return told
    values = {"things": told, "groups": _listed(groups)}
    return ngettext("%(things)s (group %(groups)s)", "%(things)s (groups %(groups)s)", len(groups)) % values


def _listed(words: list[str]) -> str:
    if not words:
        return _("this work")
    if len(words) <= 4:
        return ", ".join(words)
    return _("%(keys)s and %(count)d more") % {"keys": ", ".join(words[:3]), "count": len(words) - 3}
