"""Freezes, maintenance windows, working calendars and subscriptions over the API."""

from fairway.calendars.api import subscribing, windows, working

urls = [*windows.urls, *working.urls, *subscribing.urls]
