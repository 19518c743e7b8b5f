from django.apps import AppConfig
from django.db.models.signals import post_migrate


class KernelConfig(AppConfig):
    name = "fairway.kernel"
    label = "kernel"

    def ready(self) -> None:
        from fairway.kernel.collation import sort_binary  # noqa: PLC0415 - needs the models

        post_migrate.connect(sort_binary, sender=self, dispatch_uid="fairway.kernel.collation")
