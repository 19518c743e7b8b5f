"""How freezes and maintenance windows are found by search."""

from __future__ import annotations

from django.utils.translation import gettext as _

from fairway.calendars.models import Window
from fairway.workspace.commands import searchable
from fairway.workspace.queries import Kind

KIND = Kind(
    "window",
    "calendars.view",
    lambda key: f"/windows/{key}",
    lambda: _("Freezes and maintenance windows"),
    lambda: _("Freeze or maintenance window"),
    state=lambda kind: (kind, str(Window.Kind(kind).label)),
    many="/windows",
    order=40,
)
searchable(
    "calendars.Window", KIND, body=lambda window: (window.reason,), state=lambda window: window.window_kind
)
