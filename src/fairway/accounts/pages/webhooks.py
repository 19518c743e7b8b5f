"""Webhooks: where events are sent to, and how that goes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import queries, webhooks
from fairway.accounts.forms import CommandForm
from fairway.accounts.pages.shared import attempt, crumbs, form_page, reader, tabs
from fairway.accounts.web import caller, page
from fairway.audit import queries as audit
from fairway.audit.commands import execute
from fairway.jobs.queries import DELIVERIES, Webhook, deliveries
from fairway.kernel.actor import SYSTEM
from fairway.kernel.listing import ListQuery
from fairway.ui import toasts

MOST = 200
"""Webhooks shown; whoever has more finds the others through the API."""
STATUSES = {"pending": "info", "sent": "ok", "failed": "bad", "withheld": ""}
HELP = _lazy("Names such as changes.change.approve, or beginnings such as changes.; leave it empty for all.")


class WebhookForm(CommandForm):
    name = forms.CharField(label=_lazy("Name"), max_length=100)
    url = forms.CharField(label=_lazy("Address"), max_length=500, help_text=_lazy("It begins with https://"))
    commands = forms.CharField(label=_lazy("Events"), max_length=4000, required=False, help_text=HELP)
    kinds = forms.CharField(
        label=_lazy("Kinds of record"),
        max_length=2000,
        required=False,
        help_text=_lazy("Such as change or item; leave it empty for all."),
    )

    def names(self, field: str) -> list[str]:
        """Return a filter as a list."""
        given: str = self.cleaned_data[field]
        return given.replace(",", " ").split()


class NewWebhookForm(WebhookForm):
    organisation = forms.ModelChoiceField(
        label=_lazy("Branch"),
        queryset=queries.organisations(SYSTEM).none(),
        to_field_name="slug",
        empty_label=None,
    )
    field_order = ("name", "url", "organisation")

    def __init__(self, *args: Any, organisations: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        field: Any = self.fields["organisation"]
        field.queryset = organisations
        field.label_from_instance = lambda one: one.name


class EditWebhookForm(WebhookForm):
    version = forms.IntegerField(widget=forms.HiddenInput)


class ReplayForm(CommandForm):
    after = forms.IntegerField(
        label=_lazy("After event no."), min_value=0, help_text=_lazy("What follows it is sent again.")
    )


@require_GET
@page
def listing(request: HttpRequest) -> HttpResponseBase:
    """Show the webhooks that the actor sees."""
    actor = reader(request, "jobs.view")
    context = {
        "rows": [_row(one) for one in webhooks.seen(actor).order_by("name", "pk")[:MOST]],
        "tabs": tabs(actor, "webhooks"),
        "may_add": queries.access(actor).may(webhooks.SUBSCRIBE, None),
    }
    return render(request, "accounts/webhooks.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@page
def new(request: HttpRequest) -> HttpResponseBase:
    """Set up a webhook, and show its secret this once."""
    actor = reader(request, webhooks.SUBSCRIBE)
    form = NewWebhookForm(
        request.POST if request.method == "POST" else None,
        organisations=queries.organisations_where(actor, webhooks.SUBSCRIBE),
    )
    if form.is_valid():
        given = form.cleaned_data
        command = webhooks.CreateWebhook(
            name=given["name"], url=given["url"], organisation=given["organisation"].slug,
            commands=form.names("commands"), kinds=form.names("kinds"),
        )  # fmt: skip
        outcome = attempt(request, form, command)
        if outcome is not None and outcome.subject is not None:
            made = webhooks.read(actor, outcome.subject.uid)
            return _page(request, made, secret=outcome.answer)
    return form_page(
        request,
        form,
        title=_("New webhook"),
        submit=_("Add webhook"),
        cancel="/administration/webhooks",
        crumbs=crumbs("webhooks", _("Webhooks")),
    )


@require_GET
@page
def record(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show a webhook and its deliveries."""
    return _page(request, webhooks.read(caller(request), key))


@require_POST
@page
def edit(request: HttpRequest, key: str) -> HttpResponseBase:
    """Change name, address and filters."""
    one = webhooks.read(caller(request), key)
    form = EditWebhookForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        command = webhooks.EditWebhook(
            webhook=key, version=given["version"], name=given["name"], url=given["url"],
            commands=form.names("commands"), kinds=form.names("kinds"),
        )  # fmt: skip
        if attempt(request, form, command):
            toasts.done(request, _("The webhook was saved."))
            return redirect(f"/administration/webhooks/{key}")
    return _page(request, one, form=form)


@require_POST
@page
def replay(request: HttpRequest, key: str) -> HttpResponseBase:
    """Send events again."""
    one = webhooks.read(caller(request), key)
    form = ReplayForm(request.POST)
    if form.is_valid() and attempt(
        request, form, webhooks.ReplayWebhook(webhook=key, after=form.cleaned_data["after"])
    ):
        toasts.done(request, _("They are being sent again."))
        return redirect(f"/administration/webhooks/{key}")
    return _page(request, one, replay_form=form)


@never_cache
@require_POST
@page
def rotate(request: HttpRequest, key: str) -> HttpResponseBase:
    """Make a new secret and show it this once."""
    outcome = execute(webhooks.RotateSecret(webhook=key), actor=caller(request))
    return _page(request, webhooks.read(caller(request), key), secret=outcome.answer)


