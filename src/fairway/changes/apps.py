from importlib import import_module

from django.apps import AppConfig


class ChangesConfig(AppConfig):
    name = "fairway.changes"
    label = "changes"

    def ready(self) -> None:
        for room in ("sentences", "commands", "subjects", "searching"):
            import_module(f"{self.name}.{room}")
