"""Pages of freezes, maintenance windows, working calendars and subscriptions."""

from fairway.calendars.pages import subscribing, windows, working

urlpatterns = [*windows.urlpatterns, *working.urlpatterns, *subscribing.urlpatterns]
