from django.apps import AppConfig


class InterfacesConfig(AppConfig):
    name = "fairway.interfaces"
    label = "interfaces"
