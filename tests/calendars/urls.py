"""The addresses of calendars alone, so that their tests stand by themselves."""

from __future__ import annotations

from django.urls import include, path
from dmr.routing import Router

from fairway.calendars import api, pages

router = Router("api/v1/", api.urls)
urlpatterns = [path(router.prefix, include((router.urls, "api"))), *pages.urlpatterns]
