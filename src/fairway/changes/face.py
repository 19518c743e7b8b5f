"""Changes as pages show them: plain values for the templates."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from fairway.accounts import queries as accounts
from fairway.approvals import queries as approvals
from fairway.audit import queries as audit
from fairway.catalog import queries as catalog
from fairway.changes import queries
from fairway.changes.models import Change
from fairway.changes.queries import Dossier, Step
from fairway.changes.rules.waiving import waivable
from fairway.changes.words import STATES, VERBS
from fairway.environments import queries as environments
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Problem
from fairway.kernel.refs import Ref
from fairway.policy import Decision, Finding, Severity, Words, tell
from fairway.workspace import queries as workspace

MOST_FINDINGS, MOST_REACHES = 20, 20
VAGUE = gettext_lazy("Nothing to check yet: name items and a time")
HREFS = {"change": "/changes/", "window": "/windows/", "item": "/items/", "environment": "/environments/"}


# The verdict strip


def decided(
    actor: Actor, decision: Decision, *, asked: Mapping[str, Any] | None = None, change: str = ""
) -> dict[str, Any]:
    """Return the verdict strip of a decision; `asked`: the form that is being filled in.

    `change`: the key of a change for which the reader may ask for waivers.
    """
    shown = decision.redacted(accounts.access(actor).sees)
    words = accounts.words(actor)
    rows = [_finding(finding, words, change) for finding in shown.findings[:MOST_FINDINGS]]
    left = len(shown.findings) - len(rows)
    vague = asked is not None and not shown.findings and not (asked.get("windows") and asked.get("items"))
    return {
        "verdict": "unknown" if vague else str(shown.verdict),
        "headline": VAGUE if vague else _headline(shown, words),
        "note": _outlook(asked) if asked is not None else "",
        "rows": rows,
        "point_of_no_return": decision.point_of_no_return,
        "more": {"label": _("%(count)d more") % {"count": left}, "href": "/conflicts"} if left else None,
    }


def _headline(decision: Decision, words: Words) -> str:
    weights = [finding.severity for finding in decision.findings]
    blocks = sum(weight in {Severity.BLOCK, Severity.UNKNOWN} for weight in weights)
    warns = sum(weight is Severity.WARN for weight in weights)
    if blocks:
        return ngettext("Blocked by %(count)d", "Blocked by %(count)d", blocks) % {"count": blocks}
    if warns:
        text = ngettext("Possible, with %(count)d warning", "Possible, with %(count)d warnings", warns)
        return text % {"count": warns}
    if decision.next_open is not None:
        return _("Nothing stands in the way from %(at)s") % {"at": words.instant(decision.next_open)}
    return _("Nothing stands in the way")


def _outlook(asked: Mapping[str, Any] | None) -> str:
    """Return what will happen when the form is sent."""
    if asked is None or "change" in asked:
        return ""
    if asked.get("template"):
        return _("Submitting schedules it at once: its template is authorised.")
    return _("Submitting asks for one approval, by somebody who neither asks for it nor carries it out.")


def _finding(finding: Finding, words: Words, change: str = "") -> dict[str, Any]:
    ways = [
        {"label": _("See %(key)s") % {"key": party.key}, "href": _href(party)}
        for party in finding.parties[1:]
        if _href(party)
    ]
    if change and waivable(finding) and "waived" not in finding.params:
        ways.append({"label": _("Ask for a waiver"), "href": f"/changes/{change}/waive?finding={finding.id}"})
    if "waived" in finding.params:
        waived = finding.params["waived"].key
        ways.append({"label": _("See %(key)s") % {"key": waived}, "href": f"/waivers/{waived}"})
    return {
        "severity": str(finding.severity),
        "message": tell(finding, words),
        "path": [_step_of(ref) for ref in finding.path],
        "ways": ways,
    }


def _href(ref: Ref) -> str:
    return f"{HREFS[ref.kind]}{ref.key}" if ref.kind in HREFS else ""


def _step_of(ref: Ref) -> dict[str, str]:
    if ref.hidden:
        return {"key": _("another organisation"), "href": "", "name": ""}
    return {"key": ref.key, "href": _href(ref), "name": ref.name}


def unasked() -> dict[str, Any]:
    """Return the strip of a form in which nothing was filled in yet."""
    return {"verdict": "unknown", "headline": VAGUE, "rows": []}


def unclear(problem: Problem) -> dict[str, Any]:
    """Return the strip of a form that cannot be checked as it is."""
    messages = [error.message for error in problem.errors] or [problem.detail]
    return {
        "verdict": "unknown",
        "headline": _("Not checked yet"),
        "rows": [{"severity": "unknown", "message": message} for message in dict.fromkeys(messages)],
    }


def verdict(actor: Actor, dossier: Dossier, *, at: datetime) -> dict[str, Any]:
    """Return the verdict strip of a change."""
    change = dossier.change
    ahead = dossier.workflow.ahead(change.state)
    asks = ahead and accounts.access(actor).may("changes.request", change.organisation_id)
    strip = decided(actor, queries.assess_dossier(dossier, at=at), change=change.key if asks else "")
    if not ahead:
        state = str(STATES.get(change.state, change.state)).capitalize()
        strip["headline"] = f"{state}: {change.get_outcome_display()}" if change.outcome else state
        strip["note"] = change.outcome_note or change.state_reason
        strip["verdict"] = _looking_back(change)
    elif not dossier.periods(downtime=False) or not dossier.affected:
        strip["headline"] = VAGUE
        strip["verdict"] = "unknown"
    elif strip["verdict"] in {"deny", "warn"} and change.actual_start is None:
        strip["slot_src"] = f"/changes/{change.key}/next-slot"
    strip["slots"] = ahead and change.actual_start is None and bool(dossier.affected)
    told = ahead and dossier.places and "approved" in dossier.workflow.by_slug[change.state].predicates
    strip["aside"] = _("Pipelines get the same answer.") if told else ""
    return strip


def _looking_back(change: Change) -> str:
    """Return the tone of what is over: a good end, a bad one, or none worth a colour."""
    if change.state == "rejected" or change.outcome == Change.Outcome.UNSUCCESSFUL:
        return "deny"
    if change.outcome in {Change.Outcome.WITH_ISSUES, Change.Outcome.PARTIAL}:
        return "warn"
    return "allow" if change.outcome == Change.Outcome.SUCCESSFUL else "over"


# Lists


def rows(actor: Actor, found: Sequence[Mapping[str, Any]], *, at: datetime) -> list[dict[str, Any]]:
    """Return rows of a list with the places and what stands in their way."""
    with audit.steady():
        pks = [row["pk"] for row in found]
        weighed = queries.findings_of(pks, at=at)
        items, places = queries.items_of(pks), queries.environments_of(pks)
        things = catalog.facts({item for some in items.values() for item in some})
        wheres = environments.facts()
        sees = accounts.access(actor).sees
        return [
            {
                "key": f"{Change.prefix}-{row['number']}",
                "href": f"/changes/{Change.prefix}-{row['number']}",
                "title": row["title"],
                "state": "hold" if row["held_at"] or row["locked_at"] else row["state"],
                "start": row["planned_start"],
                "end": row["planned_end"],
                "item": _short([things[pk].ref for pk in items.get(row["pk"], ()) if sees(things[pk].ref)]),
                "place": ", ".join(
                    wheres[pk].ref.key for pk in places.get(row["pk"], ()) if sees(wheres[pk].ref)
                ),
                "owner": row["owner__name"] or "",
                "badge": _badge(weighed[row["pk"]]),
            }
            for row in found
        ]


def _short(refs: Sequence[Ref]) -> dict[str, Any]:
    if not refs:
        return {}
    return {"key": refs[0].key, "href": _href(refs[0]), "more": len(refs) - 1}


def _badge(findings: Sequence[Finding]) -> dict[str, Any] | None:
    """Return the worst severity and how many findings there are; None: nothing."""
    told = [finding for finding in findings if finding.severity is not Severity.INFORM]
    if not told:
        return None
    tone = "bad" if told[0].severity in {Severity.BLOCK, Severity.UNKNOWN} else "warn"
    text = ngettext("%(count)d conflict", "%(count)d conflicts", len(told)) % {"count": len(told)}
    return {"tone": tone, "count": len(told), "text": text}


# The record


def record(actor: Actor, dossier: Dossier, *, at: datetime) -> dict[str, Any]:
    """Return everything that the page of a change shows."""
    change = dossier.change
    with audit.steady():
        steps = queries.steps(actor, dossier, at=at)
        sees = accounts.access(actor).sees
        things, wheres = catalog.facts(dossier.items), environments.facts()
        places = [wheres[pk] for pk in dossier.environments]
        context: dict[str, Any] = {
            "record": {
                "key": change.key,
                "href": f"/changes/{change.key}",
                "title": change.title,
                "kind": change.template.name if change.template else change.model.name,
                "state": "hold" if change.on_hold else change.state,
                "state_word": _("on hold, %(state)s") % {"state": STATES.get(change.state, change.state)}
                if change.on_hold
                else "",
                "steps": [button for step in steps if step.enabled for button in _buttons(dossier, step)],
            },
            "change": change,
            "custom": workspace.told(actor, "change", change),
            "windows": dossier.periods(downtime=False),
            "downtime": dossier.periods(downtime=True),
            "places": [
                {**_step_of(place.ref), "control": str(place.control)} for place in places if sees(place.ref)
            ],
            "items": _items(actor, dossier, things),
            "edits": _edits(actor, dossier),
            "sees_builds": accounts.access(actor).may("catalog.view", None),
            "may_carry": queries.may_carry(actor, dossier),
            "may_propose": "edit" in {step.verb for step in steps if step.enabled}
            and not dossier.workflow.by_slug[change.state].minor,
            "may_apply": any(edit.applied_at is None for edit in dossier.edits)
            and not change.on_hold
            and dossier.workflow.is_("in_progress", change.state)
            and "complete" in {step.verb for step in steps},
            "hidden": len(queries.unseen(actor, dossier)[0]),
            "verdict": verdict(actor, dossier, at=at),
            "waiting": _waiting(actor, steps),
            "approval": _approval(dossier, at=at),
            "events": f"/activity?kind=change&subject={change.uid}",
            "texts": [
                (_("Description"), change.description),
                (_("Reason"), change.reason),
                (_("Implementation plan"), change.implementation_plan),
                (_("Test plan"), change.test_plan),
                (_("Back-out plan"), change.backout_plan),
                (_("Reason in a soft freeze"), change.freeze_reason),
            ],
            "implementers": [row.person.name for row in dossier.implementers],
            "ask": _question(actor, dossier, things, wheres),
        }
    context["texts"] = [(label, text) for label, text in context["texts"] if text]
    return context


def _items(actor: Actor, dossier: Dossier, things: Mapping[int, Any]) -> list[dict[str, Any]]:
    """Return the affected items with how far the failure of each reaches (of the first twenty)."""
    sees = accounts.access(actor).sees
    found = []
    for position, row in enumerate(dossier.affected):
        thing = things[row.item_id]
        if not sees(thing.ref):
            continue
        found.append(
            {
                "key": thing.ref.key,
                "href": _href(thing.ref),
                "name": thing.ref.name,
                "primary": row.primary,
                "criticality": thing.criticality,
                "shared": thing.shared,
                "reach": catalog.reach(actor, row.item_id) if position < MOST_REACHES else None,
                "impact": f"/items/{thing.ref.key}/impact",
            }
        )
    return found


EDITED = {
    "kind": gettext_lazy("Kind"),
    "status": gettext_lazy("Status"),
    "criticality": gettext_lazy("Criticality"),
    "shared": gettext_lazy("Shared by all environments"),
    "organisation": gettext_lazy("Organisation"),
    "archived": gettext_lazy("Archived"),
    "vendor": gettext_lazy("Vendor"),
}
"""Words for the fields of an item that a change may alter; relations and attributes have their own."""


def _edits(actor: Actor, dossier: Dossier) -> list[dict[str, Any]]:
    """Return what the change alters of items, one row for each field."""
    return [
        {
            "key": edit.item.slug,
            "href": f"/items/{edit.item.slug}",
            "field": EDITED.get(one.field, one.field.removeprefix("attributes.").removeprefix("relation.")),
            "old": _value(one.old),
            "new": _value(one.new),
            "first": position == 0,
            "applied_at": edit.applied_at,
        }
        for edit, fields in queries.edits(actor, dossier)
        for position, one in enumerate(fields)
    ]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _question(actor: Actor, dossier: Dossier, things: Mapping[int, Any], wheres: Mapping[int, Any]) -> str:
    """Return what a pipeline would ask, of the first item and environment that the actor sees."""
    sees = accounts.access(actor).sees
    items = [things[pk].ref.key for pk in dossier.items if sees(things[pk].ref)]
    places = [wheres[pk].ref.key for pk in dossier.environments if sees(wheres[pk].ref)]
    if not (items and places):
        return ""
    return f"fairway may deploy {items[0]} {places[0]} --change {dossier.change.key}"


def _approval(dossier: Dossier, *, at: datetime) -> dict[str, Any]:
    """Return where consent comes from, who gave it, and what is missing."""
    change = dossier.change
    if dossier.workflow.approval.by == "template":
        authorised = change.template is not None and change.template.authorised
        return {
            "template": change.template.name if change.template else "",
            "stages": [],
            "given": authorised,
            "fact": _("as a template") if authorised else _("template not authorised"),
            "note": _("Authorised as a template.") if authorised else _("The template is not authorised."),
        }
    told = approvals.standing(
        change.round,
        dossier.ballots,
        digest=change.digest,
        parties=[change.requester_id, *dossier.people],
        at=at,
    )
    quorum = told.policy.quorum if told is not None else dossier.workflow.approval.quorum
    missing = told.missing if told is not None else quorum
    votes = [_vote(vote, change) for vote in approvals.votes(str(change.uid))]
    needed = ngettext("%(count)d approval", "%(count)d approvals", quorum) % {"count": quorum}
    note = _("Takes %(needed)s by somebody who neither asks for it nor carries it out.") % {"needed": needed}
    fact = ngettext("%(count)d missing", "%(count)d missing", missing) % {"count": missing}
    if told is not None and told.given:
        note, fact = _("Approved."), _("given")
    elif told is not None and told.refused:
        note, fact = _("Rejected."), _("refused")
    return {
        "template": "",
        "stages": votes,
        "given": told is not None and told.given,
        "missing": missing,
        "fact": fact,
        "note": note,
    }


def _vote(vote: Mapping[str, Any], change: Change) -> dict[str, Any]:
    stale = vote["digest"] != change.digest or vote["round_id"] != change.round_id
    approved = vote["choice"] == "approve"
    word = _("approved") if approved else _("rejected")
    return {
        "label": _("%(voter)s for %(other)s") % {"voter": vote["voter__name"], "other": vote["instead__name"]}
        if vote["instead__name"]
        else vote["voter__name"],
        "note": vote["comment"],
        "value": _("%(word)s, of other content") % {"word": word} if stale else word,
        "at": vote["cast_at"],
        "mark": "" if stale else "done" if approved else "bad",
    }


def _waiting(actor: Actor, steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Return the steps that are for the actor but refused now, each with why."""
    sees = accounts.access(actor).sees
    words = accounts.words(actor)
    return [
        {
            "label": str(VERBS[step.verb].label).rstrip("…"),
            "why": tell(step.why_not[0].redacted(sees), words),
        }
        for step in steps
        if not step.enabled
    ]


