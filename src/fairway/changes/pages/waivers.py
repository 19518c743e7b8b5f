"""Pages of waivers: the list, one with what was decided, and the form that asks for one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import queries as accounts
from fairway.accounts.web import caller, page
from fairway.audit.commands import Command, convert, execute
from fairway.calendars import queries as calendars
from fairway.changes import commands, queries
from fairway.changes.models import Change, Waiver
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid, NotFound
from fairway.policy import rule_words, tell
from fairway.ui import toasts

TONES = {"requested": "info", "granted": "ok", "used": "ok", "refused": "bad", "revoked": "bad"}
MARKS = {"requested": "submitted", "granted": "active", "used": "active", "refused": "rejected"}
HREFS = {"window": "/windows/", "change": "/changes/", "item": "/items/"}


class WaiverForm(forms.Form):
    """Asks that one finding be let pass."""

    aliases: ClassVar[dict[str, str]] = {"finding": "reason"}
    reason = forms.CharField(
        label=gettext_lazy("Why it has to be done all the same"), widget=forms.Textarea(attrs={"rows": 4})
    )


def _reader(request: HttpRequest) -> Actor:
    actor = caller(request)
    accounts.require(actor, "changes.view", at=None)
    return actor


def _href(kind: str, key: str) -> str:
    return f"{HREFS[kind]}{key}" if kind in HREFS else ""


def _state(state: str) -> str:
    return _("Expired") if state == "expired" else str(Waiver.State(state).label)


@require_GET
@page
def waivers(request: HttpRequest) -> HttpResponseBase:
    """List waivers: by default those that wait to be decided, by who reads where they may."""
    actor = _reader(request)
    decides = queries.decides(actor)
    mine = queries.to_decide(actor) if decides else None
    tab = request.GET.get("tab", "mine" if decides else "waiting")
    asked = {"state": Waiver.State.REQUESTED} if tab in {"waiting", "mine"} else {}
    given = {name: request.GET[name] for name in ("cursor", "sort", "q") if request.GET.get(name)}
    query = convert({**asked, **given, "count": True}, queries.WaiverQuery)
    found = queries.waiver_page(actor, query, mine=tab == "mine")
    now = datetime.now(UTC)
    rows = [
        {
            "key": f"{Waiver.prefix}-{row['number']}",
            "href": f"/waivers/{Waiver.prefix}-{row['number']}",
            "change": f"{Change.prefix}-{row['change__number']}",
            "change_href": f"/changes/{Change.prefix}-{row['change__number']}",
            "title": row["change__title"],
            "rule": rule_words(row["rule"]),
            "other": row["other_key"],
            "other_href": _href(row["other_kind"], row["other_key"]),
            "starts_at": row["starts_at"],
            "ends_at": row["ends_at"],
            "expires_at": row["expires_at"],
            "by": row["requested_by__name"] or "",
            "state": _state(_told_state(row, now)),
            "tone": TONES.get(_told_state(row, now), ""),
        }
        for row in found.rows
    ]
    context = {
        "rows": rows,
        "next": found.next,
        "sort": query.sort or queries.WAIVERS.sort,
        "total": found.total or 0,
        "tabs": tabs_of(tab, mine),
        "waiting": tab == "waiting",
        "mine": tab == "mine",
    }
    return render(request, "changes/waivers.html", context)


def tabs_of(current: str, mine: int | None) -> list[dict[str, Any]]:
    """Return the tabs of waivers; `mine`: how many wait for who reads, None: they decide on none."""
    tabs: list[tuple[str, str, str, int | None]] = [
        ("waiting", _("All that wait"), "/waivers?tab=waiting", None),
        ("all", _("All"), "/waivers?tab=all", None),
        ("quotas", _("Quotas"), "/waiver-quotas", None),
    ]
    if mine is not None:
        tabs.insert(0, ("mine", _("Waiting for me"), "/waivers?tab=mine", mine))
    return [
        {"label": label, "href": href, "current": name == current, "count": count}
        for name, label, href, count in tabs
    ]


@require_GET
@page
def quotas(request: HttpRequest) -> HttpResponseBase:
    """Show how many waivers each window bears, how many are given, and who may give them."""
    actor = _reader(request)
    access = accounts.access(actor)
    rows = [
        {
            "key": one.window.key,
            "href": f"/windows/{one.window.key}",
            "name": one.window.name,
            "kind": str(calendars.Record.Kind(one.kind).label),
            "organisation": one.organisation,
            "by": ", ".join(one.waived_by),
            "most": one.most,
            "granted": one.granted,
            "waiting": one.waiting,
            "used_up": one.used_up,
            "may_edit": access.may("calendars.edit", one.place),
        }
        for one in queries.allowances(actor)
    ]
    mine = queries.to_decide(actor) if queries.decides(actor) else None
    return render(request, "changes/quotas.html", {"rows": rows, "tabs": tabs_of("quotas", mine)})


@require_POST
@page
def quota(request: HttpRequest, key: str) -> HttpResponseBase:
    """Say how many waivers a window bears; empty: any number."""
    actor, most = _reader(request), commands.MOST_WAIVERS
    text = request.POST.get("most", "").strip()
    wrong = bool(text) and not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= most)
    command = commands.SetWaiverQuota(window=key, most=int(text) if text and not wrong else None)
    if wrong:
        told = _("“%(text)s” is no number up to %(most)d; leave it empty for any number.")
        toasts.failed(request, told % {"text": text[:20], "most": most})
        return redirect("/waiver-quotas")
    execute(command, actor=actor)
    toasts.done(request, _("The quota of %(key)s was set.") % {"key": key})
    return redirect("/waiver-quotas")


def _told_state(row: Any, now: datetime) -> str:
    over = row["state"] in {"granted", "used"} and row["expires_at"] <= now
    return "expired" if over else str(row["state"])


@require_GET
@page
def waiver(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show one waiver: what it lets pass, why, and what was decided."""
    actor = _reader(request)
    found = queries.waiver(actor, key)
    if key != found.key:
        return redirect(f"/waivers/{found.key}")
    now = datetime.now(UTC)
    state = queries.state_of(found, at=now)
    context = {
        "record": {
            "key": found.key,
            "href": f"/waivers/{found.key}",
            "title": found.change.title,
            "kind": _("Waiver"),
            "state": MARKS.get(state, "retired"),
            "state_word": _state(state),
            "steps": _steps(actor, found, now),
        },
        "waiver": found,
        "rule": rule_words(found.rule),
        "change_href": f"/changes/{found.change.key}",
        "other_href": _href(found.other_kind, found.other_key),
        "panels": {"events": "/activity?" + urlencode({"kind": "waiver", "subject": str(found.uid)})},
    }
    return render(request, "changes/waiver.html", context)


