"""People, teams and organisations stand below the workspace; so it enters them itself."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from fairway.workspace.commands import searchable
from fairway.workspace.queries import Kind

PERSON = Kind(
    "user",
    "accounts.view",
    lambda key: f"/administration/people/{key}",
    lambda: _("People"),
    lambda: _("Person"),
    state=lambda state: (state, _("Service account") if state == "service" else ""),
    many="/administration/people",
    order=50,
)
TEAM = Kind(
    "team",
    "accounts.view",
    lambda key: f"/administration/teams/{key}",
    lambda: _("Teams"),
    lambda: _("Team"),
    order=60,
)
ORGANISATION = Kind(
    "organisation",
    "accounts.view",
    lambda key: f"/administration/organisations/{key}",
    lambda: _("Organisations"),
    lambda: _("Organisation"),
    order=70,
)


def _state(user: Any) -> str:
    if not user.is_active:
        return "retired"
    return "service" if user.is_service else "active"


searchable("accounts.User", PERSON, body=lambda user: (user.email,), state=_state)
searchable("accounts.Team", TEAM, body=lambda team: (), state=lambda team: "")
searchable("accounts.Organisation", ORGANISATION, body=lambda organisation: (), state=lambda organisation: "")
