"""Bars of the calendar moved by hand and by keys, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Route, expect
from playwright.sync_api import Page as Tab

from tests.browser.conftest import Windows
from tests.support.browser import AT_REST

pytestmark = pytest.mark.browser


@pytest.fixture
def tab(windows: Windows) -> Iterator[Tab]:
    tab = windows(1366, "light", True).new_page()
    tab.goto("/calendar")
    tab.wait_for_function(AT_REST)
    yield tab
    tab.close()


def draft(tab: Tab) -> Locator:
    """Return a draft's bar, brought into sight by its keys and left where it was."""
    bar = tab.locator(".fwt-bar.is-movable.is-tentative").first
    ident = bar.get_attribute("data-id")
    bar.focus()
    tab.keyboard.press("Shift+ArrowRight")
    tab.keyboard.press("Escape")
    found = tab.locator(f'.fwt-bar[data-id="{ident}"]')
    found.scroll_into_view_if_needed()
    tab.wait_for_timeout(500)  # what was panned comes to rest
    return found


def test_keys_move_a_bar_and_tell_so(tab: Tab) -> None:
    bar, said = draft(tab), tab.locator("[data-part=speech]")
    before = bar.get_attribute("data-id")
    bar.focus()
    tab.keyboard.press("Shift+ArrowRight")
    expect(said).to_contain_text("Enter applies")
    tab.keyboard.press("Enter")
    expect(said).to_contain_text("was moved")
    expect(tab.locator("[data-toast] form:not([hidden])")).to_have_count(1)  # the way back
    key = (before or "").split("/")[0]
    expect(tab.locator(f'.fwt-bar:focus[data-id^="{key}/"]:not([data-id="{before}"])')).to_have_count(1)
    expect(tab.locator(f'.fwt-bar[data-id="{before}"]')).to_have_count(0)


def test_a_hand_moves_a_bar_and_sees_what_stands_in_the_way_before_it_lets_go(tab: Tab) -> None:
    bar, panel = draft(tab), tab.locator("[data-part=move]")
    before = bar.get_attribute("data-id") or ""
    box = bar.bounding_box()
    assert box
    with tab.expect_response(lambda answer: answer.url.endswith("/calendar/move")) as held:
        tab.mouse.move(box["x"] + 3, box["y"] + 8)
        tab.mouse.down()
        tab.mouse.move(box["x"] + 120, box["y"] + 8, steps=6)
    assert "summary" not in held.value.json()  # told, and nothing written
    expect(panel).to_be_visible()
    moved = bar.bounding_box()
    assert moved
    assert moved["x"] > box["x"] + 90
    with tab.expect_response(lambda answer: "apply=1" in (answer.request.post_data or "")) as dropped:
        tab.mouse.up()
    assert dropped.value.json()["moves"][0]["ok"]
    expect(tab.locator(f'.fwt-bar[data-id="{before}"]')).to_have_count(0)


STANDS_AT = """([id, x, y]) => {
  const bar = [...document.querySelectorAll(".fwt-bar")].find((it) => it.dataset.id === id);
  const box = bar?.getBoundingClientRect();
  return box && box.x === x && box.y === y;
}"""
"""Asked until it is so: bars are drawn anew, and one is gone for a moment."""


def test_what_is_refused_goes_back_and_says_why(tab: Tab) -> None:
    def refuse(route: Route) -> None:
        if "apply=1" in (route.request.post_data or ""):
            route.fulfill(status=409, json={"detail": "Somebody else was first."})
        else:
            route.continue_()

    tab.route("**/calendar/move", refuse)
    bar = draft(tab)
    box = bar.bounding_box()
    assert box is not None
    bar.focus()
    tab.keyboard.press("Shift+ArrowRight")
    tab.keyboard.press("Enter")
    expect(tab.locator("[data-part=move]")).to_contain_text("Somebody else was first.")
    tab.wait_for_function(STANDS_AT, arg=[bar.get_attribute("data-id"), box["x"], box["y"]])


def test_several_are_held_together(tab: Tab) -> None:
    one_of_each = (
        """all => [...new Map(all.map(it => [it.dataset.id.split("/")[0], it.dataset.id])).values()]"""
    )
    keys = tab.eval_on_selector_all(".fwt-bar.is-movable", one_of_each)
    for ident in keys[:2]:
        tab.locator(f'.fwt-bar[data-id="{ident}"]').focus()
        tab.keyboard.press("x")
    expect(tab.locator("[data-part=speech]")).to_have_text("2 selected")
    with tab.expect_request("**/calendar/move") as asked:
        tab.keyboard.press("Shift+ArrowLeft")
    assert (asked.value.post_data or "").count("window=") == 2
    expect(tab.locator("[data-part=move]")).to_contain_text("+ 1")
    tab.keyboard.press("Escape")
    expect(tab.locator("[data-part=move]")).to_be_hidden()
    tab.keyboard.press("Escape")
    expect(tab.locator(".fwt-bar.is-picked")).to_have_count(0)
