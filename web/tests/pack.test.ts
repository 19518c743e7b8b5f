import { describe, expect, it } from "vitest";
import { laned, layout, lineAt } from "../src/timeline/layout";
import { bands, overlap, pack, type Span } from "../src/timeline/pack";
import type { Bar, Lane } from "../src/timeline/plan";

function dice(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
}

const spans = (count: number, seed: number): Span[] => {
  const roll = dice(seed);
  return Array.from({ length: count }, () => {
    const start = Math.floor(roll() * 1000);
    return { start, end: start + 1 + Math.floor(roll() * 60) };
  }).sort((one, other) => one.start - other.start || one.end - other.end);
};

describe("pack", () => {
  it("puts what touches on one row and what overlaps on two", () => {
    expect(pack([{ start: 0, end: 4 }, { start: 2, end: 6 }, { start: 4, end: 8 }], 0)).toEqual({ rows: [0, 1, 0], height: 2 });
  });
  it("keeps one row for nothing", () => {
    expect(pack([], 0)).toEqual({ rows: [], height: 1 });
  });
  it("counts a short one as wide as it is drawn", () => {
    expect(pack([{ start: 0, end: 1 }, { start: 2, end: 3 }], 5).rows).toEqual([0, 1]);
  });
  it("never lets two in a row overlap, with as many rows as the deepest overlap", () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const all = spans(80, seed);
      const { rows, height } = pack(all, 0);
      all.forEach((one, i) => all.slice(i + 1).forEach((other, j) => expect(rows[i] === rows[i + 1 + j] && overlap(one, other) !== null).toBe(false)));
      const depth = Math.max(...all.map((one) => all.filter((other) => other.start <= one.start && one.start < other.end).length));
      expect(height).toBe(depth);
    }
  });
});

describe("bands", () => {
  it("merge what is close and keep every member once", () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const all = spans(60, seed);
      const found = bands(all, 3);
      expect(found.flatMap((band) => band.members)).toEqual(all.map((_, index) => index));
      found.slice(1).forEach((band, index) => expect(band.start).toBeGreaterThan((found[index] as Span).end + 3));
    }
  });
});

describe("overlap", () => {
  it("is half-open", () => {
    expect(overlap({ start: 0, end: 4 }, { start: 4, end: 6 })).toBeNull();
    expect(overlap({ start: 0, end: 5 }, { start: 4, end: 6 })).toEqual({ start: 4, end: 5 });
  });
});

describe("layout", () => {
  const lane = (key: string, group: string): Lane => ({ key, name: key, group, href: "", note: "", state: "", order: "" });
  const bar = (id: string, on: string, start: number, end: number): Bar => ({ id, key: id, lane: on, title: id, start, end, kind: "change", state: "draft", strength: "tentative", href: "", place: "", version: 1, movable: false, conflicts: [] });
  const all = { start: -Infinity, end: Infinity };
  const lanes = [lane("a", "one"), lane("b", "one"), lane("c", "two")];

  it("heads each group, stacks what overlaps, and lines touch each other", () => {
    const { lines, height, byId } = layout(lanes, laned([bar("x", "a", 0, 10), bar("y", "a", 5, 15), bar("z", "c", 0, 1)]), new Set(), 0, false, all);
    expect(lines.map((one) => one.lane?.key ?? `# ${one.group}`)).toEqual(["# one", "a", "b", "# two", "c"]);
    lines.slice(1).forEach((one, index) => expect(one.top).toBe((lines[index]?.top ?? 0) + (lines[index]?.height ?? 0)));
    expect(height).toBe((lines.at(-1)?.top ?? 0) + (lines.at(-1)?.height ?? 0));
    expect([byId.get("x")?.row, byId.get("y")?.row]).toEqual([0, 1]);
    expect(lines[1]?.height).toBeGreaterThan(lines[2]?.height ?? 0);
  });
  it("leaves out the lanes of a shut group and still counts them", () => {
    const { lines } = layout(lanes, laned([bar("x", "a", 0, 10)]), new Set(["one"]), 0, false, all);
    expect(lines.map((one) => one.lane?.key ?? `# ${one.group}`)).toEqual(["# one", "# two", "c"]);
    expect(lines[0]?.count).toBe(1);
  });
  it("lets only what is near decide the height of a lane", () => {
    const far = [bar("x", "a", 100, 110), bar("y", "a", 105, 115)];
    const { lines, byId } = layout(lanes, laned(far), new Set(), 0, false, { start: 0, end: 50 });
    expect(lines[1]?.height).toBe(lines[2]?.height);
    expect([byId.get("x")?.row, byId.get("y")?.row]).toEqual([0, 0]);
  });
  it("merges three or more that lie close, and no two", () => {
    const { lines } = layout(lanes, laned([bar("x", "a", 0, 1), bar("y", "a", 1, 2), bar("z", "a", 2, 3), bar("w", "b", 0, 1), bar("v", "b", 1, 2)]), new Set(), 1, true, all);
    expect([lines[1]?.dense.length, lines[1]?.bars.length, lines[2]?.dense.length, lines[2]?.bars.length]).toEqual([1, 0, 0, 2]);
  });
  it("finds the line at a height", () => {
    const { lines } = layout(lanes, laned([]), new Set(), 0, false, all);
    lines.forEach((one, index) => {
      expect(lineAt(lines, one.top)).toBe(index);
      expect(lineAt(lines, one.top + one.height - 1)).toBe(index);
    });
  });
});
