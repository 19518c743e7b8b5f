"""The pages and panels of the workspace, a module for each part."""

from fairway.workspace.pages import activity, fields, notifications, search, undo

urlpatterns = [
    *activity.urlpatterns,
    *fields.urlpatterns,
    *notifications.urlpatterns,
    *search.urlpatterns,
    *undo.urlpatterns,
]
