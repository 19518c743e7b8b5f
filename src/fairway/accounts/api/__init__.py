"""People and what they may do, the change feed and its stream, jobs and webhooks over the API."""

from fairway.accounts.api import feed, jobs, people, roles, shares, webhooks

urls = [*people.urls, *roles.urls, *shares.urls, *feed.urls, *jobs.urls, *webhooks.urls]
