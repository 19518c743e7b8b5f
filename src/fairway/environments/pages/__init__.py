"""Pages of environments and of their groups and links."""

from fairway.environments.pages import environments, groups, links

urlpatterns = [*links.urlpatterns, *environments.urlpatterns, *groups.urlpatterns]
