"""Measures the timeline with thousands of bars in Chromium: frames while it moves, and that each can be had.

The page is the product's own; what it is answered is made here, so that it takes no database of that size.
Frames are the times between two of the browser's animation frames, and work is what its main thread did for
each step by its own clock, which other work on the machine does not lengthen. The floor is a page that has as
many boxes as the timeline has in its document, and does nothing but shift the layer they lie on.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import CDPSession, Route
from playwright.sync_api import Page as Tab

from tests.support.browser import AT_REST, chromium, sign_in, window
from tests.support.server import demo_server

STEPS = 60
MEDIAN, NINETY_FIFTH = 17.0, 34.0
"""Milliseconds a frame may take while one pans."""
LANES = 400
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
MONTH = timedelta(days=31)

# A point of the timeline where no bar stands, and one of a bar that a hand can take.
FREE = """() => {
  for (let y = 320; y < innerHeight - 80; y += 3)
    for (let x = innerWidth - 160; x > 700; x -= 7)
      if (document.elementFromPoint(x, y)?.matches(".fwt-canvas, .fwt-layer")) return [x, y];
}"""
HITTABLE = """() => {
  for (const bar of document.querySelectorAll(".fwt-bar.is-movable")) {
    const box = bar.getBoundingClientRect();
    const at = [box.left + 3, box.top + 8];
    const free = at[0] > 500 && at[0] < 900;
    if (free && document.elementFromPoint(...at)?.closest("[data-id]") === bar) return at;
  }
}"""
FRAMES = """() => { window.frames_ = []; window.going = true;
  const next = (at) => { frames_.push(at); if (going) requestAnimationFrame(next); };
  requestAnimationFrame(next); }"""
ENOUGH = """() => { going = false; return frames_.slice(1).map((at, place) => at - frames_[place]); }"""
BARE = """(count) => {
  document.body.innerHTML = "<div style='overflow:hidden;height:100vh'><div id=layer></div></div>";
  const layer = document.getElementById("layer");
  for (let n = 0; n < count; n++) {
    const box = document.createElement("div");
    box.textContent = "CHG-" + n;
    box.style.cssText = `left:${(n * 37) % 3000}px;top:${(n * 27) % 900}px;position:absolute;width:60px;`
      + "height:22px;border:1px solid #68c;border-radius:4px;background:#def;font-size:12px;overflow:hidden";
    layer.append(box);
  }
  let at = 0;
  addEventListener("pointermove", () => requestAnimationFrame(() => {
    at -= 4; layer.style.transform = `translate3d(${at}px,0,0)`; }));
}"""

# Goes from bar to bar by the arrow keys, lane by lane; says of each whether it got the focus, whether a hand
# would hit it where it stands, and whether keys take it along and put it back.
WALK = """async ([most, every]) => {
  const it = document.querySelector("fw-timeline");
  const press = (key, shiftKey = false) => document.activeElement.dispatchEvent(
    new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true }));
  const found = { focused: 0, hit: 0, moved: 0, tried: 0, missed: [], ms: [] };
  const seen = new Set();
  const miss = (text) => found.missed.length < 5 && found.missed.push(text);
  const look = async (count) => {
    const node = document.activeElement, id = node?.dataset?.id;
    if (!id || seen.has(id)) return false;
    seen.add(id);
    found.focused += 1;
    let box, there;
    const hit = () => {
      box = document.activeElement.getBoundingClientRect();
      there = document.elementFromPoint(box.left + Math.min(box.width / 2, 4), box.top + box.height / 2);
      return there?.closest("[data-id]")?.dataset.id === id;
    };
    // after a long way lanes are laid out anew once it rests
    if (!hit()) await new Promise((go) => setTimeout(go, 400));
    if (hit()) found.hit += 1;
    else miss(`${id} at ${box.left | 0},${box.top | 0}: ${there?.className}`);
    if (count % every === 0) {
      found.tried += 1;
      const before = document.activeElement.style.transform;
      press("ArrowRight", true);
      const held = document.activeElement;
      const moved = held.dataset.id === id && held.style.transform !== before;
      press("Escape");
      if (moved && document.activeElement.style.transform === before) found.moved += 1;
      else miss(`${id} was not moved: ${before} ${held.style.transform}`);
    }
    return true;
  };
  const home = () => { // back to the first bar of the lane
    for (let before = ""; before !== document.activeElement.dataset.id;) {
      before = document.activeElement.dataset.id;
      press("ArrowLeft");
    }
  };
  home();
  await look(0);
  for (let lane = 0; seen.size < most; lane++) {
    for (;;) {
      const from = performance.now();
      press("ArrowRight");
      found.ms.push(performance.now() - from);
      if (!(await look(seen.size))) break;
      if (seen.size % 200 === 0) await new Promise((go) => setTimeout(go));
    }
    const before = document.activeElement.dataset.id;
    press("ArrowDown");
    if (document.activeElement.dataset.id === before) break;
    home();
    await look(seen.size);
  }
  return found;
}"""


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds: of each frame, and of the main thread's work for a step."""

    frames: Sequence[float]
    work: float

    def at(self, share: float) -> float:
        ordered = sorted(self.frames)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def plan(bars: int) -> dict[str, Any]:
    """Return lanes and bars as the server answers them: spread over a month, a tenth of them in conflict."""
    chance = random.Random(1)
    lanes = [
        {"key": f"item-{number:03}", "name": f"Item {number:03}", "group": f"Branch {number // 20:02}",
         "note": "criticality 2", "href": "", "order": f"{number:04}"}
        for number in range(LANES)
    ]  # fmt: skip
    made = []
    for number in range(bars):
        start = NOW - MONTH / 2 + timedelta(minutes=15 * chance.randrange(31 * 24 * 4))
        end = start + timedelta(minutes=15 * chance.randint(2, 40))
        lane = lanes[number % LANES]["key"]
        made.append(
            {"id": f"CHG-{number}/{lane}", "key": f"CHG-{number}", "lane": lane, "title": f"Change {number}",
             "start": start.isoformat(), "end": end.isoformat(), "kind": "change", "state": "scheduled",
             "strength": chance.choice(("approved", "requested", "tentative")), "place": "prod",
             "href": f"/changes/CHG-{number}", "version": 1, "movable": True,
             "conflicts": [{"rule": "claims.same_item", "severity": "warn", "message": "Another one.",
                            "other": f"CHG-{(number + LANES) % bars}", "start": start.isoformat(),
                            "end": end.isoformat(), "path": [lane]}] if number % 10 == 0 else []}
        )  # fmt: skip
    shades = [
        {"kind": "hard_freeze", "name": "Freeze", "start": (NOW + timedelta(days=3)).isoformat(),
         "end": (NOW + timedelta(days=6)).isoformat(), "lanes": None, "href": ""},
    ]  # fmt: skip
    return {"lanes": lanes, "bars": made, "shades": shades}


