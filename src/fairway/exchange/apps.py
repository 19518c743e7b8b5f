from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "fairway.exchange"
    label = "exchange"

    def ready(self) -> None:
        """Have the commands registered that imports run by name, also where no address is loaded."""
        for context in ("catalog", "calendars", "changes"):
            if find_spec(f"fairway.{context}") and find_spec(f"fairway.{context}.commands"):
                import_module(f"fairway.{context}.commands")
