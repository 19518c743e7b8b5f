from django.apps import AppConfig


class KernelConfig(AppConfig):
    name = "fairway.kernel"
    label = "kernel"
