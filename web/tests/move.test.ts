import { describe, expect, it } from "vitest";
import { Picked, asked, snapped, stepOf, stepped } from "../src/timeline/move";
import type { Bar } from "../src/timeline/plan";
import { DAY, HOUR, MINUTE, Zone } from "../src/timeline/zone";

const at = (text: string): number => Date.parse(text);
const bar = (key: string, start: string, more: Partial<Bar> = {}): Bar => ({ id: `${key}/${start}`, key, lane: "a", title: "", start: at(start), end: at(start) + HOUR, kind: "change", state: "draft", strength: "tentative", href: "", place: "", version: 3, movable: true, conflicts: [], ...more });
const NIGHT = "2026-11-24T21:00:00Z";

describe("the grid", () => {
  it("is a quarter of an hour close by and coarser from afar, and never too fine for a hand", () => {
    expect(stepOf(DAY / 1366)).toBe(15 * MINUTE);
    expect(stepOf((31 * DAY) / 1150)).toBe(6 * HOUR);
    for (let day = 4; day < 2000; day += 3) expect(stepOf(DAY / day) / (DAY / day)).toBeGreaterThanOrEqual(day < 5 ? 4 : 5);
  });
  it("is the wall clock's, whatever the bar's own minutes are", () => {
    const kathmandu = new Zone("Asia/Kathmandu");
    const start = at("2026-11-24T21:07:00Z");
    for (let by = -2 * DAY; by <= 2 * DAY; by += 71 * MINUTE) {
      const there = start + snapped(kathmandu, start, by, HOUR);
      expect(kathmandu.wall(there) % HOUR).toBe(0);
      expect(Math.abs(there - start - by)).toBeLessThanOrEqual(HOUR / 2);
    }
  });
  it("keeps the time of day over a change of the clocks, and never stands still", () => {
    const london = new Zone("Europe/London");
    const start = at("2026-03-28T21:00:00Z");
    expect(stepped(london, start, 0, 1, DAY)).toBe(23 * HOUR);
    for (const zone of [london, new Zone("Australia/Lord_Howe")]) {
      for (const from of ["2026-03-28T22:00:00Z", "2026-10-24T22:00:00Z", "2026-10-03T12:00:00Z", "2026-04-04T12:00:00Z"]) {
        let by = 0;
        for (let count = 0; count < 40; count += 1) {
          const next = stepped(zone, at(from), by, 1, 15 * MINUTE);
          expect(next).toBeGreaterThan(by);
          by = next;
        }
      }
    }
  });
});

describe("what is picked", () => {
  it("moves together, the one in the hand first, and another alone", () => {
    const [one, other, third] = [bar("CHG-1", NIGHT), bar("CHG-2", NIGHT), bar("CHG-3", NIGHT)];
    const picked = new Picked();
    [one, other].forEach((each) => picked.toggle(each as Bar));
    expect(picked.with(other as Bar).map(({ key }) => key)).toEqual(["CHG-2", "CHG-1"]);
    expect(picked.with(third as Bar)).toEqual([third]);
    picked.toggle(one as Bar);
    expect(picked.size).toBe(1);
  });
  it("is never what may not be moved, and one window is one on however many lanes", () => {
    const picked = new Picked();
    expect(picked.toggle(bar("CHG-1", NIGHT, { movable: false }))).toBe(false);
    picked.toggle(bar("CHG-2", NIGHT));
    expect(picked.has(bar("CHG-2", NIGHT, { lane: "b", id: "else" }))).toBe(true);
    expect(picked.has(bar("CHG-2", "2026-11-25T21:00:00Z"))).toBe(false);
  });
  it("is sent once for each window, with the version read", () => {
    const sent = asked([bar("CHG-2", NIGHT), bar("CHG-2", NIGHT, { lane: "b" }), bar("CHG-3", NIGHT)], -45 * MINUTE, false);
    expect(sent.getAll("window")).toEqual(["CHG-2 3 2026-11-24T21:00:00.000Z", "CHG-3 3 2026-11-24T21:00:00.000Z"]);
    expect([sent.get("by"), sent.get("apply")]).toEqual(["-45", null]);
    expect(asked([bar("CHG-2", NIGHT)], HOUR, true).get("apply")).toBe("1");
  });
});
