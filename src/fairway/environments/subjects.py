"""Environments as records that one comments on, watches and looks back at; the list as one with views."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from fairway.accounts import queries as accounts
from fairway.environments import queries
from fairway.environments.models import Environment, EnvironmentGroup
from fairway.workspace.commands import register
from fairway.workspace.queries import SubjectKind, ViewPage, register_page

register(
    SubjectKind(
        kind="environment",
        resource="environments",
        label=_("Environment"),
        permission="environments.view",
        model="environments.Environment",
        find=queries.environment,
        visible=lambda actor: accounts.visible(Environment.objects.all(), actor),
    )
)
register(
    SubjectKind(
        kind="environment-group",
        resource="environment-groups",
        label=_("Environment group"),
        permission="environments.view",
        model="environments.EnvironmentGroup",
        find=queries.group,
        visible=lambda actor: accounts.visible(EnvironmentGroup.objects.all(), actor),
        parts={"environments.GroupMember": "group"},
    )
)
register_page(
    ViewPage(
        name="environments",
        label=_("Environments"),
        path="/environments",
        permission="environments.view",
        parameters=frozenset({"tier", "control", "status", "organisation", "shared", "archived", "q"}),
    )
)
