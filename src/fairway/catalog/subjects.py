"""Items and builds as records that one comments on, watches and looks back at; their lists have views."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from fairway.accounts import queries as accounts
from fairway.catalog import queries
from fairway.catalog.models import ConfigurationItem
from fairway.workspace.commands import register
from fairway.workspace.queries import People, SubjectKind, ViewPage, register_page


def people(item: ConfigurationItem) -> People:
    """Return who is concerned: the team that owns it."""
    return {"team": accounts.member_keys(item.owner_team_id)} if item.owner_team_id else {}


register(
    SubjectKind(
        kind="item",
        resource="items",
        label=_("Item"),
        permission="catalog.view",
        model="catalog.ConfigurationItem",
        find=queries.item,
        visible=lambda actor: accounts.visible(ConfigurationItem.objects.all(), actor),
        people=people,
        parts={"catalog.Stakeholder": "item"},
    )
)
register(
    SubjectKind(
        kind="build",
        resource="builds",
        label=_("Build"),
        permission="catalog.view",
        model="catalog.Build",
        find=queries.build,
        visible=queries.builds,
        people=lambda build: people(build.system),
        parts={"catalog.Artefact": "build", "catalog.CarriedWorkItem": "build"},
    )
)
register_page(
    ViewPage(
        name="builds",
        label=_("Builds"),
        path="/builds",
        permission="catalog.view",
        parameters=frozenset({"status", "system", "branch", "work_item", "archived", "q"}),
    )
)
register_page(
    ViewPage(
        name="items",
        label=_("Items"),
        path="/items",
        permission="catalog.view",
        fields="item",
        parameters=frozenset(
            {
                "kind",
                "status",
                "criticality",
                "organisation",
                "environment",
                "owner_team",
                "shared",
                "archived",
                "q",
            }
        ),
    )
)
