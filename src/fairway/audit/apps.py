from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "fairway.audit"
    label = "audit"
