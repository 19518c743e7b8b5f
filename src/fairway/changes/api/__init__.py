"""Changes, their models and templates, the calendar and drift over the API."""

from fairway.changes.api import changes, drifts, slots

urls = [*drifts.urls, *slots.urls, *changes.urls]
