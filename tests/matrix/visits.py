"""Visiting pages as somebody, and reading what they offer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urlsplit

from django.test import Client
from django.urls import Resolver404, resolve

from .pages import PAGES, Page
from .table import plain
from .world import Branch, keeps_silent


class Visit:
    """One page used as its entry says, on records of one branch; each part can be had differently."""

    def __init__(self, route: str, branch: Branch) -> None:
        self.route, self.branch = route, branch
        self.entry: Page = PAGES[route]
        self.path = self.entry.path(branch)
        self.form = self.entry.form(branch)
        self.query = self.entry.query(branch)
        self.by = "key"

    def address(self) -> str:
        values = {name: quote(plain(one, by=self.by), safe="") for name, one in self.path.items()}
        return "/" + re.sub(r"<\w+:(\w+)>", lambda found: values[found[1]], self.route)

    def get(self, client: Client, *, query: Mapping[str, str] | None = None, **headers: str) -> Any:
        asked = {**plain(self.query), **(query or {})}
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = client.get(self.address(), query_params=asked, headers=names)
        return keeps_silent(answer, f"{self.address()} {asked}")

    def post(self, client: Client, *, form: Mapping[str, Any] | None = None, **headers: str) -> Any:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        given = plain(self.form) if form is None else form
        answer = client.post(self.address(), data=dict(given), query_params=plain(self.query), headers=names)
        return keeps_silent(answer, f"{self.address()} {given}")


def anybody() -> Client:
    return Client(raise_request_exception=False)


class _Offers(HTMLParser):
    """Collects what a page lets its reader do: where links lead, and what its forms and panels ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._templates = 0

    def handle_endtag(self, tag: str) -> None:
        self._templates -= tag == "template"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._templates += tag == "template"
        if self._templates:
            return  # nothing that can be pressed
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.found.append(("get", given["href"]))
        if tag == "form":
            self.found.append((given.get("method", "get").lower(), given.get("action", "")))
        if "formaction" in given:
            self.found.append(("post", given["formaction"]))
        for name in ("hx-get", "data-href", "url", "src", "data-url"):
            if given.get(name, "").startswith("/"):
                self.found.append(("get", given[name]))
        for name in ("hx-post", "hx-put", "hx-patch", "hx-delete"):
            if name in given:
                self.found.append(("post", given[name]))


def offers(page: str, here: str) -> Iterator[tuple[str, str, str]]:
    """Yield what a page offers as (method, address, route), but for files and other machines."""
    reader = _Offers()
    reader.feed(page)
    for method, address in reader.found:
        parts = urlsplit(address)
        if parts.scheme or parts.netloc or address.startswith(("#", "/static/")):
            continue
        path = parts.path or urlsplit(here).path
        yield method, path, route_of(path)


def route_of(path: str) -> str:
    """Return the route that an address leads to, “?” where there is none."""
    try:
        return str(resolve(path).route)
    except Resolver404:
        return "?"
