"""Addresses are found by their first segment, and what is found is what Django finds trying them all."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, path, re_path, resolve, reverse
from django.urls.resolvers import RoutePattern, URLResolver
from hypothesis import given
from hypothesis import strategies as st

from fairway.interfaces.urls import urlpatterns
from fairway.kernel.routing import Ways

WAYS = [one for one in urlpatterns if isinstance(one, Ways)]
ROUTES = sorted({str(one.pattern) for way in WAYS for one in way.url_patterns})
SEGMENTS = sorted({part for route in ROUTES for part in route.split("/")} | {"x", "CHG-7", "a b", "Ä", "\n"})


def view(request: HttpRequest, **_: Any) -> HttpResponse:
    return HttpResponse()


ODD = [
    path("a", view, name="a"),
    path("<str:any>", view, name="any"),
    path("a/<path:rest>", view, name="rest"),
    path("a/<int:number>", view, name="shadowed"),
    path("<slug:any>/b", view, name="b"),
    re_path(r"^c/(?P<digits>\d+)/?$", view, name="digits"),
    path("c/d", view, name="d"),
    path("", view, name="nothing"),
]


def plain(way: Ways) -> URLResolver:
    """Return Django's resolver of the same addresses, which tries one after the other."""
    return URLResolver(RoutePattern(str(way.pattern)), way.url_patterns, None, way.app_name, way.namespace)


def told(resolver: URLResolver, address: str) -> Any:
    try:
        found: Any = resolver.resolve(address)
    except Resolver404:
        return None
    return (
        found.func, found.args, found.kwargs, found.url_name, found.app_names, found.namespaces, found.route,
        found.captured_kwargs,
    )  # fmt: skip


def test_each_address_is_found_as_django_finds_it() -> None:
    for way in WAYS:
        slow = plain(way)
        for route in ROUTES:
            address = str(way.pattern) + re.sub(r"<.*?>", "new", route)
            assert told(way, address) == told(slow, address), address


@given(st.lists(st.sampled_from(SEGMENTS), max_size=6))
def test_what_leads_nowhere_leads_nowhere(segments: list[str]) -> None:
    for way in WAYS:
        for address in (str(way.pattern) + "/".join(segments), "/".join(segments)):
            assert told(way, address) == told(plain(way), address), address


@given(st.lists(st.sampled_from(["a", "b", "c", "d", "7", "", "a b"]), max_size=4))
def test_routes_that_take_several_segments_keep_their_place(segments: list[str]) -> None:
    way = Ways("", ODD)
    assert told(way, "/".join(segments)) == told(plain(way), "/".join(segments))


def test_only_few_addresses_are_tried(monkeypatch: Any) -> None:
    tried = []
    match = RoutePattern.match

    def counted(self: RoutePattern, address: str) -> Any:
        tried.append(self)
        return match(self, address)

    monkeypatch.setattr(RoutePattern, "match", counted)
    resolve("/api/v1/items/till")
    assert len(tried) <= 6
    assert reverse("api:item", args=["till"]) == "/api/v1/items/till"
