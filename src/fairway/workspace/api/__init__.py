"""The workspace over the API, a module for each part."""

from fairway.workspace.api import attachments, comments, fields, notifications, past, search, undo, views

urls = [
    *attachments.urls,
    *comments.urls,
    *fields.urls,
    *notifications.urls,
    *past.urls,
    *search.urls,
    *undo.urls,
    *views.urls,
]