def answer(whole: dict[str, Any]) -> Callable[[Route], None]:
    """Return what answers the timeline: of the plan, what overlaps the span asked for."""
    ends = [
        (datetime.fromisoformat(bar["start"]), datetime.fromisoformat(bar["end"])) for bar in whole["bars"]
    ]

    def fulfil(route: Route) -> None:
        query = dict(part.split("=", 1) for part in route.request.url.partition("?")[2].split("&"))
        low, high = (
            datetime.fromisoformat(query[name].replace("%3A", ":").replace("Z", "+00:00"))
            for name in ("from", "to")
        )
        bars = [
            bar for bar, (start, end) in zip(whole["bars"], ends, strict=True) if start < high and end > low
        ]
        route.fulfill(json={**whole, "bars": bars})

    return fulfil


@contextmanager
def measuring(tab: Tab, session: CDPSession, steps: int) -> Iterator[list[Measured]]:
    """Measure what is done inside; the list holds the figures afterwards."""
    found: list[Measured] = []

    def thread() -> float:
        told = session.send("Performance.getMetrics")["metrics"]
        return next(float(one["value"]) for one in told if one["name"] == "TaskDuration")

    tab.evaluate(FRAMES)
    before = thread()
    yield found
    frames = tab.evaluate(ENOUGH)
    found.append(Measured(frames, (thread() - before) * 1000 / steps))


def pan(tab: Tab, x: float, y: float) -> None:
    tab.mouse.move(x, y)
    tab.mouse.down()
    for step in range(1, STEPS + 1):
        tab.mouse.move(x - 18 * min(step, STEPS - step), y)  # there and back: it stays full
    tab.mouse.up()


def zoom(tab: Tab, x: float, y: float) -> None:
    tab.mouse.move(x, y)
    tab.keyboard.down("Control")
    for step in range(STEPS):
        tab.mouse.wheel(0, -12 if step < STEPS / 2 else 12)  # four times as near, and back
        tab.wait_for_timeout(8)
    tab.keyboard.up("Control")


def scroll(tab: Tab, x: float, y: float) -> None:
    tab.mouse.move(x, y)
    for _ in range(STEPS):
        tab.mouse.wheel(0, 120)
        tab.wait_for_timeout(4)


