from importlib import import_module

from django.apps import AppConfig


class CalendarsConfig(AppConfig):
    name = "fairway.calendars"
    label = "calendars"

    def ready(self) -> None:
        for room in ("sentences", "commands", "subjects", "searching"):
            import_module(f"{self.name}.{room}")
