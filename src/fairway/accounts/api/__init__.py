"""People and what they may do, the change feed and its stream, jobs and webhooks over the API."""

from fairway.accounts.api import (
    feed,
    grants,
    jobs,
    organisations,
    people,
    roles,
    services,
    shares,
    teams,
    tokens,
    webhooks,
)

urls = [
    *organisations.urls,
    *people.urls,
    *teams.urls,
    *grants.urls,
    *services.urls,
    *tokens.urls,
    *roles.urls,
    *shares.urls,
    *feed.urls,
    *jobs.urls,
    *webhooks.urls,
]
