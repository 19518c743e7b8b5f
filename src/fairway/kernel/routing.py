"""Addresses told apart by their first segment, so that finding one does not grow with how many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from functools import cached_property
from typing import Any

from django.urls.converters import IntConverter, SlugConverter, StringConverter, UUIDConverter
from django.urls.resolvers import ResolverMatch, RoutePattern, URLPattern, URLResolver

Address = URLPattern | URLResolver
Place = tuple[str | None, int | None]
"""The first segment of a route and how many slashes it has; None: whichever."""
OF_ONE_SEGMENT = {IntConverter, SlugConverter, StringConverter, UUIDConverter}


class Ways(URLResolver):
    """Tries, in their order, only those addresses that have the path's first segment and its slashes.

    What it finds is what Django finds, which tries all of them one after the other.
    """

    def __init__(self, route: str, addresses: Sequence[Address], *, app: str | None = None) -> None:
        super().__init__(RoutePattern(route), list(addresses), None, app, app)

    def resolve(self, path: Any) -> ResolverMatch:
        path = str(path)
        rest = path.removeprefix(str(self.pattern))
        within = self._within.get(rest.partition("/")[0]) or self._within[None]
        return (within.get(rest.count("/")) or within[None]).resolve(path)

    @cached_property
    def _within(self) -> dict[str | None, dict[int | None, URLResolver]]:
        """Return what to try, by first segment and then by slashes; None: any other."""
        places = [(address, _place(address)) for address in self.url_patterns]
        found: dict[str | None, dict[int | None, URLResolver]] = {}
        for head in {None, *(head for _, (head, _) in places)}:
            some = [(address, slashes) for address, (one, slashes) in places if one in {None, head}]
            found[head] = {
                number: self._only(address for address, slashes in some if slashes in {None, number})
                for number in {None, *(slashes for _, slashes in some)}
            }
        return found

    def _only(self, addresses: Iterable[Address]) -> URLResolver:
        """Return Django's own resolver for some of the addresses."""
        part: Any = copy(self)
        part.__class__ = URLResolver
        part.url_patterns = list(addresses)
        return part  # type: ignore[no-any-return]


def _place(address: Address) -> Place:
    """Return where an address stands, as far as its route alone tells."""
    pattern = address.pattern
    if not isinstance(pattern, RoutePattern) or isinstance(address, URLResolver):
        return None, None
    head = str(pattern).partition("/")[0]
    fixed = all(type(one) in OF_ONE_SEGMENT for one in pattern.converters.values())
    return None if "<" in head else head, str(pattern).count("/") if fixed else None
