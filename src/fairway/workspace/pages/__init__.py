"""Pages of the workspace."""

from fairway.workspace.pages import search

urlpatterns = [*search.urlpatterns]
