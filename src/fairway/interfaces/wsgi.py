"""The WSGI application: built pages straight from disk, cached for good, all else through Django."""

from __future__ import annotations

import os
import re

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fairway.interfaces.settings")

from django.core.wsgi import get_wsgi_application
from whitenoise import WhiteNoise  # type: ignore[import-untyped]

django_application = get_wsgi_application()

from fairway.interfaces.running import static_root  # noqa: E402 - needs the apps, which stand only now
from fairway.kernel.memory import settle  # noqa: E402

HASHED = re.compile(r"/dist/assets/[^/]+-[A-Za-z0-9_-]{8,}\.[a-z0-9.]+$")


def _immutable(path: str, url: str) -> bool:
    return HASHED.search(url) is not None


application = WhiteNoise(
    django_application, root=str(static_root()), prefix="static/", max_age=60, immutable_file_test=_immutable
)

settle()
