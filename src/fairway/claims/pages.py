"""The page of conflicts, and a panel of them for other pages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from fairway.accounts import queries as accounts
from fairway.accounts.web import caller, page
from fairway.claims import queries
from fairway.claims.queries import PERSON, RELATED_ITEM, SAME_ITEM, Clash
from fairway.kernel.errors import Invalid
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref

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
    asked = {name: request.GET[name] for name in ("span", "item", "rule", "all") if request.GET.get(name)}
    rule = asked.get("rule")
    if rule is not None and rule not in ORDER:
        raise Invalid.field("rule", _("There is no such rule of conflicts; there are %s.") % ", ".join(ORDER))
    found = queries.conflicts(
        actor, period=_period(asked.get("span", "month")), item=asked.get("item"), rule=rule
    )
    context = {
        "groups": _groups(found, whole="all" in asked),
        "count": ngettext("%(count)s conflict", "%(count)s conflicts", len(found))
        % {"count": f"{len(found):,}"},
        "filters": _filters(asked),
        "spans": _spans(asked),
        "asked": bool(asked.keys() - {"span", "all"}),
        "everything": "?" + urlencode({**asked, "all": "1"}),
    }
    return render(request, "claims/conflicts.html", context)


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
        rows = [_row(clash) for clash in (listed if whole else listed[:SHOWN])]
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


def _row(clash: Clash) -> dict[str, Any]:
    finding = clash.finding
    onwards = finding.params.get("reaches") == "other"
    return {
        "word": _("whose failure reaches") if onwards else _("which needs"),
        "interval": finding.interval,
        "severity": str(finding.severity),
        "one": _party(clash.one),
        "other": _party(clash.other),
        "path": [_step(ref) for ref in finding.path],
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
    options = [
        {"label": label, "href": href(rule=rule), "current": asked.get("rule") == rule}
        for rule, label in rules.items()
    ]
    return {
        "q": None,
        "keep": {},
        "chips": chips,
        "add": [{"label": _("Rule"), "options": options}],
        "clear": href(rule="", item=""),
    }


urlpatterns = [path("conflicts", conflicts, name="conflicts")]
