"""Each page in a real browser: fits its window, passes axe, answers to the keyboard, breaks no policy."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page as Tab

from tests.browser.conftest import Windows
from tests.support.browser import open_page
from tests.support.pages import PAGES, Page

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
# axe's rules of WCAG 2.2 AA and below, and its own of good practice.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
GRAVE = {"serious", "critical"}
EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)

# Elements beyond the right edge of the window, or of the part of it that scrolls, if that scrolls sideways; a
# scroller around a table takes it in.
OVERFLOWING = """() => {
  const main = document.querySelector(".fw-main");
  const wide = [document.documentElement, main].some((it) => it && it.scrollWidth > it.clientWidth + 1);
  if (!wide) return [];
  const edge = (main?.getBoundingClientRect().left ?? 0) + (main ?? document.documentElement).clientWidth;
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
  window.reached = [];
  document.addEventListener("focusin", (event) => reached.push(Number(event.target.dataset.stop ?? -1)));
  return stops.length;
}"""
REACHED = """() => reached"""
# What was not reached, unless the page has taken it away meanwhile.
MISSED = """(numbers) => numbers
  .map((number) => document.querySelector(`[data-stop="${number}"]`))
  .filter((it) => it?.checkVisibility({ visibilityProperty: true }) && !it.closest("[inert]"))
  .map((it) => it.outerHTML.slice(0, 160))"""
PRESSES = 4  # Tab stops in a field for date and time more than once
AT_ONCE = 20

pytestmark = pytest.mark.browser


@contextlib.contextmanager
def opened(windows: Windows, page: Page, width: int, scheme: str) -> Iterator[Tab]:
    """Open a page and, when the test is done with it, see that neither script nor policy complained."""
    complaints: list[str] = []
    tab = windows(width, scheme, page.signed_in).new_page()
    try:
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        # Chromium tells of a document's own status as of an error; pages that should answer it say so.
        expected = f"status of {page.status}"
        tab.on("console", lambda it: complaints.append(it.text) if it.type in {"error", "warning"} else None)
        open_page(tab, page)
        yield tab
    finally:
        tab.close()
    heard = [it for it in complaints if page.status == 200 or expected not in it]
    assert not heard, "\n".join(heard)


@EACH_PAGE
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1366, "light"), (1366, "dark")])
def test_fits_its_window_and_axe_finds_nothing_grave(
    windows: Windows, page: Page, width: int, scheme: str
) -> None:
    with opened(windows, page, width, scheme) as tab:
        beyond = tab.evaluate(OVERFLOWING)
        assert not beyond, f"scrolls sideways at {width} px, by {', '.join(beyond)}"
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
def test_keyboard_alone_reaches_everything(windows: Windows, page: Page) -> None:
    with opened(windows, page, 1920, "light") as tab:
        beyond = tab.evaluate(OVERFLOWING)
        assert not beyond, f"scrolls sideways at 1920 px, by {', '.join(beyond)}"
        stops = tab.evaluate(MARK_STOPS)
        assert stops, "nothing to reach"
        left = set(range(stops))
        for pressed in range(stops * PRESSES + AT_ONCE):
            if pressed % AT_ONCE == 0:
                left -= set(tab.evaluate(REACHED))
                if not left:
                    break
            tab.keyboard.press("Tab")
        left -= set(tab.evaluate(REACHED))
        missed = tab.evaluate(MISSED, sorted(left))
        assert not missed, "\n".join([f"Tab reached {stops - len(left)} of {stops}, not", *missed])
