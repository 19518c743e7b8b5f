"""The past of a record as pages: its events with their difference, as it was, two instants compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from fairway.accounts import history
from fairway.accounts.web import caller, page
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid
from fairway.kernel.period import parse_instant
from fairway.workspace import queries
from fairway.workspace.rules.past import ERASED, State, differences
from fairway.workspace.rules.wording import GONE, NEW, SAME, difference

ROWS, LONG, CONTEXT = 50, 60, 160
MODES = ("events", "then", "compare")


@require_GET
@page
def past(request: HttpRequest, kind: str, key: str) -> HttpResponseBase:
    """Show a record's history; with `at` as it was then, with `from` and `to` what differs."""
    actor = caller(request)
    found = queries.past(actor, kind, key)
    here = f"/history/{kind}/{found.record.key}"
    if key != found.record.key:
        return redirect(f"{here}?{request.GET.urlencode()}" if request.GET else here)
    mode = "then" if "at" in request.GET else "compare" if "from" in request.GET else "events"
    context: dict[str, Any] = {
        "record": found.record,
        "title": str(getattr(found.record, "title", "") or found.record.label),
        "back": queries.kind_of(kind).href(found.record.key),
        "kind": queries.kind_of(kind).label,
        "resource": queries.kind_of(kind).resource,
        "here": here,
        "mode": mode,
        "tabs": _tabs(here, mode, found, actor),
    }
    if mode == "then":
        context |= _then(request, actor, found)
    elif mode == "compare":
        context |= _compared(request, actor, found)
    else:
        context |= _events(request, actor, found)
    return render(request, "workspace/history.html", context)


def _tabs(here: str, mode: str, found: queries.Past, actor: Actor) -> list[dict[str, Any]]:
    first = datetime.fromisoformat(found.events[0]["at"]) if found.events else datetime.now(UTC)
    start = _local(first, actor)
    hrefs = {
        "events": here,
        "then": f"{here}?{urlencode({'at': _local(datetime.now(UTC), actor)})}",
        "compare": f"{here}?{urlencode({'from': start, 'to': ''})}",
    }
    labels = {"events": _("What happened"), "then": _("As it was"), "compare": _("Compare")}
    return [
        {"label": labels[name], "href": hrefs[name], "current": name == mode, "count": None} for name in MODES
    ]


def _local(at: datetime, actor: Actor) -> str:
    """Return an instant as a field for date and time takes it, in the reader's zone."""
    return at.astimezone(ZoneInfo(actor.zone)).strftime("%Y-%m-%dT%H:%M:%S")


