from importlib import import_module

from django.apps import AppConfig


class WorkspaceConfig(AppConfig):
    name = "fairway.workspace"
    label = "workspace"

    def ready(self) -> None:
        for room in ("searching", "listeners"):
            import_module(f"{self.name}.{room}")
