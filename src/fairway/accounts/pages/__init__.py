"""Pages of accounts: signing in, one's own profile, and the administration of people, teams and the tree."""

<<<<<<< HEAD
from fairway.accounts.pages import entrance, jobs, log, mine, people, structure, webhooks
=======
from fairway.accounts.pages import entrance, log, mine, people, shares, structure
>>>>>>> cd8bca3 (Show a record, a list or the calendar by a link that ends, with what it names alone)

urlpatterns = [
    *entrance.urlpatterns,
    *mine.urlpatterns,
    *people.urlpatterns,
    *structure.urlpatterns,
    *log.urlpatterns,
<<<<<<< HEAD
    *jobs.urlpatterns,
    *webhooks.urlpatterns,
=======
    *shares.urlpatterns,
>>>>>>> cd8bca3 (Show a record, a list or the calendar by a link that ends, with what it names alone)
]
