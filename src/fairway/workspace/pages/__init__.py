"""The pages and panels of the workspace, a module for each part."""

from fairway.workspace.pages import activity, fields, notifications, past, search, undo

urlpatterns = [
    *activity.urlpatterns,
    *fields.urlpatterns,
    *notifications.urlpatterns,
    *past.urlpatterns,
    *search.urlpatterns,
    *undo.urlpatterns,
]
