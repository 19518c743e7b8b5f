"""The style guide: every part of the page kit with made-up values, and a plan of any size."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from fairway.ui import context, icons, toasts
from fairway.ui.forms import KeysField, WindowsField

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)

SYSTEMS = (
    ("payments-api", "Payments API"),
    ("ledger-db", "Ledger database"),
    ("fraud-rules", "Fraud rules"),
    ("decision-cache", "Decision cache"),
    ("card-switch", "Card switch"),
    ("mobile-bff", "Mobile gateway"),
    ("web-bank", "Web banking"),
    ("identity", "Identity provider"),
    ("statement-run", "Statement run"),
    ("core-network", "Core network"),
    ("sepa-gate", "SEPA gateway"),
    ("risk-engine", "Risk engine"),
)
GROUPS = ("Retail Bank", "Payments", "Risk and Fraud", "Shared platforms")
WORK = (
    "new fraud check in the authorisation path",
    "rotate certificates",
    "raise connection limits",
    "patch to the supported release",
    "move to the new storage class",
    "switch on instant payments",
    "rebuild indexes",
    "retire the old endpoint",
)
STRENGTHS = (
    ("draft", "tentative"),
    ("submitted", "requested"),
    ("authorising", "requested"),
    ("scheduled", "approved"),
    ("scheduled", "approved"),
)


def plan(
    *, first: datetime, last: datetime, lanes: int = 24, bars: int = 220, seed: int = 7, now: datetime = NOW
) -> dict[str, Any]:
    """Return what a timeline shows over [first, last): made-up lanes, bars and shades, alike by seed.

    Bars lie in a fixed stretch around `now`, so answers for neighbouring spans agree; instants in UTC.
    """
    dice = random.Random(seed)  # noqa: S311 - a picture, not a secret
    begin, days = now - timedelta(days=120), 240
    rows = []
    for number in range(lanes):
        key, name = SYSTEMS[number % len(SYSTEMS)]
        more = "" if number < len(SYSTEMS) else f"-{number // len(SYSTEMS) + 1}"
        rows.append(
            {
                "key": key + more,
                "name": name + more.replace("-", " "),
                "group": GROUPS[number * len(GROUPS) // lanes],
                "href": f"/items/{key}{more}",
                "note": f"criticality {1 + number % 4}",
            }
        )
    found: list[dict[str, Any]] = []
    for number in range(bars):
        lane = rows[dice.randrange(lanes)]
        start = begin + timedelta(minutes=15 * dice.randrange(days * 96))
        length = timedelta(minutes=30 * dice.choice((2, 3, 4, 4, 6, 8, 12, 48, 96)))
        kind = dice.choice(("change",) * 8 + ("booking", "release", "outage"))
        if kind == "booking":
            length = timedelta(days=dice.randrange(2, 9))
        state, strength = dice.choice(STRENGTHS)
        if start + length <= now:
            state, strength = "closed", "done"
        elif start <= now:
            state, strength = "implementing", "active"
        found.append(
            {
                "id": f"CHG-{1000 + number}/0/{lane['key']}",
                "key": f"CHG-{1000 + number}",
                "lane": lane["key"],
                "title": f"{lane['name']}: {dice.choice(WORK)}",
                "start": _iso(start),
                "end": _iso(start + length),
                "kind": kind,
                "state": state,
                "strength": strength,
                "href": f"/styleguide/record?key=CHG-{1000 + number}",
                "place": dice.choice(("prod", "prod", "uat1", "sit2")),
                "conflicts": [],
            }
        )
    _clash(found, now)
    keys = [row["key"] for row in rows]
    shades = [
        _shade(
            "hard_freeze",
            "Month-end freeze",
            now + timedelta(days=7, hours=6),
            timedelta(days=3),
            keys[: max(2, lanes // 3)],
        ),
        _shade("soft_freeze", "Peak season", now + timedelta(days=18), timedelta(days=9), None),
    ]
    shades += [
        _shade(
            "maintenance",
            "Weekly maintenance",
            datetime(2026, 7, 29, 21, tzinfo=UTC) + timedelta(weeks=week),
            timedelta(hours=5),
            keys,
        )
        for week in range(34)
    ]
    inside = _iso(first), _iso(last)
    return {
        "from": inside[0],
        "to": inside[1],
        "lanes": rows,
        "bars": [bar for bar in found if bar["start"] < inside[1] and bar["end"] > inside[0]],
        "shades": [shade for shade in shades if shade["start"] < inside[1] and shade["end"] > inside[0]],
    }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _shade(kind: str, name: str, start: datetime, span: timedelta, lanes: list[str] | None) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": name,
        "start": _iso(start),
        "end": _iso(start + span),
        "lanes": lanes,
        "href": "/styleguide",
    }


def _clash(bars: list[dict[str, Any]], now: datetime) -> None:
    """Say of overlapping bars on one lane, and of some on different lanes, that they clash."""
    changes = sorted(
        (bar for bar in bars if bar["kind"] == "change" and bar["end"] > _iso(now)),
        key=lambda bar: bar["start"],
    )
    for number, one in enumerate(changes):
        for other in changes[number + 1 : number + 9]:
            if other["start"] >= one["end"]:
                break
            same = one["lane"] == other["lane"]
            if not same and (number % 4 or one["place"] != other["place"]):
                continue
            overlap = {"start": other["start"], "end": min(one["end"], other["end"])}
            for mine, theirs in ((one, other), (other, one)):
                text = (
                    f"{theirs['key']} works on {mine['lane']} in {theirs['place']} at the same time."
                    if same
                    else f"{theirs['key']} works on {theirs['lane']} in {theirs['place']} at the same time; "
                    f"{one['lane']} depends on it."
                )
                mine["conflicts"].append(
                    {
                        "rule": "claims.same_item" if same else "claims.related_item",
                        "severity": "block" if same else "warn",
                        "message": text,
                        "other": theirs["key"],
                        "path": [one["lane"]] if same else [one["lane"], other["lane"]],
                        **overlap,
                    }
                )


VERDICT: dict[str, Any] = {
    "verdict": "deny",
    "headline": "Not yet: 1 blocks, 2 warn.",
    "note": "Next free slot Wed 25 Nov 20:30-22:30",
    "aside": "The pipeline gets the same answer",
    "actions": [{"label": "Take it", "url": "/styleguide"}, {"label": "More slots", "href": "#slots"}],
    "rows": [
        {
            "severity": "block",
            "message": "Approval by Payments CAB is missing; the next meeting is today 15:00, item 4 of 9.",
            "ways": [{"label": "Ask for approval now", "url": "/styleguide"}],
        },
        {
            "severity": "warn",
            "message": "CHG-1051 works on ledger-db in prod Tue 24 Nov 22:00-23:10 GMT; "
            "payments-api depends on it.",
            "path": [{"key": "payments-api", "href": "#"}, {"key": "ledger-db", "href": "#"}],
            "ways": [{"label": "See CHG-1051", "href": "#"}, {"label": "Accept", "url": "/styleguide"}],
        },
        {
            "severity": "warn",
            "message": "Back-out (40 min) fits only until 22:50: the point of no return.",
            "ways": [{"label": "See the clock", "href": "#"}],
        },
        {
            "severity": "unknown",
            "message": "The calendar of Card switch could not be read; nothing is known of its freezes.",
        },
        {"severity": "inform", "message": "Maintenance window Weekly maintenance covers the whole of it."},
    ],
}
VERDICTS = [
    {
        "verdict": "allow",
        "headline": "Allowed from Tue 24 Nov 21:00 GMT.",
        "aside": "Closes Tue 23:30",
        "id": "verdict-allow",
    },
    {
        "verdict": "warn",
        "headline": "Allowed, with 1 warning.",
        "id": "verdict-warn",
        "rows": [
            {
                "severity": "warn",
                "message": "Peak season (soft freeze) covers prod until Mon 4 Jan 2027 08:00 GMT.",
            }
        ],
    },
    VERDICT,
]

ACTIVITY: list[dict[str, Any]] = [
    {
        "who": "Mara Owens",
        "text": "approved",
        "at": NOW - timedelta(hours=5),
        "note": "Fine with me, as long as the cache is warm.",
    },
    {"who": "Risk", "text": "rose from low to moderate", "at": NOW - timedelta(hours=6), "href": "#"},
    {
        "who": "Payments lead",
        "text": "changed the plan",
        "at": NOW - timedelta(days=1),
        "changes": [{"field": "Start", "old": "Tue 24 Nov 21:00", "new": "Tue 24 Nov 21:30"}],
    },
    {"who": "Pipeline", "text": "asked: denied, approval missing", "at": NOW - timedelta(days=2)},
]
STAGES = [
    {"label": "Peer", "value": "1 of 1", "note": "reviewer, yesterday 16:12", "mark": "done"},
    {"label": "Service owner", "value": "1 of 1", "note": "owner, today 09:40", "mark": "done"},
    {"label": "Payments CAB", "value": "0 of 2", "note": "today 15:00, you are a member", "mark": "current"},
]
STATES = (*icons.STATES, "live")


class ExampleForm(forms.Form):
    """One field of each kind."""

    title = forms.CharField(
        max_length=200, help_text="What a colleague would search for: the system and what happens to it."
    )
    model = forms.ChoiceField(
        label="Kind of change", choices=[("normal", "Normal"), ("standard", "Standard")]
    )
    items = KeysField(url="/styleguide/pick", label="Affected items", names={"payments-api": "Payments API"})
    owner = KeysField(url="/styleguide/pick", multiple=False, required=False)
    windows = WindowsField(
        label="Planned windows", help_text="When work may be going on, with the time to back out."
    )
    touch = forms.ChoiceField(
        choices=[("code", "Code"), ("configuration", "Configuration"), ("restart", "Restart")],
        widget=forms.RadioSelect,
        initial="code",
    )
    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 4}), required=False)
    outage = forms.BooleanField(label="Users will notice an outage", required=False)


def _page(request: HttpRequest, template: str, **values: Any) -> HttpResponse:
    zone = request.GET.get("zone", "Europe/London")
    shell = {
        "person": {"name": "Mara Owens", "initials": "MO", "note": "Change manager, Retail Bank"},
        "organisation": {
            "name": "Retail Bank",
            "options": [
                {"name": "Harbour Group", "href": "?org=group", "depth": 0},
                {"name": "Retail Bank", "href": "?org=retail", "depth": 1, "current": True},
                {"name": "Payments", "href": "?org=payments", "depth": 2},
            ],
        },
        "new": [{"label": "Change", "href": "/styleguide/form"}],
        "search": "/styleguide/list",
        "profile": "#profile",
        "sign_out": "/styleguide/signin",
    }
    hrefs = {
        "calendar": "/styleguide/timeline",
        "changes": "/styleguide/list",
        "environments": "/styleguide/record",
        "work": "/styleguide#",
    }
    nav = context.rail(request.path, counts={"work": 3}, hrefs=hrefs)
    return render(request, template, {"zone": zone, "shell": shell, "nav": nav, "now": NOW, **values})


def _form() -> ExampleForm:
    start = NOW.replace(hour=21, minute=30) + timedelta(days=1)
    initial = {
        "items": ["payments-api", "fraud-rules"],
        "windows": [(start, start + timedelta(hours=2))],
        "title": "Payments API 2.3",
    }
    form = ExampleForm(initial=initial)
    form.fields["windows"].zone = "Europe/London"  # type: ignore[attr-defined]
    return form


def _rows(number: int = 40) -> list[dict[str, Any]]:
    bars = plan(first=NOW - timedelta(days=20), last=NOW + timedelta(days=60), bars=number * 4)["bars"][
        :number
    ]
    return [
        {
            **bar,
            "first": datetime.fromisoformat(bar["start"]),
            "last": datetime.fromisoformat(bar["end"]),
            "severity": bar["conflicts"][0]["severity"] if bar["conflicts"] else "",
            "count": len(bar["conflicts"]),
        }
        for bar in bars
    ]


def show(request: HttpRequest) -> HttpResponse:
    """Show every component."""
    empty = ExampleForm({"title": "", "windows-start": "2026-11-24T22:00", "windows-end": "2026-11-24T21:00"})
    return _page(
        request,
        "ui/styleguide.html",
        states=STATES,
        verdicts=VERDICTS,
        activity=ACTIVITY,
        stages=STAGES,
        form=_form(),
        wrong=empty,
        rows=_rows(6),
        start=NOW + timedelta(days=1, hours=7),
        end=NOW + timedelta(days=1, hours=9),
        tabs=[
            {"label": "All", "href": "#", "count": 218, "current": True},
            {"label": "Mine", "href": "#", "count": 4},
        ],
        segments=[{"label": "Items", "href": "#", "current": True}, {"label": "Environments", "href": "#"}],
        filters=FILTERS,
        span=timedelta(hours=2, minutes=30),
        path_steps=[{"key": "payments-api", "href": "#"}, "ledger-db", "core-network"],
    )


FILTERS = {
    "q": "",
    "chips": [
        {"label": "State", "value": "Scheduled", "remove": "?"},
        {"label": "Item", "value": "payments-api", "remove": "?"},
    ],
    "add": [
        {
            "label": "State",
            "options": [
                {"label": "Draft", "href": "?"},
                {"label": "Scheduled", "href": "?", "current": True},
            ],
        },
        {"label": "Environment", "options": [{"label": "prod", "href": "?"}, {"label": "uat1", "href": "?"}]},
    ],
    "clear": "?",
}


def record(request: HttpRequest) -> HttpResponse:
    """Show a record page."""
    toasts.done(request, "CHG-1042 was moved by 30 min.", undo="/styleguide")
    steps = [
        {"name": "approve", "label": "Approve", "url": "/styleguide"},
        {
            "name": "reject",
            "label": "Reject…",
            "url": "/styleguide",
            "tone": "danger",
            "ask": {
                "title": "Reject CHG-1042?",
                "text": "The requester is told.",
                "name": "comment",
                "label": "Why",
                "submit": "Reject",
                "required": True,
            },
        },
        {"name": "edit", "label": "Edit", "href": "/styleguide/form"},
    ]
    return _page(
        request,
        "ui/styleguide_record.html",
        record={
            "key": "CHG-1042",
            "href": "/styleguide/record",
            "title": "Payments API 2.3: new fraud check in the authorisation path",
            "kind": "Normal change",
            "state": "authorising",
            "steps": steps,
        },
        verdict=VERDICT,
        activity=ACTIVITY,
        stages=STAGES,
        start=NOW.replace(hour=21, minute=30) + timedelta(days=1),
        end=NOW.replace(hour=23, minute=30) + timedelta(days=1),
    )


def form(request: HttpRequest) -> HttpResponse:
    """Show a form, blank or as it was sent."""
    shown = ExampleForm(request.POST) if request.method == "POST" else _form()
    return _page(
        request,
        "ui/styleguide_form.html",
        title="New change",
        lead="Say what happens to what, where and when. What stands in the way is shown while you type.",
        form=shown,
        submit="Save draft",
        cancel="/styleguide/list",
        outcome="Needs approval by Payments CAB, next meeting Thu 14:00.",
        crumbs=[{"label": "Changes", "href": "/styleguide/list"}],
    )


def table(request: HttpRequest) -> HttpResponse:
    """Show a list with filters and more rows on scroll."""
    page = int(request.GET.get("cursor", "1"))
    return _page(
        request,
        "ui/styleguide_list.html",
        rows=_rows(50),
        next=str(page + 1) if page < 4 else None,
        sort=request.GET.get("sort", "planned_start"),
        filters=FILTERS,
        tabs=[
            {"label": "All", "href": "#", "count": 218, "current": True},
            {"label": "Mine", "href": "#", "count": 4},
        ],
    )


def timeline(request: HttpRequest) -> HttpResponse:
    """Show the timeline; `lanes` and `bars` say how large a plan."""
    lanes, bars = int(request.GET.get("lanes", "24")), int(request.GET.get("bars", "400"))
    return _page(
        request,
        "ui/styleguide_timeline.html",
        src=f"/styleguide/calendar.json?lanes={lanes}&bars={bars}"
        + ("&fail=1" if "fail" in request.GET else ""),
        span=request.GET.get("span", "month"),
    )


def calendar(request: HttpRequest) -> JsonResponse:
    """Answer the timeline's question."""
    if "fail" in request.GET:
        return JsonResponse(
            {"title": "No answer", "detail": "The plan cannot be read at the moment. Try again."}, status=503
        )
    given = {name: datetime.fromisoformat(request.GET[name]) for name in ("from", "to")}
    lanes, bars = int(request.GET.get("lanes", "24")), int(request.GET.get("bars", "400"))
    return JsonResponse(plan(first=given["from"], last=given["to"], lanes=lanes, bars=bars))


def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the sign-in page."""

    class SignIn(forms.Form):
        name = forms.CharField(label="Name or e-mail")
        password = forms.CharField(widget=forms.PasswordInput)

    return _page(
        request,
        "ui/signin.html",
        form=SignIn(request.POST or None),
        lead="Change, release and environment management.",
    )


def error(request: HttpRequest) -> HttpResponse:
    """Show an error page."""
    return render(request, "404.html", status=404)


def pick(request: HttpRequest) -> JsonResponse:
    """Answer a picker."""
    asked = request.GET.get("q", "").lower()
    found = [{"key": key, "name": name} for key, name in SYSTEMS if asked in key or asked in name.lower()]
    return JsonResponse({"items": found[:20]})


def verdict(request: HttpRequest) -> HttpResponse:
    """Answer the verdict strip alone."""
    shown = VERDICTS[2] if "ledger-db" in request.POST.getlist("items") else VERDICTS[1]
    return render(request, "ui/verdict.html", {"verdict": shown})
