"""How environments are found by search."""

from __future__ import annotations

from django.utils.translation import gettext as _

from fairway.environments.models import Environment
from fairway.environments.words import STATES
from fairway.workspace.commands import searchable
from fairway.workspace.queries import Kind


def _state(status: str) -> tuple[str, str]:
    return STATES.get(status, status), str(Environment.Status(status).label)


KIND = Kind(
    "environment",
    "environments.view",
    lambda key: f"/environments/{key}",
    lambda: _("Environments"),
    lambda: _("Environment"),
    state=_state,
    many="/environments",
    order=30,
)
searchable(
    "environments.Environment",
    KIND,
    body=lambda environment: (environment.description,),
    state=lambda environment: environment.status,
)
