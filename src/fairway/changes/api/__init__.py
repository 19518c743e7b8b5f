"""Changes, their models and templates, the calendar and drift over the API."""

from fairway.changes.api import changes, drifts, feeds, slots, waivers

urls = [*drifts.urls, *slots.urls, *waivers.urls, *feeds.urls, *changes.urls]
