"""The addresses of conflicts alone, so that their tests stand by themselves."""

from __future__ import annotations

from django.urls import include, path
from dmr.routing import Router

from fairway.claims import api, pages

router = Router("api/v1/", api.urls)
urlpatterns = [path(router.prefix, include((router.urls, "api"))), *pages.urlpatterns]
