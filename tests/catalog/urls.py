"""The addresses of these contexts alone, so that their tests stand by themselves."""

from __future__ import annotations

from django.urls import include, path
from dmr.routing import Router

from fairway.catalog import api as catalog
from fairway.environments import api as environments

router = Router("api/v1/", [*catalog.urls, *environments.urls])
urlpatterns = [path(router.prefix, include((router.urls, "api")))]
