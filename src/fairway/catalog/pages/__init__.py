"""Pages of the catalogue: the list, a record, its forms, its relations, its impact."""

from fairway.catalog.pages import graph, health, impact, items, kinds, redundancy, relations, stakeholders

urlpatterns = [
    *kinds.urlpatterns,
    *stakeholders.urlpatterns,
    *items.urlpatterns,
    *relations.urlpatterns,
    *redundancy.urlpatterns,
    *impact.urlpatterns,
    *graph.urlpatterns,
    *health.urlpatterns,
]
