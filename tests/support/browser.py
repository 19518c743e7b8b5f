"""Chromium by Playwright: the browser of this machine, nothing downloaded."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Response, sync_playwright
from playwright.sync_api import Page as Tab

from tests.support.pages import SIZES, Page
from tests.support.server import Server

FLAGS = [
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Panels and timelines have come, and what is typed ahead is checked.
AT_REST = """() => !document.querySelector(".fw-loading, .htmx-request") &&
  [...document.querySelectorAll("fw-timeline")].every(
    (it) => it.phase !== "first" && !it.querySelector(".fwt-busy.is-on"))"""
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser.

    :raises RuntimeError: this machine has none; `CHROMIUM` may name one that stands elsewhere.
    """
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        raise RuntimeError("no Chromium on this machine; install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def sign_in(browser: Browser, server: Server) -> Any:
    """Sign in once and return the cookies that other contexts start with."""
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(f"{server.address}/sign-in")
    tab.locator("form input:not([type=hidden]):not([type=password])").first.fill(server.email)
    tab.locator("form input[type=password]").fill(server.password)
    tab.locator("form button.btn-primary").click()
    tab.wait_for_url(lambda url: "/sign-in" not in url)
    state = context.storage_state()
    context.close()
    return state


def window(browser: Browser, address: str, *, width: int, scheme: str, cookies: Any | None) -> BrowserContext:
    """Open a window of one of the sizes, light or dark, without motion, signed in by the cookies."""
    return browser.new_context(
        base_url=address,
        viewport={"width": width, "height": SIZES[width]},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="Europe/London",
        storage_state=cookies,
    )


def open_page(tab: Tab, page: Page) -> Response:
    """Open a page, following to a record where it is one, and wait until it is at rest.

    :raises LookupError: nothing to follow, or another status than the page should answer.
    """
    response = tab.goto(page.path, wait_until="load")
    if page.follow:
        links = tab.locator(page.follow)
        href = links.first.get_attribute("href") if links.count() else None
        if href is None:
            raise LookupError(f"{page.path} shows nothing like {page.follow}")
        response = tab.goto(href, wait_until="load")
    if response is None or response.status != page.status:
        raise LookupError(f"{tab.url} answered {response and response.status}, not {page.status}")
    tab.wait_for_function(AT_REST)
    tab.evaluate("document.fonts.ready.then(() => null)")
    return response