def _steps(actor: Actor, found: Waiver, now: datetime) -> list[dict[str, Any]]:
    if not queries.may_decide(actor, found, at=now):
        return []
    href = f"/waivers/{found.key}"

    def step(
        name: str, label: str, title: str, text: str, *, tone: str = "", needed: bool = True
    ) -> dict[str, Any]:
        ask = {"title": title, "text": text, "label": _("Why"), "required": needed}
        ask["name"] = "reason" if needed else "note"
        return {"name": name, "label": label, "url": f"{href}/{name}", "fields": {}, "tone": tone, "ask": ask}

    if found.state == Waiver.State.REQUESTED:
        return [
            step(
                "grant",
                _("Grant…"),
                _("Grant %(key)s?") % {"key": found.key},
                _("The finding then only warns, until the waiver expires or is revoked."),
                needed=False,
            ),
            step(
                "refuse",
                _("Refuse…"),
                _("Refuse %(key)s?") % {"key": found.key},
                _("Whoever asked reads why."),
                tone="danger",
            ),
        ]
    if found.state == Waiver.State.GRANTED:
        return [
            step(
                "revoke",
                _("Revoke…"),
                _("Revoke %(key)s?") % {"key": found.key},
                _("From then on the finding stands in the way again."),
                tone="danger",
            )
        ]
    return []


