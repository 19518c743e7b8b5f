"""The list of conflicts, and one with what people say of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from fairway.accounts import queries as accounts
from fairway.accounts.web import caller, page
from fairway.audit.commands import execute
from fairway.changes import queries
from fairway.changes.forms import HandlingForm
from fairway.claims import queries as claims
from fairway.claims.queries import PERSON, RELATED_ITEM, SAME_ITEM, Clash
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.policy import tell
from fairway.ui import toasts

SPANS = {"month": timedelta(days=30), "quarter": timedelta(days=91), "year": timedelta(days=366)}
SHOWN = 100
ORDER = (SAME_ITEM, RELATED_ITEM, PERSON)
LINKS = {"change": "/changes/", "item": "/items/"}


@require_GET
@page
def conflicts(request: HttpRequest) -> HttpResponseBase:
    """Show the pairs of records that conflict, by rule and then by time."""
    actor = caller(request)
    accounts.require(actor, "changes.view", at=None)
    asked = {
        name: request.GET[name]
        for name in ("span", "item", "rule", "status", "owner", "all")
        if request.GET.get(name)
    }
    rule = asked.get("rule")
    if rule is not None and rule not in ORDER:
        raise Invalid.field("rule", _("There is no such rule of conflicts; there are %s.") % ", ".join(ORDER))
    status, owner = asked.get("status"), asked.get("owner")
    if status not in (None, "open", "accepted"):
        raise Invalid.field("status", _("There is no such status; there are open and accepted."))
    if owner not in (None, "me", "nobody"):
        raise Invalid.field("owner", _("There is no such owner to ask for; there are me and nobody."))
    found = claims.conflicts(
        actor, period=_period(asked.get("span", "month")), item=asked.get("item"), rule=rule
    )
    if status or owner:
        said = queries.handlings([clash.finding for clash in found])
        found = [
            clash
            for clash in found
            if _is_wanted(said.get(clash.finding.id, queries.NOT_HANDLED), actor, status, owner)
        ]
    context = {
        "groups": _groups(found, whole="all" in asked),
        "count": ngettext("%(count)s conflict", "%(count)s conflicts", len(found))
        % {"count": f"{len(found):,}"},
        "filters": _filters(asked),
        "spans": _spans(asked),
        "asked": bool(asked.keys() - {"span", "all"}),
        "everything": "?" + urlencode({**asked, "all": "1"}),
    }
    return render(request, "changes/conflicts.html", context)


def _is_wanted(said: queries.Handling, actor: Actor, status: str | None, owner: str | None) -> bool:
    holder = said.owner.uid if said.owner is not None else ""
    return status in (None, said.status) and (owner is None or holder == {"me": actor.uid}.get(owner, ""))


def _period(name: str) -> Period | None:
    """Return the span that is asked for; None: all there ever were.

    :raises Invalid: there is no such span.
    """
    if name == "ever":
        return None
    now = datetime.now(UTC)
    if name == "past":
        return Period(now - SPANS["quarter"], now)
    if name not in SPANS:
        raise Invalid.field(
            "span", _("There is no such span; there are %s.") % ", ".join([*SPANS, "past", "ever"])
        )
    return Period(now, now + SPANS[name])


def _titles() -> dict[str, str]:
    return {
        SAME_ITEM: _("On the same item"),
        RELATED_ITEM: _("Through related items"),
        PERSON: _("One person in two places"),
    }


def _groups(found: Iterable[Clash], *, whole: bool) -> list[dict[str, Any]]:
    titles = _titles()
    notes = {
        SAME_ITEM: _("both work on it in one environment at the same time"),
        RELATED_ITEM: _("if one side's item fails, that reaches the other's, in at most three steps"),
        PERSON: _("the same person is to carry out both at the same time"),
    }
    groups = []
    ordered = sorted(found, key=lambda clash: ORDER.index(clash.finding.rule))
    for rule, clashes in groupby(ordered, key=lambda clash: clash.finding.rule):
        listed = list(clashes)
        shown = listed if whole else listed[:SHOWN]
        said = queries.handlings([clash.finding for clash in shown])
        rows = [_row(clash, said.get(clash.finding.id, queries.NOT_HANDLED)) for clash in shown]
        groups.append(
            {
                "title": titles[rule],
                "note": f"{len(listed):,} · {notes[rule]}",
                "count": len(listed),
                "rows": rows,
                "left": len(listed) - len(rows),
            }
        )
    return groups


def _row(clash: Clash, said: queries.Handling) -> dict[str, Any]:
    finding = clash.finding
    told = not any(ref.hidden or ref.kind != "change" for ref in finding.parties)
    onwards = finding.params.get("reaches") == "other"
    return {
        "word": _("whose failure reaches") if onwards else _("which needs"),
        "interval": finding.interval,
        "severity": str(finding.severity),
        "one": _party(clash.one),
        "other": _party(clash.other),
        "path": [_step(ref) for ref in finding.path],
        "accepted": said.status == queries.ACCEPTED,
        "owner": said.owner.name if said.owner is not None else "",
        "reason": said.reason,
        "href": f"/conflicts/{clash.one.key}/{clash.other.key}?rule={finding.rule}" if told else "",
    }


def _step(ref: Ref) -> dict[str, str]:
    """Return what joins both sides as a path shows it: an item, or a person by name."""
    if ref.kind == "user":
        return {"key": ref.name or ref.key, "href": "", "name": ""}
    return {"key": ref.key, "href": f"/items/{ref.key}", "name": ref.name}


def _party(ref: Ref) -> dict[str, str]:
    if ref.hidden:
        return {"key": "", "name": _("another organisation"), "href": ""}
    return {
        "key": ref.key,
        "name": ref.name,
        "href": f"{LINKS[ref.kind]}{ref.key}" if ref.kind in LINKS else "",
    }


def _spans(asked: dict[str, str]) -> list[dict[str, Any]]:
    kept = {name: value for name, value in asked.items() if name != "all"}
    return [
        {
            "label": label,
            "href": "?" + urlencode({**kept, "span": name}),
            "current": asked.get("span", "month") == name,
        }
        for name, label in (
            ("past", _("Last quarter")),
            ("month", _("Next 30 days")),
            ("quarter", _("Next quarter")),
            ("year", _("Next year")),
            ("ever", _("All")),
        )
    ]


def _filters(asked: dict[str, str]) -> dict[str, Any]:
    kept = {name: value for name, value in asked.items() if name != "all"}

    def href(**changes: str) -> str:
        return "?" + urlencode({name: value for name, value in {**kept, **changes}.items() if value})

    rules = _titles()
    chips = []
    if "rule" in asked:
        chips.append({"label": _("Rule"), "value": rules[asked["rule"]], "remove": href(rule="")})
    if "item" in asked:
        chips.append({"label": _("Item"), "value": asked["item"], "remove": href(item="")})
    statuses = {"open": _("Open"), "accepted": _("May stay")}
    owners = {"me": _("Me"), "nobody": _("Nobody")}
    for name, label, words in (("status", _("Status"), statuses), ("owner", _("Owner"), owners)):
        if name in asked:
            chips.append({"label": label, "value": words[asked[name]], "remove": href(**{name: ""})})
    options = [
        {"label": label, "href": href(rule=rule), "current": asked.get("rule") == rule}
        for rule, label in rules.items()
    ]
    return {
        "q": None,
        "keep": {},
        "chips": chips,
        "add": [
            {"label": _("Rule"), "options": options},
            *(
                {
                    "label": label,
                    "options": [
                        {"label": word, "href": href(**{name: value}), "current": asked.get(name) == value}
                        for value, word in words.items()
                    ],
                }
                for name, label, words in (
                    ("status", _("Status"), statuses),
                    ("owner", _("Owner"), owners),
                )
            ),
        ],
        "clear": href(rule="", item="", status="", owner=""),
    }


@require_http_methods(["GET", "POST"])
@page
def conflict(request: HttpRequest, one: str, other: str) -> HttpResponseBase:
    """Show a conflict of two changes, with how it could be resolved, and take down how it is handled."""
    actor = caller(request)
    accounts.require(actor, "changes.view", at=None)
    rule = request.GET.get("rule", SAME_ITEM)
    if rule not in ORDER:
        raise Invalid.field("rule", _("There is no such rule of conflicts; there are %s.") % ", ".join(ORDER))
    mine, its = queries.dossier(actor, one), queries.dossier(actor, other)
    found = queries.conflict(mine, its.change, rule, at=datetime.now(UTC))
    finding = found.redacted(accounts.access(actor).sees)
    said = queries.handlings([finding]).get(finding.id, queries.NOT_HANDLED)
    may = queries.may_handle(actor, mine, its)
    people = queries.owners(actor, mine, its, also=said.owner)
    form = HandlingForm(request.POST or None, people=people, initial=HandlingForm.started(said))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                execute(form.command(mine.change.key, its.change.key, rule), actor=actor)
            except (Invalid, Conflict, Forbidden) as problem:
                status = problem.status
                for error in problem.errors:
                    form.add_error(error.field if error.field in form.fields else None, error.message)
                if not problem.errors:
                    form.add_error(None, problem.detail)
            else:
                toasts.done(request, _("It was noted how this conflict is handled."))
                return redirect(f"/conflicts?{urlencode({'rule': rule})}")
    context = {
        "title": _("Conflict of %(one)s and %(other)s") % {"one": mine.change.key, "other": its.change.key},
        "lead": "",
        "form": form if may else None,
        "submit": _("Save"),
        "cancel": "/conflicts",
        "crumbs": [{"label": _("Conflicts"), "href": "/conflicts"}],
        "told": tell(finding, accounts.words(actor)),
        "severity": str(finding.severity),
        "interval": finding.interval,
        "path": [_step(ref) for ref in finding.path],
        "word": _("whose failure reaches") if finding.params.get("reaches") == "other" else _("which needs"),
        "sides": [_side(mine), _side(its)],
        "said": said,
        "accepted": said.status == queries.ACCEPTED,
    }
    return render(request, "changes/conflict.html", context, status=status)


def _side(dossier: queries.Dossier) -> dict[str, Any]:
    change = dossier.change
    state = dossier.workflow.by_slug[change.state]
    return {
        "key": change.key,
        "title": change.title,
        "href": f"/changes/{change.key}",
        "slots": f"/changes/{change.key}/slots",
        "state": change.state,
        "state_word": state.name,
        "windows": dossier.proposal().windows,
        "started": "in_progress" in state.predicates,
    }


urlpatterns = [
    path("conflicts", conflicts, name="conflicts"),
    path("conflicts/<str:one>/<str:other>", conflict, name="conflict"),
]
