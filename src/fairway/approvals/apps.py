from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    name = "fairway.approvals"
    label = "approvals"
