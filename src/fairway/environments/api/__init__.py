"""Environments, what stands in them, their groups and links over the API."""

from fairway.environments.api import environments, groups, links

urls = [*environments.urls, *groups.urls, *links.urls]
