"""The pages and panels of the workspace, a module for each part."""

from fairway.workspace.pages import (
    activity,
    attachments,
    fields,
    lists,
    notifications,
    past,
    search,
    undo,
    views,
)

urlpatterns = [
    *activity.urlpatterns,
    *attachments.urlpatterns,
    *fields.urlpatterns,
    *lists.urlpatterns,
    *notifications.urlpatterns,
    *past.urlpatterns,
    *search.urlpatterns,
    *undo.urlpatterns,
    *views.urlpatterns,
]
