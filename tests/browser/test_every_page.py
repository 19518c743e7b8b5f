"""Each page in a real browser: fits its window, passes axe, answers to the keyboard, breaks no policy."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page as Tab

from tests.browser.conftest import Windows
from tests.support.browser import AT_REST, open_page
from tests.support.pages import PAGES, SIZES, Page

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
# axe's rules of WCAG 2.2 AA and below, and its own of good practice.
RULES: dict[str, object] = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
TARGETS: dict[str, object] = {"type": "rule", "values": ["target-size"]}
COLOURS: dict[str, object] = {"type": "rule", "values": ["color-contrast"]}
BUT_COLOURS: dict[str, object] = {"color-contrast": {"enabled": False}}
GRAVE = {"serious", "critical"}
ON_A_SCALE = {
    *("calendar", "calendar-environments", "calendar-organisations", "calendar-people"),
    *("environment", "environment-lanes"),
}
"""Pages that choose by the width at which they are opened how they are laid out."""
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


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=page.name, marks=() if page.name in ON_A_SCALE else pytest.mark.deep)
        for page in PAGES
    ],
)
def test_a_phone_shows_it(windows: Windows, page: Page) -> None:
    with opened(windows, page, 390, "light") as tab:
        fits(tab, 390)
        axe_finds_nothing_grave(tab, RULES, BUT_COLOURS)  # they are those of the desk


@EACH_PAGE
def test_a_desk_shows_it_light_and_dark_and_the_keyboard_alone_reaches_everything(
    windows: Windows, page: Page
) -> None:
    with opened(windows, page, 1366, "light") as tab:
        fits(tab, 1366)
        axe_finds_nothing_grave(tab, RULES)
        tab.emulate_media(color_scheme="dark")
        axe_finds_nothing_grave(tab, COLOURS)  # what else axe looks at is the same in the dark
        tab.set_viewport_size({"width": 1920, "height": SIZES[1920]})
        tab.wait_for_function(AT_REST)
        fits(tab, 1920)
        keyboard_reaches_everything(tab)
        if page.name not in ON_A_SCALE:
            tab.set_viewport_size({"width": 390, "height": SIZES[390]})
            tab.wait_for_function(AT_REST)
            fits(tab, 390)
            axe_finds_nothing_grave(tab, TARGETS)  # the rest is the desk's; `dev.py browser` does all


def fits(tab: Tab, width: int) -> None:
    """Check that nothing makes the page scroll sideways."""
    beyond = tab.evaluate(OVERFLOWING)
    assert not beyond, f"scrolls sideways at {width} px, by {', '.join(beyond)}"


def axe_finds_nothing_grave(
    tab: Tab, only: dict[str, object], rules: dict[str, object] | None = None
) -> None:
    """Check the page as it is shown now against rules of axe; `rules` turns some of them off."""
    if not tab.evaluate("() => 'axe' in window"):
        tab.evaluate(AXE.read_text(encoding="utf-8"))
    # Of what passes, axe describes one element for each rule, not all of them.
    found = tab.evaluate(
        '([runOnly, rules]) => axe.run(document, { runOnly, rules, resultTypes: ["violations"] })',
        [only, rules or {}],
    )
    grave = [
        f"{it['id']}: {it['help']}: {node['html'][:200]} {node.get('failureSummary', '')}"
        for it in found["violations"]
        if it["impact"] in GRAVE
        for node in it["nodes"][:5]
    ]
    assert found["passes"], "axe looked at nothing"
    assert not grave, "\n".join(grave)


def keyboard_reaches_everything(tab: Tab) -> None:
    """Press Tab until each stop had the focus, or too often."""
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
