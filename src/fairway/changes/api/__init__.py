"""Changes, their models and templates, the calendar and drift over the API; windows with what they hit."""

from fairway.changes.api import changes, conflicts, drifts, feeds, slots, texts, waivers

urls = [*texts.urls, *drifts.urls, *slots.urls, *waivers.urls, *conflicts.urls, *feeds.urls, *changes.urls]
