"""The addresses of these contexts alone, so that their tests stand by themselves."""

from __future__ import annotations

from django.urls import include, path
from dmr.routing import Router

from fairway.catalog import api as catalog
from fairway.catalog import pages as catalog_pages
from fairway.environments import api as environments
from fairway.environments import pages as environment_pages

router = Router("api/v1/", [*catalog.urls, *environments.urls])
urlpatterns = [
    path(router.prefix, include((router.urls, "api"))),
    *catalog_pages.urlpatterns,
    *environment_pages.urlpatterns,
]
