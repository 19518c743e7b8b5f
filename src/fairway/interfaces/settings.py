"""Django's settings, made from the configuration."""

from __future__ import annotations

import os
import sys

from fairway.interfaces import configuration

CONFIGURATION = configuration.read(os.environ)
SECRET_KEY = CONFIGURATION.secret_key
DEBUG = CONFIGURATION.debug
ALLOWED_HOSTS = [*CONFIGURATION.hosts, "testserver"] if "pytest" in sys.modules else list(CONFIGURATION.hosts)
ROOT_URLCONF = "fairway.interfaces.urls"
APPEND_SLASH = False  # no address of ours ends with one; looking whether it might costs a second resolution
DATABASES = {"default": configuration.database(CONFIGURATION.database_url, CONFIGURATION.data)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "fairway.kernel",
    "fairway.ui",
    "fairway.audit",
    "fairway.jobs",
    "fairway.accounts",
    "fairway.workspace",
    "fairway.approvals",
    "fairway.calendars",
    "fairway.catalog",
    "fairway.claims",
    "fairway.environments",
    "fairway.changes",
    "fairway.exchange",
    "fairway.demo",
    "fairway.interfaces",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "fairway.ui.csp.ContentSecurityPolicy",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "fairway.interfaces.middleware.ForPages",
    "fairway.accounts.web.ActorMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "fairway.ui.context.page",
                "fairway.interfaces.navigation.navigation",
            ]
        },
    }
]

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
     "OPTIONS": {"user_attributes": ("email", "name")}},
]  # fmt: skip
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"

SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = CONFIGURATION.https
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "fairway_session", "fairway_csrf"
SECURE_HSTS_SECONDS = 31_536_000 if CONFIGURATION.https else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if CONFIGURATION.https else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

USE_TZ, TIME_ZONE = True, "UTC"
USE_I18N, LANGUAGE_CODE = True, "en-gb"
LANGUAGES = [("en-gb", "English")]
STATIC_URL = "/static/"

TASKS = {"default": {"BACKEND": "fairway.jobs.backend.Backend", "QUEUES": ["default", "webhooks"]}}
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
DMR_SETTINGS = {"validate_responses": "pytest" in sys.modules}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"without_keys": {"()": "fairway.interfaces.logs.WithoutKeys"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "filters": ["without_keys"]}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
