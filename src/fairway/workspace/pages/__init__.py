"""The pages and panels of the workspace, a module for each part."""

from fairway.workspace.pages import activity, search, undo

urlpatterns = [*activity.urlpatterns, *search.urlpatterns, *undo.urlpatterns]
