"""Pages of changes: the list, a record, its form and steps, the calendar; and of drift."""

from fairway.changes.pages import changes, drifts

urlpatterns = [*drifts.urlpatterns, *changes.urlpatterns]
