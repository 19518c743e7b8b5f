"""Items, relations, their kinds, builds and impact over the API."""

from fairway.catalog.api import (
    baselines,
    builds,
    health,
    impact,
    items,
    kinds,
    redundancy,
    relations,
    stakeholders,
)

urls = [
    *baselines.urls,
    *builds.urls,
    *stakeholders.urls,
    *items.urls,
    *kinds.urls,
    *relations.urls,
    *redundancy.urls,
    *impact.urls,
    *health.urls,
]
