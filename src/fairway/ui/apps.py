"""The Django app of the face, and the check that its pages are built."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Warning, register

from fairway.ui import manifest


def built(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Warn when styles and scripts have not been built: pages then work, but plainly."""
    if manifest.PATH.exists():
        return []
    return [
        Warning(
            "Styles and scripts are not built.", hint="Run npm ci and npm run build in web/.", id="ui.W001"
        )
    ]


class UiConfig(AppConfig):
    """Registers the app as `ui`."""

    name = "fairway.ui"
    label = "ui"

    def ready(self) -> None:
        """Register the system check."""
        register(built)