def carry(tab: Tab, _x: float, _y: float) -> None:
    """Take a bar along with the hand, and leave it where it was."""
    x, y = tab.evaluate(HITTABLE)
    tab.mouse.move(x, y)
    tab.mouse.down()
    for step in range(1, STEPS + 1):
        tab.mouse.move(x + 5 * step, y)
    tab.keyboard.press("Escape")
    tab.mouse.up()


ACTS: tuple[tuple[str, Callable[[Tab, float, float], None]], ...] = (
    ("pan by hand", pan), ("zoom by wheel", zoom), ("scroll the lanes", scroll), ("carry a bar", carry),
)  # fmt: skip


def background(tab: Tab) -> tuple[float, float]:
    """Return a point of the timeline where no bar stands."""
    x, y = tab.evaluate(FREE)
    return x, y


def measure(tab: Tab, session: CDPSession) -> Iterator[tuple[str, Measured]]:
    for name, act in ACTS:
        act(tab, *background(tab))  # to warm up
        tab.wait_for_timeout(500)
        x, y = background(tab)
        with measuring(tab, session, STEPS) as found:
            act(tab, x, y)
        yield name, found[0]
        tab.wait_for_timeout(500)


def told(what: str, one: Measured, held: str = "") -> str:
    median = statistics.median(one.frames)
    return (
        f"  {what:30} frame p50 {median:5.1f} ms, p95 {one.at(0.95):5.1f} ms, longest {max(one.frames):6.1f}"
        f" ms; work {one.work:5.2f} ms a step {held}"
    )


def main(arguments: Sequence[str]) -> int:
    """Measure and walk; return 1 when panning takes longer than it may, or a bar cannot be had."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=10_000)
    parser.add_argument("--every", type=int, default=1, help="of so many bars one is moved; 0: frames alone")
    given = parser.parse_args(arguments)
    whole = plan(given.bars)
    failed = False
    with demo_server() as server, chromium() as browser:
        cookies = sign_in(browser, server)
        with window(browser, server.address, width=1366, scheme="light", cookies=cookies) as context:
            tab = context.new_page()
            tab.route("**/calendar/data?*", answer(whole))
            tab.route("**/calendar/move", lambda route: route.fulfill(json={"moves": [], "confirm": True}))
            session = context.new_cdp_session(tab)
            session.send("Performance.enable", {"timeDomain": "threadTicks"})
            tab.goto("/calendar")
            tab.wait_for_function(AT_REST)
            boxes = tab.locator(".fwt-bar, .fwt-band").count()
            print(f"{given.bars:,} bars on {LANES} lanes, a month in sight; {boxes} bars in the document")  # noqa: T201
            for name, one in measure(tab, session):
                held = one.at(0.95) <= NINETY_FIFTH and statistics.median(one.frames) <= MEDIAN
                failed = failed or (name == "pan by hand" and not held)
                print(told(name, one, "" if held else "  over 17/34"))  # noqa: T201
            bare = context.new_page()
            bare.goto("about:blank")
            bare.evaluate(BARE, boxes)
            floor = context.new_cdp_session(bare)
            floor.send("Performance.enable", {"timeDomain": "threadTicks"})
            pan(bare, 1200, 400)
            with measuring(bare, floor, STEPS) as found:
                pan(bare, 1200, 400)
            print(told("floor: as many bare boxes", found[0]))  # noqa: T201
            bare.close()
            if not given.every:
                return int(failed)
            walked = walk(tab, given.bars, given.every)
    print(  # noqa: T201
        f"  by keys {walked['focused']:,} of {given.bars:,} bars reached, {walked['hit']:,} under the hand"
        f" where they stand, {walked['moved']:,} of {walked['tried']:,} moved and put back; a step takes"
        f" {statistics.median(walked['ms']):.1f} ms"
    )
    for missed in walked["missed"]:
        print(f"    {missed}")  # noqa: T201
    whole_way = walked["focused"] == walked["hit"] == given.bars and walked["moved"] == walked["tried"]
    return int(failed or not whole_way)


def walk(tab: Tab, bars: int, every: int) -> Any:
    """Go to each bar by keys; a plan that does not reach beyond what was fetched is fetched first."""
    tab.goto("/calendar")
    tab.wait_for_function(AT_REST)
    tab.evaluate(
        """async () => { const it = document.querySelector("fw-timeline");
             it.querySelector(".fwt-view").scrollTop = 0; await new Promise((go) => setTimeout(go, 300));
             it.querySelector('.fwt-bar[tabindex="0"]').focus(); }"""
    )
    return tab.evaluate(WALK, [bars, every])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
