from importlib import import_module

from django.apps import AppConfig


class EnvironmentsConfig(AppConfig):
    name = "fairway.environments"
    label = "environments"

    def ready(self) -> None:
        for room in ("subjects", "searching"):
            import_module(f"{self.name}.{room}")
