"""Each page in a real browser: fits its window, passes axe, answers to the keyboard, breaks no policy."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.support.browser import open_page, window
from tests.support.pages import PAGES, Page

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
# axe's rules of WCAG 2.2 AA and below, and its own of good practice.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
GRAVE = {"serious", "critical"}
EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)

# Elements that reach beyond the right edge of the window, unless a scroller around them takes them in.
OVERFLOWING = """() => {
  const edge = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= edge) return [];
  return [...document.body.querySelectorAll("*")]
    .filter((it) => it.getBoundingClientRect().right > edge + 1)
    .map((it) => it.tagName.toLowerCase() + "." + [...it.classList].join("."))
    .slice(0, 12);
}"""

# What the Tab key should reach: visible, enabled, in the order, one of each group of radio buttons.
MARK_STOPS = """() => {
  const stops = [...document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex]")].filter((it) =>
      it.tabIndex >= 0 && !it.disabled && it.type !== "hidden" && !it.closest("[inert]") &&
      it.checkVisibility({ visibilityProperty: true }) && (it.type !== "radio" || it.checked));
  stops.forEach((it, number) => { it.dataset.stop = number; });
  return stops.length;
}"""
FOCUSED = """() => Number(document.activeElement?.dataset?.stop ?? -1)"""
# What was not reached, unless the page has taken it away meanwhile.
MISSED = """(numbers) => numbers
  .map((number) => document.querySelector(`[data-stop="${number}"]`))
  .filter((it) => it?.checkVisibility({ visibilityProperty: true }) && !it.closest("[inert]"))
  .map((it) => it.outerHTML.slice(0, 160))"""
PRESSES = 4  # Tab stops in a field for date and time more than once

pytestmark = pytest.mark.browser


@contextlib.contextmanager
def opened(
    browser: Browser, address: str, cookies: Any, page: Page, width: int, scheme: str
) -> Iterator[Tab]:
    """Open a page and, when the test is done with it, see that neither script nor policy complained."""
    complaints: list[str] = []
    signed = cookies if page.signed_in else None
    with window(browser, address, width=width, scheme=scheme, cookies=signed) as context:
        tab = context.new_page()
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        # Chromium tells of a document's own status as of an error; pages that should answer it say so.
        expected = f"status of {page.status}"
        tab.on("console", lambda it: complaints.append(it.text) if it.type in {"error", "warning"} else None)
        open_page(tab, page)
        yield tab
        heard = [it for it in complaints if page.status == 200 or expected not in it]
        assert not heard, "\n".join(heard)


@EACH_PAGE
@pytest.mark.parametrize("width", [390, 1366, 1920])
def test_fits_its_window(browser: Browser, address: str, cookies: Any, page: Page, width: int) -> None:
    with opened(browser, address, cookies, page, width, "light") as tab:
        found = tab.evaluate(OVERFLOWING)
        assert not found, f"scrolls sideways at {width} px, by {', '.join(found)}"


@EACH_PAGE
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1366, "light"), (1366, "dark")])
def test_axe_finds_nothing_grave(
    browser: Browser, address: str, cookies: Any, page: Page, width: int, scheme: str
) -> None:
    with opened(browser, address, cookies, page, width, scheme) as tab:
        tab.evaluate(AXE.read_text(encoding="utf-8"))
        found = tab.evaluate("(tags) => axe.run(document, { runOnly: tags })", RULES)
        grave = [
            f"{it['id']}: {it['help']}: {node['html'][:200]} {node.get('failureSummary', '')}"
            for it in found["violations"]
            if it["impact"] in GRAVE
            for node in it["nodes"][:5]
        ]
        assert found["passes"], "axe looked at nothing"
        assert not grave, "\n".join(grave)


@EACH_PAGE
def test_keyboard_alone_reaches_everything(browser: Browser, address: str, cookies: Any, page: Page) -> None:
    with opened(browser, address, cookies, page, 1366, "light") as tab:
        stops = tab.evaluate(MARK_STOPS)
        assert stops, "nothing to reach"
        left = set(range(stops))
        for _ in range(stops * PRESSES + 10):
            if not left:
                break
            tab.keyboard.press("Tab")
            left.discard(tab.evaluate(FOCUSED))
        missed = tab.evaluate(MISSED, sorted(left))
        assert not missed, "\n".join([f"Tab reached {stops - len(left)} of {stops}, not", *missed])
