from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "fairway.accounts"
    label = "accounts"
