"""Changes, their models and templates, the calendar and drift over the API."""

from fairway.changes.api import changes, drifts, feeds, slots

urls = [*drifts.urls, *slots.urls, *feeds.urls, *changes.urls]
