from importlib import import_module

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "fairway.catalog"
    label = "catalog"

    def ready(self) -> None:
        for room in ("sentences", "subjects", "searching"):
            import_module(f"{self.name}.{room}")