def _instant(request: HttpRequest, name: str, actor: Actor) -> datetime | None:
    """Return the instant that a parameter names, with an offset or in the reader's zone; None: now."""
    text = request.GET.get(name, "").strip()
    if not text:
        return None
    try:
        given = datetime.fromisoformat(text)
        if given.tzinfo is None:
            return given.replace(tzinfo=ZoneInfo(actor.zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    return parse_instant(text, field=name)


# What happened


def _events(request: HttpRequest, actor: Actor, found: queries.Past) -> dict[str, Any]:
    wanted, before = request.GET.get("field", "")[:80], request.GET.get("cursor", "")
    if before and not (before.isascii() and before.isdigit() and len(before) <= 18):
        raise Invalid.field("cursor", _("This is not the number of an event."))
    shown = found.shown()
    events = [
        event
        for event in shown
        if (not before or event["sequence"] < int(before))
        and (not wanted or any(wanted in row["changes"] for row in event["rows"]))
    ]
    rows = events[:ROWS]
    teller = history.Teller(
        actor,
        [row for event in rows for row in event["rows"]],
        now=datetime.now(UTC),
        people=_people(rows),
    )
    own = str(found.record.uid)
    labels = dict(teller.columns(found.model))
    changed = {
        name for event in shown for row in event["rows"] if row["uid"] == own for name in row["changes"]
    }

    def href(field: str) -> str:
        return f"?{urlencode({'field': field})}" if field else "?"

    return {
        "events": [_event(event, found, teller, wanted) for event in rows],
        "next": str(rows[-1]["sequence"]) if len(events) > ROWS else None,
        "filters": {
            "q": None,
            "chips": [{"label": _("Field"), "value": labels.get(wanted, wanted), "remove": "?"}]
            if wanted
            else [],
            "clear": "?",
            "add": [
                {
                    "label": _("Field"),
                    "options": [
                        {"label": label, "href": href(name), "current": name == wanted}
                        for name, label in sorted(labels.items(), key=lambda pair: pair[1])
                        if name in changed
                    ],
                }
            ],
        },
        "count": ngettext("%(count)s event", "%(count)s events", len(events)) % {"count": len(events)},
    }


def _people(events: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the uids of those who did something, and on whose behalf."""
    named = {event["actor"]["uid"] for event in events}
    return named | {event["on_behalf_of"] for event in events if event["on_behalf_of"]}


def _event(
    event: Mapping[str, Any], found: queries.Past, teller: history.Teller, wanted: str
) -> dict[str, Any]:
    changes: list[dict[str, Any]] = []
    for row in event["rows"]:
        if row["model"] not in {found.model, *found.parts}:
            continue
        own = row["model"] == found.model
        if own and row["action"] == "create":
            continue  # what it began with is told by the record as it was then
        changes += _row(row, teller, wanted if own else "", own, str(found.record.uid))
    return {
        "sequence": event["sequence"],
        "at": datetime.fromisoformat(event["at"]),
        "then": urlencode({"at": event["at"]}),
        "who": teller.who(event["actor"]["uid"]),
        "behalf": teller.who(event["on_behalf_of"]) if event["on_behalf_of"] else "",
        "text": history.deed(event["command"], event["subject"]["kind"] if event["subject"] else ""),
        "command": event["command"],
        "note": " ".join(
            str(event["data"][name]) for name in ("comment", "reason") if event["data"].get(name)
        ),
        "changes": changes,
    }


def _line(model: str, columns: Mapping[str, Any], teller: history.Teller, record: str) -> str:
    """Return a part of a record in one line: its columns in their order, a yes as the column's name."""
    told = []
    for name, label in teller.columns(model):
        value = columns.get(name)
        if value is True:
            told.append(label.lower())
        elif value not in (None, False, record):
            told.append(teller.value(model, name, value))
    return ", ".join(filter(None, told))


def _row(
    row: Mapping[str, Any], teller: history.Teller, wanted: str, own: bool, record: str
) -> list[dict[str, Any]]:
    """Return what a row changed, column by column; a part that came or went in one line."""
    labels = dict(teller.columns(row["model"]))
    pairs = [(name, pair) for name, pair in row["changes"].items() if name in labels]
    if not own and row["action"] in {"create", "remove"}:
        side = 1 if row["action"] == "create" else 0
        line = _line(row["model"], {name: pair[side] for name, pair in pairs}, teller, record)
        return [{"field": teller.kind(row["model"]), "parts": [(NEW if side else GONE, line)]}]
    found = [
        {
            "field": labels[name],
            "parts": _parts(*(teller.value(row["model"], name, value) for value in pair)),
        }
        for name, pair in pairs
        if not wanted or name == wanted
    ]
    if row["erased"]:
        found.append({"field": "", "parts": [(SAME, _("words that were erased since"))]})
    return found


def _parts(before: str, after: str) -> list[tuple[str, str]]:
    """Return the difference of two values: short ones whole, long ones word by word, what stays shortened."""
    if len(before) <= LONG and len(after) <= LONG:
        return [part for part in ((GONE, before), (NEW, after)) if part[1]] or [(NEW, "–")]
    parts = difference(before, after)
    return [
        (kind, f"{words[: CONTEXT // 2]} … {words[-CONTEXT // 2 :]}")
        if kind == SAME and len(words) > CONTEXT
        else (kind, words)
        for kind, words in parts
    ]


# As it was


def _then(request: HttpRequest, actor: Actor, found: queries.Past) -> dict[str, Any]:
    now = datetime.now(UTC)
    at = _instant(request, "at", actor) or now
    state = found.state(at)
    return {
        "at": at,
        "at_field": _local(at, actor),
        "last": datetime.fromisoformat(state.at),
        "sequence": state.sequence,
        **_told(found, state, actor, now),
    }


def _told(found: queries.Past, state: State, actor: Actor, now: datetime) -> dict[str, Any]:
    own = (found.model, str(found.record.uid))
    rows = [
        {"model": model, "uid": uid, "changes": {name: [value] for name, value in columns.items()}}
        for (model, uid), columns in state.rows.items()
    ]
    teller = history.Teller(actor, rows, now=now)
    values = []
    for name, label in teller.columns(found.model):
        if name in state.rows[own]:
            value = state.rows[own][name]
            erased = value == ERASED
            text = "" if erased else teller.value(found.model, name, value)
            if erased or text:
                values.append({"label": label, "text": text, "erased": erased})
    for name, value in (state.rows[own].get("custom") or {}).items():
        values.append({"label": name, "text": str(value), "erased": False})
    parts: dict[str, list[str]] = {}
    for (model, uid), columns in state.rows.items():
        if (model, uid) != own:
            line = _line(model, columns, teller, own[1])
            parts.setdefault(teller.kind(model), []).append(line)
    return {"values": values, "parts": parts}


# Compare


def _compared(request: HttpRequest, actor: Actor, found: queries.Past) -> dict[str, Any]:
    now = datetime.now(UTC)
    start, to = (_instant(request, name, actor) for name in ("from", "to"))
    before, after = found.state(start), found.state(to)
    differing = differences(before, after)
    rows = [
        {"model": one.model, "uid": one.uid, "changes": {one.column: [one.before, one.after]}}
        for one in differing
    ]
    teller = history.Teller(actor, rows, now=now)
    own = str(found.record.uid)
    changes: list[dict[str, Any]] = []
    whole: dict[tuple[str, str, str], list[str]] = {}
    for one in differing:
        labels = dict(teller.columns(one.model))
        if one.column not in labels or own in (one.before, one.after):
            continue
        there = [(one.model, one.uid) in state.rows for state in (before, after)]
        pair = [
            _("erased") if value == ERASED else teller.value(one.model, one.column, value)
            for value in (one.before, one.after)
        ]
        if one.uid != own and not all(there):
            side = 1 if there[1] else 0
            whole.setdefault((one.model, one.uid, NEW if side else GONE), []).append(pair[side])
        else:
            changes.append({"field": labels[one.column], "parts": _parts(*pair)})
    for (model, _uid, kind), told in whole.items():
        changes.append({"field": teller.kind(model), "parts": [(kind, ", ".join(filter(None, told)))]})
    return {
        "from_field": _local(start, actor) if start else "",
        "to_field": _local(to, actor) if to else "",
        "start": start or now,
        "to": to or now,
        "changes": changes,
    }


urlpatterns = [path("history/<str:kind>/<str:key>", past, name="history")]
