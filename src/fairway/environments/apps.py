from django.apps import AppConfig


class EnvironmentsConfig(AppConfig):
    name = "fairway.environments"
    label = "environments"
