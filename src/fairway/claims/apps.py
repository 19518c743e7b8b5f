from importlib import import_module

from django.apps import AppConfig


class ClaimsConfig(AppConfig):
    name = "fairway.claims"
    label = "claims"

    def ready(self) -> None:
        import_module(f"{self.name}.sentences")