@require_http_methods(["GET", "POST"])
@page
def ask(request: HttpRequest, key: str) -> HttpResponseBase:
    """Ask that one finding about a change be let pass."""
    actor = _reader(request)
    dossier = queries.dossier(actor, key)
    change = dossier.change
    accounts.require(actor, "changes.request", at=change.organisation_id)
    wanted = request.GET.get("finding", "")[:40]
    now = datetime.now(UTC)
    found = next((one for one in queries.time_findings(dossier.proposal(), at=now) if one.id == wanted), None)
    if found is None:
        raise NotFound(_("%(change)s has no such finding now.") % {"change": change.key})
    form = WaiverForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            command = commands.RequestWaiver(
                change=change.key, finding=wanted, reason=form.cleaned_data["reason"]
            )
            try:
                made = execute(command, actor=actor).subject
                told = _("The waiver was asked for; a %(role)s decides.") % {"role": found.waivable_by[0]}
                toasts.done(request, told)
                return redirect(f"/waivers/{made.key}" if made else "/waivers")
            except (Conflict, Invalid) as problem:
                status = problem.status
                for error in problem.errors:
                    form.add_error("reason" if error.field == "reason" else None, error.message)
                if not problem.errors:
                    form.add_error(None, problem.detail)
    context = {
        "title": _("Ask for a waiver"),
        "lead": tell(found.redacted(accounts.access(actor).sees), accounts.words(actor)),
        "form": form,
        "submit": _("Ask for it"),
        "cancel": f"/changes/{change.key}",
        "crumbs": [
            {"label": _("Changes"), "href": "/changes"},
            {"label": change.key, "href": f"/changes/{change.key}"},
        ],
    }
    return render(request, "ui/form.html", context, status=status)


def _decided(request: HttpRequest, command: Command, key: str, told: str) -> HttpResponseBase:
    try:
        execute(command, actor=_reader(request))
    except (Conflict, Invalid) as problem:
        toasts.failed(request, problem.detail)
        return redirect(f"/waivers/{key}")
    toasts.done(request, told % {"key": key})
    return redirect(f"/waivers/{key}")


@require_POST
@page
def grant(request: HttpRequest, key: str) -> HttpResponseBase:
    """Let the finding pass."""
    command = commands.GrantWaiver(waiver=key, note=request.POST.get("note", ""))
    return _decided(request, command, key, _("%(key)s was granted."))


@require_POST
@page
def refuse(request: HttpRequest, key: str) -> HttpResponseBase:
    """Do not let the finding pass."""
    command = commands.RefuseWaiver(waiver=key, reason=request.POST.get("reason", ""))
    return _decided(request, command, key, _("%(key)s was refused."))


@require_POST
@page
def revoke(request: HttpRequest, key: str) -> HttpResponseBase:
    """Take a granted waiver back."""
    command = commands.RevokeWaiver(waiver=key, reason=request.POST.get("reason", ""))
    return _decided(request, command, key, _("%(key)s was revoked."))


urlpatterns = [
    path("waivers", waivers, name="waivers"),
    path("waivers/<str:key>", waiver, name="waiver"),
    path("waiver-quotas", quotas, name="waiver-quotas"),
    path("windows/<str:key>/quota", quota, name="window-quota"),
    path("waivers/<str:key>/grant", grant, name="waiver-grant"),
    path("waivers/<str:key>/refuse", refuse, name="waiver-refuse"),
    path("waivers/<str:key>/revoke", revoke, name="waiver-revoke"),
    path("changes/<str:key>/waive", ask, name="change-waive"),
]
