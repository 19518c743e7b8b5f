"""Changes as records that one comments on, watches and looks back at; their list and the calendar."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from fairway.accounts import queries as accounts
from fairway.changes import queries
from fairway.changes.models import Change, Implementer, Waiver
from fairway.workspace.commands import register
from fairway.workspace.queries import People, SubjectKind, ViewPage, register_page


def people(change: Change) -> People:
    """Return who is concerned: who owns it, asked for it and carries it out."""
    named = {"owner": change.owner_id, "requester": change.requester_id}
    return {
        **{role: [pk] for role, pk in named.items() if pk is not None},
        "implementer": list(Implementer.objects.filter(change=change).values_list("person_id", flat=True)),
    }


def waiver_people(waiver: Waiver) -> People:
    """Return who is concerned: who asked, and those of the change."""
    asked = [waiver.requested_by_id] if waiver.requested_by_id is not None else []
    return {**people(waiver.change), "requester": asked or people(waiver.change).get("requester", [])}


register(
    SubjectKind(
        kind="change",
        resource="changes",
        label=_("Change"),
        permission="changes.view",
        model="changes.Change",
        find=queries.change,
        visible=lambda actor: accounts.visible(Change.objects.all(), actor),
        people=people,
        moves=False,
        parts={
            "changes.PlannedWindow": "change_id",
            "changes.AffectedItem": "change_id",
            "changes.AffectedEnvironment": "change_id",
            "changes.Implementer": "change_id",
            "changes.CarriedChange": "change_id",
        },
    )
)
register(
    SubjectKind(
        kind="waiver",
        resource="waivers",
        label=_("Waiver"),
        permission="changes.view",
        model="changes.Waiver",
        find=queries.waiver,
        visible=lambda actor: accounts.visible(Waiver.objects.all(), actor),
        people=waiver_people,
        moves=False,
    )
)
register_page(
    ViewPage(
        name="changes",
        label=_("Changes"),
        path="/changes",
        permission="changes.view",
        fields="change",
        parameters=frozenset(
            {
                *("tab", "state", "model", "priority", "organisation", "item", "environment", "category"),
                *("planned_start__gte", "planned_start__lt", "q"),
            }
        ),
    )
)
register_page(
    ViewPage(
        name="calendar",
        label=_("Calendar"),
        path="/calendar",
        permission="changes.view",
        parameters=frozenset({"lanes", "item", "environment", "zone2"}),
    )
)
