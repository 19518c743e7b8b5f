"""One server and one browser for all tests here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support.browser import chromium, sign_in
from tests.support.server import Server, demo_server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Run a server with the demo company."""
    with demo_server() as server:
        yield server


@pytest.fixture(scope="session")
def address(server: Server) -> str:
    return server.address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def cookies(browser: Browser, server: Server) -> Any:
    """Return the cookies of someone who sees every page."""
    return sign_in(browser, server)
