from django.apps import AppConfig


class WorkspaceConfig(AppConfig):
    name = "fairway.workspace"
    label = "workspace"
