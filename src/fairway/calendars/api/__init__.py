"""Freezes, maintenance windows and working calendars over the API."""

from fairway.calendars.api import windows, working

urls = [*windows.urls, *working.urls]
