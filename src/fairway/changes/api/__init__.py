"""Changes, their models and templates, the calendar and drift over the API."""

from fairway.changes.api import changes, drifts

urls = [*drifts.urls, *changes.urls]
