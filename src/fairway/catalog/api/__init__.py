"""Items, relations, their kinds, and impact over the API."""

from fairway.catalog.api import health, impact, items, kinds, redundancy, relations, stakeholders

urls = [
    *stakeholders.urls,
    *items.urls,
    *kinds.urls,
    *relations.urls,
    *redundancy.urls,
    *impact.urls,
    *health.urls,
]
