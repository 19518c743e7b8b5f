"""The workspace over the API, a module for each part."""

from fairway.workspace.api import comments, search, views

urls = [*comments.urls, *search.urls, *views.urls]
