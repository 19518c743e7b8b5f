"""People and what they may do, the change feed and its stream, jobs and webhooks over the API."""

<<<<<<< HEAD
from fairway.accounts.api import feed, jobs, people, webhooks

urls = [*people.urls, *feed.urls, *jobs.urls, *webhooks.urls]
=======
from fairway.accounts.api import feed, people, shares

urls = [*people.urls, *shares.urls, *feed.urls]
>>>>>>> cd8bca3 (Show a record, a list or the calendar by a link that ends, with what it names alone)
