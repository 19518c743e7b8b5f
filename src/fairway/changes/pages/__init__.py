"""Pages of changes: the list, a record, its form and steps, the calendar; and of drift."""

from fairway.changes.pages import changes, drifts, slots

urlpatterns = [*drifts.urlpatterns, *slots.urlpatterns, *changes.urlpatterns]
