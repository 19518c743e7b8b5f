"""How the findings of changes read."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from fairway.policy import Finding, Severity, Words, rule_word, sentence, waived_sentence


def _key(finding: Finding) -> str:
    return finding.parties[0].key if finding.parties and finding.parties[0].key else _("This change")


@sentence("changes.plan")
def plan(finding: Finding, words: Words) -> str:
    missing = finding.params.get("missing")
    if missing == "item":
        return _("%(change)s names no affected item; add what it alters.") % {"change": _key(finding)}
    return _("%(change)s has no planned window; add when the work is to be done.") % {"change": _key(finding)}


@sentence("changes.consent")
def consent(finding: Finding, words: Words) -> str:
    values = {"change": _key(finding), **finding.params}
    match finding.params.get("why"):
        case "required":
            return (
                _("%(environment)s is under change control: name an authorised change.") % values
                if "environment" in values
                else _("This environment is under change control: name an authorised change.")
            )
        case "stale":
            return (
                _("%(change)s was changed after it was approved; it needs approval of its present content.")
                % values
            )
        case "refused":
            return _("%(change)s was refused.") % values
        case "discounted":
            return (
                _("Whoever approved %(change)s also asked for it or carries it out; it needs another.")
                % values
            )
        case "template" if "template" in values:
            return (
                _("The template “%(template)s” is not authorised any more; %(change)s needs another way.")
                % values
            )
        case "template":
            return _("%(change)s was not made from an authorised template.") % values
        case _:
            return _("%(change)s is not approved yet.") % values


@sentence("changes.separation")
def separation(finding: Finding, words: Words) -> str:
    return _(
        "Whoever asks for %(change)s, carries it out or stands in for one of them cannot decide on it;"
        " ask another approver."
    ) % {"change": _key(finding)}


@sentence("changes.state")
def state(finding: Finding, words: Words) -> str:
    return _("%(change)s is %(state)s; it has to be scheduled or in progress.") % {
        "change": _key(finding),
        "state": finding.params.get("state", _("not authorised")),
    }


@sentence("changes.hold")
def hold(finding: Finding, words: Words) -> str:
    values = {"change": _key(finding), **finding.params}
    if finding.params.get("reason"):
        return _("%(change)s is on hold: %(reason)s") % values
    return _("%(change)s is on hold.") % values


@sentence("changes.window")
def window(finding: Finding, words: Words) -> str:
    values = {"change": _key(finding)}
    if finding.interval is None:
        return _("%(change)s has no planned window.") % values
    values["period"] = words.period(finding.interval)
    if finding.params.get("over"):
        return _("The last planned window of %(change)s, %(period)s, is over; reschedule it.") % values
    return _("%(change)s is planned for %(period)s, not now.") % values


@sentence("changes.scope")
def scope(finding: Finding, words: Words) -> str:
    values = {"change": _key(finding), **finding.params}
    if "item" in values and "environment" in values:
        return _("%(change)s does not cover %(item)s in %(environment)s.") % values
    return _("%(change)s does not cover what is asked about.") % values


@sentence("changes.moved")
def moved(finding: Finding, words: Words) -> str:
    item = finding.parties[-1]
    values = {"change": _key(finding), **finding.params}
    values["item"] = _("An item of another organisation") if item.hidden else item.key
    if "fields" not in finding.params:
        return _("%(item)s is not what %(change)s was to alter any more.") % values
    return (
        _(
            "%(item)s is not what %(change)s was to alter any more: %(fields)s changed since. Return the"
            " change and propose the edit anew."
        )
        % values
    )


@sentence("changes.unapplied")
def unapplied(finding: Finding, words: Words) -> str:
    values = {"change": _key(finding), "items": ", ".join(finding.params.get("items", ())[:5])}
    if not values["items"]:
        return _("%(change)s proposes configuration changes that were not applied.") % values
    return _("%(change)s proposes configuration changes that were not applied: %(items)s.") % values


@sentence("calendars.example")
def example(finding: Finding, words: Words) -> str:
    return str(finding.params.get("message") or _("An example does not hold."))


@sentence("changes.lockdown")
def lockdown(finding: Finding, words: Words) -> str:
    values = {"change": _key(finding), "lockdown": finding.params.get("lockdown", "")}
    if not values["lockdown"]:
        return _("%(change)s is held by a lockdown; it goes on once that is released.") % values
    return _("%(change)s is held by the lockdown %(lockdown)s; it goes on once that is released.") % values


@sentence("changes.held")
def held(finding: Finding, words: Words) -> str:
    other = finding.parties[-1]
    values = {
        "other": _("Another organisation") if other.hidden else other.key,
        "item": finding.path[0].key if finding.path else _("what is asked about"),
        "environment": finding.params.get("environment", _("there")),
        "period": words.period(finding.interval) if finding.interval else "",
    }
    if finding.severity is Severity.BLOCK:
        return (
            _(
                "%(other)s holds %(item)s in %(environment)s for %(period)s; deploy under it, or when it is"
                " over."
            )
            % values
        )
    return _("%(other)s asks for %(item)s in %(environment)s for %(period)s.") % values


@sentence("changes.coordinated")
def coordinated(finding: Finding, words: Words) -> str:
    if "environment" in finding.params:
        return _("%(environment)s is coordinated: no authorised change is needed there.") % finding.params
    return _("This environment is coordinated: no authorised change is needed there.")


@waived_sentence
def waived(told: Any, words: Words) -> str:
    values = {"key": told.key, "by": told.by, "until": words.instant(told.until)}
    return _("Waived by %(by)s until %(until)s (%(key)s).") % values


rule_word("calendars.freeze", lambda: _("Freeze"))
rule_word("calendars.lockdown", lambda: _("Lockdown"))
rule_word("calendars.blockout", lambda: _("Booking blockout"))
rule_word("calendars.outside_maintenance", lambda: _("Outside maintenance"))
rule_word("claims.same_item", lambda: _("Same item as"))
rule_word("claims.usage", lambda: _("Use that does not go together"))
rule_word("claims.capacity", lambda: _("Over capacity"))


@sentence("claims.does_not_fit")
def does_not_fit(finding: Finding, words: Words) -> str:
    params = finding.params
    if "close" not in params or finding.interval is None:
        return _("The work does not fit its window.")
    values = {
        "hours": f"{params['minutes'] // 60}:{params['minutes'] % 60:02d}",
        "period": words.period(finding.interval),
        "close": words.instant(params["close"]),
    }
    text = (
        _("With test and back-out it takes %(hours)s h: begun with %(period)s, it ends after %(close)s.")
        if params.get("with_backout")
        else _("With test it takes %(hours)s h: begun with %(period)s, it ends after %(close)s.")
    )
    return text % values
