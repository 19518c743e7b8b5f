"""Items, relations, their kinds, and impact over the API."""

from fairway.catalog.api import impact, items, kinds, redundancy, relations

urls = [*items.urls, *kinds.urls, *relations.urls, *redundancy.urls, *impact.urls]