ORDER = ("vote", "submit", "start", "complete", "close", "resume", "edit", "return", "hold", "cancel")


def _buttons(dossier: Dossier, step: Step) -> list[dict[str, Any]]:
    """Return the buttons of a step: none where another one leads there as well."""
    change, verb = dossier.change, VERBS[step.verb]
    href = f"/changes/{change.key}"
    fields: dict[str, Any] = {"version": change.version}
    button = {"name": step.verb, "label": str(verb.label), "url": f"{href}/{step.verb}", "fields": fields}
    if step.verb == "reschedule":
        return []
    if step.verb == "edit":
        return [{"name": "edit", "label": str(verb.label), "href": f"{href}/edit"}]
    if step.verb == "complete":
        return [{"name": "complete", "label": str(verb.label), "href": f"{href}/finish"}]
    if step.verb == "vote":
        return _voting(change, href)
    if "reason" in step.asks:
        ask = {
            "title": str(verb.title),
            "text": "",
            "name": "reason",
            "label": str(verb.asks),
            "required": True,
        }
        tone = "danger" if step.verb == "cancel" else ""
        return [{**button, "ask": ask, "tone": tone}]
    return [button]


def _voting(change: Change, href: str) -> list[dict[str, Any]]:
    fields = {"version": change.version, "digest": change.digest}
    ask = {
        "title": _("Reject %(key)s?") % {"key": change.key},
        "text": _("It ends here; whoever asked for it is told why."),
        "name": "comment",
        "label": _("Why"),
        "required": True,
    }
    return [
        {
            "name": "approve",
            "label": _("Approve"),
            "url": f"{href}/vote",
            "fields": {**fields, "choice": "approve"},
        },
        {
            "name": "reject",
            "label": _("Reject…"),
            "url": f"{href}/vote",
            "tone": "danger",
            "fields": {**fields, "choice": "reject"},
            "ask": ask,
        },
    ]