@require_POST
@page
def test(request: HttpRequest, key: str) -> HttpResponseBase:
    """Send a test."""
    execute(webhooks.TestWebhook(webhook=key), actor=caller(request))
    toasts.done(request, _("A test is being sent; it stands among the deliveries in a moment."))
    return redirect(f"/administration/webhooks/{key}")


@require_POST
@page
def switch(request: HttpRequest, key: str) -> HttpResponseBase:
    """Switch it off or on."""
    active = request.POST.get("active") == "1"
    execute(webhooks.EditWebhook(webhook=key, active=active), actor=caller(request))
    toasts.done(request, _("The webhook was switched on.") if active else _("The webhook was switched off."))
    return redirect(f"/administration/webhooks/{key}")


@require_POST
@page
def remove(request: HttpRequest, key: str) -> HttpResponseBase:
    """Take it away."""
    execute(webhooks.RemoveWebhook(webhook=key), actor=caller(request))
    toasts.done(request, _("The webhook was removed."))
    return redirect("/administration/webhooks")


def _row(one: Webhook) -> dict[str, Any]:
    state, tone = _state(one)
    return {
        "href": f"/administration/webhooks/{one.uid}",
        "name": one.name,
        "url": one.url,
        "state": state,
        "tone": tone,
        "reason": one.reason,
        "filters": ", ".join([*one.commands, *one.kinds]) or _("all events"),
        "owner": one.owner.name,
        "organisation": one.organisation.name,
    }


def _state(one: Webhook) -> tuple[str, str]:
    if not one.active:
        return _("Off"), "bad" if one.reason else ""
    return (_("Failing"), "warn") if one.failing_since else (_("On"), "ok")


def _page(request: HttpRequest, one: Webhook, *, secret: str = "", **given: Any) -> HttpResponse:
    actor = caller(request)
    address = f"/administration/webhooks/{one.uid}"
    page = DELIVERIES.page(deliveries(one), ListQuery(cursor=request.GET.get("cursor", ""), limit=50))
    told = {
        "pending": _("Waiting"), "sent": _("Sent"), "failed": _("Given up"), "withheld": _("Withheld"),
    }  # fmt: skip
    rows = [
        {**row, "word": told[row["status"]], "tone": STATUSES[row["status"]], "at": _when(row)}
        for row in page.rows
    ]
    may = queries.access(actor).may(webhooks.SUBSCRIBE, one.organisation_id)
    if may:
        given.setdefault("form", EditWebhookForm(initial=_initial(one)))
        head = audit.head()[0]
        given.setdefault("replay_form", ReplayForm(initial={"after": max(0, min(one.position, head) - 1)}))
    state, tone = _state(one)
    context = {
        "record": {
            "key": one.name,
            "href": address,
            "title": one.name,
            "kind": _("Webhook"),
            "steps": _steps(one, address) if may else [],
        },
        "webhook": one,
        "state": state,
        "tone": tone,
        "filters": ", ".join([*one.commands, *one.kinds]) or _("all events"),
        "rows": rows,
        "next": page.next,
        "secret": secret,
        "address": address,
        "history": f"/events/panel?subject={one.uid}",
        "more_crumbs": crumbs("webhooks", _("Webhooks")),
        **given,
    }
    bound = any(form.is_bound and form.errors for form in given.values())
    return render(request, "accounts/webhook.html", context, status=422 if bound else 200)


def _when(row: dict[str, Any]) -> Any:
    return row["next_at"] if row["status"] == "pending" else row["sent_at"]


def _initial(one: Webhook) -> dict[str, Any]:
    return {
        "name": one.name, "url": one.url, "commands": ", ".join(one.commands), "kinds": ", ".join(one.kinds),
        "version": one.version,
    }  # fmt: skip


def _steps(one: Webhook, address: str) -> list[dict[str, Any]]:
    on = {"name": "on", "label": _("Switch on"), "url": f"{address}/switch", "fields": {"active": "1"}}
    off = {"name": "off", "label": _("Switch off"), "url": f"{address}/switch", "fields": {"active": "0"}}
    rotate = {
        "name": "secret",
        "label": _("New secret…"),
        "url": f"{address}/secret",
        "fields": {},
        "ask": {
            "title": _("Make a new secret?"),
            "text": _("The receiver must know it before it believes what is sent."),
            "submit": _("Make it"),
        },
    }
    away = {
        "name": "remove",
        "label": _("Remove…"),
        "url": f"{address}/remove",
        "tone": "danger",
        "fields": {},
        "ask": {
            "title": _("Remove this webhook?"),
            "text": _("Nothing more is sent; its deliveries are not shown any more."),
            "submit": _("Remove"),
        },
    }
    test = {"name": "test", "label": _("Send a test"), "url": f"{address}/test", "fields": {}}
    return [test, off if one.active else on, rotate, away]


urlpatterns = [
    path("administration/webhooks", listing, name="webhooks"),
    path("administration/webhooks/new", new, name="webhook-new"),
    path("administration/webhooks/<str:key>", record, name="webhook"),
    path("administration/webhooks/<str:key>/edit", edit, name="webhook-edit"),
    path("administration/webhooks/<str:key>/replay", replay, name="webhook-replay"),
    path("administration/webhooks/<str:key>/secret", rotate, name="webhook-secret"),
    path("administration/webhooks/<str:key>/test", test, name="webhook-test"),
    path("administration/webhooks/<str:key>/switch", switch, name="webhook-switch"),
    path("administration/webhooks/<str:key>/remove", remove, name="webhook-remove"),
]
