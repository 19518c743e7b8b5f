from importlib import import_module

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "fairway.exchange"
    label = "exchange"

    def ready(self) -> None:
        """Have the commands registered that imports run by name, also where no address is loaded."""
        for context in ("calendars", "catalog", "changes", "exchange"):
            import_module(f"fairway.{context}.commands")
