from importlib import import_module

from django.apps import AppConfig


class EnvironmentsConfig(AppConfig):
    name = "fairway.environments"
    label = "environments"

    def ready(self) -> None:
        import_module(f"{self.name}.subjects")
