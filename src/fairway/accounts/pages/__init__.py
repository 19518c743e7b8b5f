"""Pages of accounts: signing in, one's own profile, and the administration of people, teams and the tree."""

from fairway.accounts.pages import entrance, log, mine, people, structure

urlpatterns = [
    *entrance.urlpatterns,
    *mine.urlpatterns,
    *people.urlpatterns,
    *structure.urlpatterns,
    *log.urlpatterns,
]
