"""Pages of accounts: signing in, one's own profile, and the administration of people, teams and the tree."""

from fairway.accounts.pages import (
    delegations,
    entrance,
    jobs,
    limits,
    log,
    mine,
    people,
    roles,
    services,
    shares,
    structure,
    webhooks,
)

urlpatterns = [
    *entrance.urlpatterns,
    *mine.urlpatterns,
    *delegations.urlpatterns,
    *people.urlpatterns,
    *services.urlpatterns,
    *structure.urlpatterns,
    *roles.urlpatterns,
    *limits.urlpatterns,
    *log.urlpatterns,
    *jobs.urlpatterns,
    *webhooks.urlpatterns,
    *shares.urlpatterns,
]
