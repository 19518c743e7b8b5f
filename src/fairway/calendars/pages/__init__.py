"""Pages of freezes, maintenance windows and working calendars."""

from fairway.calendars.pages import windows, working

urlpatterns = [*windows.urlpatterns, *working.urlpatterns]
