"""One server, one browser and one window of each kind for all tests here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.support.browser import chromium, sign_in, window
from tests.support.server import Server, demo_server

Windows = Callable[[int, str, bool], BrowserContext]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Run a server with the demo company."""
    with demo_server() as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def cookies(browser: Browser, server: Server) -> Any:
    """Return the cookies of someone who sees every page."""
    return sign_in(browser, server)


@pytest.fixture(scope="session")
def windows(browser: Browser, server: Server, cookies: Any) -> Iterator[Windows]:
    """Give the window of a width and a scheme, signed in or not; its cache stays warm between tests."""
    kept: dict[tuple[int, str, bool], BrowserContext] = {}

    def opened(width: int, scheme: str, signed_in: bool) -> BrowserContext:
        key = width, scheme, signed_in
        if key not in kept:
            kept[key] = window(
                browser, server.address, width=width, scheme=scheme, cookies=cookies if signed_in else None
            )
        return kept[key]

    yield opened
    for context in kept.values():
        context.close()
