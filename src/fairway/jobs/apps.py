from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "fairway.jobs"
    label = "jobs"
