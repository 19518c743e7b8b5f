"""Items, relations, their kinds, and impact over the API."""

from fairway.catalog.api import impact, items, kinds, relations

urls = [*items.urls, *kinds.urls, *relations.urls, *impact.urls]
