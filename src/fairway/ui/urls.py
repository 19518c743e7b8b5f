"""Addresses of the style guide; `interfaces` includes them where DEBUG is on."""

from __future__ import annotations

from django.urls import path

from fairway.ui import styleguide

urlpatterns = [
    path("styleguide", styleguide.show),
    path("styleguide/record", styleguide.record),
    path("styleguide/form", styleguide.form),
    path("styleguide/list", styleguide.table),
    path("styleguide/timeline", styleguide.timeline),
    path("styleguide/signin", styleguide.sign_in),
    path("styleguide/error", styleguide.error),
    path("styleguide/pick", styleguide.pick),
    path("styleguide/verdict", styleguide.verdict),
    path("styleguide/calendar.json", styleguide.calendar),
]
