"""The workspace over the API, a module for each part."""

from fairway.workspace.api import comments, views

urls = [*comments.urls, *views.urls]
