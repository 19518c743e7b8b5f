"""The workspace over the API, a module for each part."""

from fairway.workspace.api import comments, fields, search, undo, views

urls = [*comments.urls, *fields.urls, *search.urls, *undo.urls, *views.urls]
