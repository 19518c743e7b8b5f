"""How conflicts read."""

from __future__ import annotations

from typing import Any

from fairway.claims.rules import PERSON, RELATED_ITEM, SAME_ITEM
from fairway.claims.rules.usage import CAPACITY, USAGE
from fairway.kernel.refs import Ref
from fairway.kernel.words import remembered as _
from fairway.kernel.words import remembered_plural as ngettext
from fairway.policy import Finding, Severity, Words, sentence


@sentence(SAME_ITEM)
def same_item(finding: Finding, words: Words) -> str:
    other, values = _parts(finding, words)
    if other.hidden or not finding.path:
        return _("%(other)s has work on the same item %(when)s.") % values
    values["item"] = _listed(finding.params.get("items") or [finding.path[0].key])
    if finding.params.get("exclusive") and finding.severity is not Severity.BLOCK:
        text = (
            _(
                "%(other)s has work on %(item)s %(when)s, and one of the two takes it out of use;"
                " it is a draft and does not stand in the way."
            )
            % values
        )
    elif finding.params.get("exclusive"):
        text = _("%(other)s has work on %(item)s %(when)s, and one of the two takes it out of use.") % values
    else:
        text = _("%(other)s has work on %(item)s %(when)s.") % values
    return text + _more(finding)


@sentence(RELATED_ITEM)
def related_item(finding: Finding, words: Words) -> str:
    other, values = _parts(finding, words)
    if other.hidden or not finding.path:
        return _("%(other)s has work on a related item %(when)s.") % values
    values |= {"mine": finding.path[0].key, "its": finding.path[-1].key}
    way = finding.path if finding.params.get("reaches") == "other" else finding.path[::-1]
    if len(way) > 2:
        values["way"] = _(" through %(items)s") % {"items": _listed([ref.key for ref in way[1:-1]])}
    else:
        values["way"] = ""
    if finding.params.get("reaches") == "other":
        text = (
            _("%(other)s has work on %(its)s %(when)s; if %(mine)s fails, that reaches it%(way)s.") % values
        )
    else:
        text = (
            _("%(other)s has work on %(its)s %(when)s; if it fails, that reaches %(mine)s%(way)s.") % values
        )
    return text + _more(finding)


@sentence(PERSON)
def person(finding: Finding, words: Words) -> str:
    other, values = _parts(finding, words)
    names = finding.params.get("names")
    if other.hidden or not names:
        return _("Somebody who carries it out works on something else %(when)s.") % values
    values["names"] = _listed(names)
    text = ngettext(
        "%(names)s also carries out %(other)s %(when)s.",
        "%(names)s also carry out %(other)s %(when)s.",
        len(names),
    )
    return text % values + _more(finding)


@sentence(USAGE)
def usage(finding: Finding, words: Words) -> str:
    other, values = _parts(finding, words)
    if other.hidden or "usage" not in finding.params:
        return _("%(other)s holds it %(when)s.") % values
    values |= {"usage": finding.params["usage"] or _("work"), "wanted": finding.params["wanted"] or _("work")}
    if finding.severity is Severity.INFORM:
        return _("%(other)s uses it too, for %(usage)s, %(when)s; that goes with %(wanted)s.") % values
    if finding.params.get("exclusive"):
        return _("%(other)s holds it for %(usage)s %(when)s, and one of the two needs it alone.") % values
    return _("%(other)s holds it for %(usage)s %(when)s, which does not go with %(wanted)s.") % values


@sentence(CAPACITY)
def capacity(finding: Finding, words: Words) -> str:
    values = {"when": _when(finding, words), **finding.params}
    if "units" not in values:
        return _("Its capacity is not enough for all who want it, %(when)s.") % values
    return _("All together want %(units)s of %(capacity)s that it bears, %(when)s.") % values


def _parts(finding: Finding, words: Words) -> tuple[Ref, dict[str, Any]]:
    other = finding.parties[-1]
    name = _("Another organisation") if other.hidden else _name(other)
    return other, {"other": name, "when": _when(finding, words)}


def _when(finding: Finding, words: Words) -> str:
    period = finding.interval
    if period is None:
        return ""
    if words.moment(period):
        return _("at %(instant)s") % {"instant": words.instant(period.start)}
    return _("from %(period)s") % {"period": words.period(period)}


def _name(ref: Ref) -> str:
    return _("%(key)s (%(name)s)") % {"key": ref.key, "name": ref.name} if ref.name else ref.key


def _listed(keys: list[str]) -> str:
    if len(keys) <= 4:
        return ", ".join(keys)
    return _("%(keys)s and %(count)d more") % {"keys": ", ".join(keys[:3]), "count": len(keys) - 3}


def _more(finding: Finding) -> str:
    more = int(finding.params.get("overlaps", 1)) - 1
    if more < 1:
        return ""
    text = ngettext(" They meet %(count)d more time.", " They meet %(count)d more times.", more)
    return text % {"count": more}
