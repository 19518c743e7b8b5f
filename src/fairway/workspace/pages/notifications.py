"""My work, notifications: what happened to what I have a part in, why I am told, and how to be told less."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import history
from fairway.accounts.web import caller, page
from fairway.audit.commands import convert, execute
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid
from fairway.kernel.listing import Page
from fairway.kernel.models import Versioned
from fairway.ui import toasts
from fairway.ui.markdown import render as markdown
from fairway.workspace import commands, queries
from fairway.workspace.models import Notification, NotificationSettings

SHOWN, IN_A_GROUP = 100, 5
WHY = {
    "mentioned": gettext_lazy("You were mentioned"),
    "owner": gettext_lazy("You own this record"),
    "requester": gettext_lazy("You asked for this"),
    "implementer": gettext_lazy("You carry this out"),
    "team": gettext_lazy("Your team owns this record"),
    "commented": gettext_lazy("You commented on this record"),
    "watching": gettext_lazy("You watch this record"),
    "subscribed": gettext_lazy("You subscribe to the calendar it stands in"),
}
"""Why somebody is told, as a sentence about the reader."""


@require_GET
@page
def notifications(request: HttpRequest) -> HttpResponseBase:
    """Show what happened, by record, what came last first; `show`: unread or all."""
    actor = caller(request)
    show = request.GET.get("show", "unread")
    if show not in ("unread", "all"):
        raise Invalid.field("show", _("There is no such part."))
    asked = {"limit": SHOWN, "cursor": request.GET.get("cursor", "")}
    query = convert({**asked, "unread": "true" if show == "unread" else ""}, queries.NotificationQuery)
    found = queries.notification_page(actor, query)
    context = {
        "tabs": work_tabs("notifications"),
        "segments": [
            {"label": label, "href": f"?show={name}", "current": name == show}
            for name, label in (("unread", _("Not read")), ("all", _("All")))
        ],
        "groups": _groups(actor, found),
        "next": found.next,
        "show": show,
        "unread": queries.unread(actor),
    }
    return render(request, "workspace/notifications.html", context)


def work_tabs(current: str) -> list[dict[str, Any]]:
    """Return the parts of My work, for ui/tabs.html."""
    parts = (("work", _("Waiting and planned"), "/"), ("notifications", _("Notifications"), "/notifications"))
    return [
        {"label": label, "href": href, "current": name == current, "count": None}
        for name, label, href in parts
    ]


def _groups(actor: Actor, found: Page) -> list[dict[str, Any]]:
    """Return the notifications by record, each with the newest few."""
    records = queries.refs(actor, ((row["subject_kind"], row["subject_uid"]) for row in found.rows))
    deeds = queries.deeds([row["sequence"] for row in found.rows])
    mentioned = queries.mentioned([deed.comment.uid for deed in deeds.values() if deed.comment is not None])
    groups: dict[Any, dict[str, Any]] = {}
    for row in found.rows:
        record = records.get(row["subject_uid"])
        if record is None:
            continue
        group = groups.setdefault(record.uid, _group(row, record))
        group["unread"] += row["read_at"] is None
        if len(group["entries"]) == IN_A_GROUP:
            group["more"] += 1
            continue
        group["entries"].append(_entry(row, deeds.get(row["sequence"]), mentioned))
    return list(groups.values())


def _group(row: Mapping[str, Any], record: Versioned) -> dict[str, Any]:
    kind = queries.kind_of(record.kind)
    return {
        "kind": record.kind,
        "what": kind.label,
        "key": record.key,
        "title": str(getattr(record, "title", "") or record.label),
        "href": kind.href(record.key),
        "unread": 0,
        "more": 0,
        "entries": [],
    }


def _entry(
    row: Mapping[str, Any], deed: queries.Deed | None, mentioned: Mapping[Any, Mapping[str, str]]
) -> dict[str, Any]:
    comment = deed.comment if deed else None
    return {
        "uid": str(row["uid"]),
        "who": deed.actor if deed else "",
        "text": _("commented") if comment is not None else history.deed(row["command"], row["subject_kind"]),
        "command": row["command"],
        "html": markdown(comment.text, people=mentioned.get(comment.uid, {})) if comment is not None else "",
        "at": row["at"],
        "why": WHY[row["reason"]],
        "unread": row["read_at"] is None,
    }


@require_POST
@page
def read(request: HttpRequest) -> HttpResponseBase:
    """Mark as read: those named, those of one record, or all."""
    actor = caller(request)
    subject = None
    if request.POST.get("subject"):
        subject = queries.readable(actor, request.POST.get("kind", ""), request.POST["subject"])
    uids = request.POST.getlist("uid") or None
    commands.mark_read(actor, at=datetime.now(UTC), uids=uids, subject=subject)
    return redirect("/notifications")


@require_POST
@page
def watch(request: HttpRequest) -> HttpResponseBase:
    """Watch a record, mute it, or neither."""
    actor = caller(request)
    given = {name: request.POST.get(name, "") for name in ("kind", "subject", "state")}
    command = convert(given, commands.SetWatch)
    record = queries.readable(actor, command.kind, command.subject)
    execute(command, actor=actor)
    if command.state == "muted":
        commands.mark_read(actor, at=datetime.now(UTC), subject=record)
    done = {
        "watching": _("You are told what happens to %(key)s."),
        "muted": _("You are told nothing more about %(key)s."),
        "none": _("You are told what your part in %(key)s brings."),
    }
    told = done[command.state] % {"key": record.key}
    if request.headers.get("HX-Request"):
        response = render(request, "workspace/follow.html", {"follow": follow(actor, record)})
        toasts.put(response, told)
        return response
    toasts.done(request, told)
    return redirect(_back(request, queries.kind_of(record.kind).href(record.key)))


def _back(request: HttpRequest, usual: str) -> str:
    return "/notifications" if request.POST.get("from") == "notifications" else usual


def follow(actor: Actor, record: Versioned) -> dict[str, Any]:
    """Return what the panel says about following a record."""
    people = queries.watchers(record)
    state = queries.watch_of(actor, record)
    return {
        "kind": record.kind,
        "subject": str(record.uid),
        "state": state,
        "people": [one.name for one in people[:3]],
        "more": max(0, len(people) - 3),
        "choices": [
            {"state": name, "label": label, "current": name == state}
            for name, label in (
                ("watching", _("Watch: tell me everything")),
                ("none", _("Tell me what my part in it brings")),
                ("muted", _("Mute: tell me nothing")),
            )
        ],
    }


@require_POST
@page
def mute_command(request: HttpRequest) -> HttpResponseBase:
    """Be told no more of one kind of event."""
    actor = caller(request)
    command = request.POST.get("command", "")
    known = queries.settings_of(actor).muted
    execute(commands.EditSettings(muted=sorted({*known, command})), actor=actor)
    toasts.done(request, _("You are told no more when somebody %(deed)s.") % {"deed": history.deed(command)})
    return redirect("/notifications")


class SettingsForm(forms.Form):
    """What a person is told, and how."""

    reasons = forms.MultipleChoiceField(
        label=gettext_lazy("Tell me what happens where"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[(name, WHY[name]) for name in Notification.Reason.values],
    )
    muted = forms.MultipleChoiceField(
        label=gettext_lazy("Tell me nothing of"), required=False, widget=forms.CheckboxSelectMultiple
    )
    mail = forms.ChoiceField(
        label=gettext_lazy("Mail"),
        choices=NotificationSettings.Mail.choices,
        help_text=gettext_lazy(
            "This server sends no mail yet: notifications appear in Fairway, and the choice is kept."
        ),
    )
    quiet_from = forms.TimeField(
        label=gettext_lazy("Quiet from"), required=False, widget=forms.TimeInput(attrs={"type": "time"})
    )
    quiet_until = forms.TimeField(
        label=gettext_lazy("Quiet until"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}),
        help_text=gettext_lazy("No mail between these times of the day, in your own time zone."),
    )

    def __init__(self, *args: Any, muted: list[str], **more: Any) -> None:
        super().__init__(*args, **more)
        field: Any = self.fields["muted"]
        field.choices = [(name, _named(name)) for name in muted]
        if not muted:
            del self.fields["muted"]


def _named(command: str) -> str:
    """Return a command as what is told of: `changes.change.submit` gives `change: submitted`."""
    thing = command.split(".")[-2] if "." in command else ""
    return f"{thing.replace('_', ' ')}: {history.deed(command)}"


@require_http_methods(["GET", "POST"])
@page
def settings(request: HttpRequest) -> HttpResponseBase:
    """Ask what one wants to be told."""
    actor = caller(request)
    known = queries.settings_of(actor)
    initial = {
        "reasons": [name for name in Notification.Reason.values if name not in known.reasons_off],
        "muted": known.muted,
        "mail": known.mail,
        "quiet_from": known.quiet_from,
        "quiet_until": known.quiet_until,
    }
    form = SettingsForm(request.POST or None, initial=initial, muted=known.muted)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            given = form.cleaned_data
            try:
                execute(
                    commands.EditSettings(
                        reasons_off=[n for n in Notification.Reason.values if n not in given["reasons"]],
                        muted=given.get("muted", known.muted),
                        mail=given["mail"],
                        quiet_from=given["quiet_from"],
                        quiet_until=given["quiet_until"],
                    ),
                    actor=actor,
                )
            except Invalid as problem:
                for error in problem.errors:
                    form.add_error(error.field if error.field in form.fields else None, error.message)
            else:
                toasts.done(request, _("Saved."))
                return redirect("/notifications")
    context = {
        "title": _("What I am told"),
        "form": form,
        "submit": _("Save"),
        "cancel": "/notifications",
        "crumbs": [{"label": _("Notifications"), "href": "/notifications"}],
    }
    return render(request, "ui/form.html", context, status=status)


urlpatterns = [
    path("notifications", notifications, name="notifications-page"),
    path("notifications/read", read, name="notifications-mark"),
    path("notifications/watch", watch, name="notifications-watch"),
    path("notifications/mute", mute_command, name="notifications-mute"),
    path("notifications/settings", settings, name="notifications-settings"),
]
