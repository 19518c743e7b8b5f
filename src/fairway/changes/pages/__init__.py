"""Pages of changes: the list, a record, form, steps, impact, free slots, the calendar; of drift."""

from fairway.changes.pages import (
    calendar,
    changes,
    conflicts,
    drifts,
    feeds,
    hits,
    impact,
    lists,
    moving,
    slots,
    waivers,
)

urlpatterns = [
    *drifts.urlpatterns,
    *hits.urlpatterns,
    *slots.urlpatterns,
    *waivers.urlpatterns,
    *conflicts.urlpatterns,
    *lists.urlpatterns,
    *impact.urlpatterns,
    *calendar.urlpatterns,
    *moving.urlpatterns,
    *feeds.urlpatterns,
    *changes.urlpatterns,  # last: its steps answer to any verb
]
