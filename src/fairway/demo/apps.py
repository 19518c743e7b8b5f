from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "fairway.demo"
    label = "demo"
