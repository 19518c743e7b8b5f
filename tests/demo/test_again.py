"""The same seed and moment give the same company."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db import transaction

from fairway.demo import commands
from fairway.kernel.cache import Kept

from .conftest import NOW, PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.deep]


def test_loading_twice_gives_the_same() -> None:
    assert content() == content()


TOLD = (
    ("catalog.ConfigurationItem", "slug", "name", "criticality", "shared"),
    ("calendars.Window", "number", "name", "starts_at", "rrule"),
    ("audit.Event", "sequence", "at", "command", "actor_kind"),
    ("approvals.Vote", "pk", "voter__email", "choice", "comment"),
    ("changes.Change", "number", "title", "description", "state", "planned_start", "outcome", "owner__email"),
)
"""By label: what orders the rows, and the columns that do not hang on chance."""


def content() -> list[list[Any]]:
    """Load the company anew and return what it came out as, without identifiers."""
    with transaction.atomic():
        Kept.forget_all()
        try:
            commands.load(password=PASSWORD, now=NOW)
            return [
                list(apps.get_model(label)._default_manager.order_by(order).values_list(*columns))
                for label, order, *columns in TOLD
            ]
        finally:
            transaction.set_rollback(True)
            Kept.forget_all()
