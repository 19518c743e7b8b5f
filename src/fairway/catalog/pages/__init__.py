"""Pages of the catalogue: the list, a record, its forms, its relations, its impact; builds."""

from fairway.catalog.pages import (
    baselines,
    builds,
    graph,
    health,
    impact,
    items,
    kinds,
    redundancy,
    relations,
    stakeholders,
)

urlpatterns = [
    *baselines.urlpatterns,
    *builds.urlpatterns,
    *kinds.urlpatterns,
    *stakeholders.urlpatterns,
    *items.urlpatterns,
    *relations.urlpatterns,
    *redundancy.urlpatterns,
    *impact.urlpatterns,
    *graph.urlpatterns,
    *health.urlpatterns,
]
