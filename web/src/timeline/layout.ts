// From a plan to places: which line each lane and bar stands on, in pixels from the top.
import { type Span, bands, pack } from "./pack";
import type { Bar, Lane } from "./plan";

export const BAR = 22;
export const PITCH = 27;
export const PAD = 6;
export const GROUP = 28;
/** Narrowest bar in pixels. */
export const LEAST = 7;

export interface Placed {
  bar: Bar;
  lane: number;
  row: number;
  /** When the next bar on the same line starts, for the label's room. */
  next: number;
}
export interface Dense {
  id: string;
  start: number;
  end: number;
  bars: Bar[];
  lane: number;
}
export interface Line {
  kind: "group" | "lane";
  group: string;
  lane: Lane | null;
  top: number;
  height: number;
  bars: Placed[];
  dense: Dense[];
  count: number;
  shut: boolean;
}
export interface Layout {
  lines: Line[];
  height: number;
  byId: Map<string, Placed>;
  byKey: Map<string, Placed[]>;
}

/** The bars of each lane, in the order in which they are laid out. */
export function laned(bars: Iterable<Bar>): Map<string, Bar[]> {
  const found = new Map<string, Bar[]>();
  for (const bar of bars) {
    const own = found.get(bar.lane);
    if (own) own.push(bar);
    else found.set(bar.lane, [bar]);
  }
  for (const own of found.values()) own.sort((one, other) => one.start - other.start || one.end - other.end || (one.id < other.id ? -1 : 1));
  return found;
}

/**
 * `near` is what may be seen before the next layout: it alone decides how high a lane is. Bars beyond it keep a place
 * within that height, so that keys can still go to them.
 */
export function layout(lanes: readonly Lane[], bars: ReadonlyMap<string, readonly Bar[]>, shut: ReadonlySet<string>, perPixel: number, merge: boolean, near: Span): Layout {
  const lines: Line[] = [];
  const byId = new Map<string, Placed>();
  const byKey = new Map<string, Placed[]>();
  const groups = new Map<string, Line>();
  const named = new Set(lanes.map((lane) => lane.group)).size > 1 || Boolean(lanes[0]?.group);
  let top = 0;
  for (const lane of lanes) {
    const own = bars.get(lane.key) ?? [];
    if (named && !groups.has(lane.group)) {
      const line: Line = { kind: "group", group: lane.group, lane: null, top, height: GROUP, bars: [], dense: [], count: 0, shut: shut.has(lane.group) };
      groups.set(lane.group, line);
      lines.push(line);
      top += GROUP;
    }
    const group = groups.get(lane.group);
    if (group) group.count += own.length;
    if (group?.shut) continue;
    const line: Line = { kind: "lane", group: lane.group, lane, top, height: 0, bars: [], dense: [], count: own.length, shut: false };
    const index = lines.length;
    let single: readonly Bar[] = own;
    if (merge) {
      const apart: Bar[] = [];
      for (const band of bands(own, perPixel * 2)) {
        const members = band.members.map((member) => own[member] as Bar);
        if (members.length < 3) apart.push(...members);
        else line.dense.push({ id: `band ${lane.key} ${members[0]?.id}`, start: band.start, end: band.end, bars: members, lane: index });
      }
      single = apart;
    }
    const seen = (one: Span): boolean => one.start < near.end && one.end > near.start;
    const least = perPixel * (LEAST + 2);
    const inside = single.filter(seen);
    const { rows, height } = pack(inside, least);
    const beyond = single.filter((bar) => !seen(bar));
    const far = pack(beyond, least).rows;
    const rowOf = new Map<Bar, number>();
    inside.forEach((bar, at) => rowOf.set(bar, rows[at] ?? 0));
    beyond.forEach((bar, at) => rowOf.set(bar, Math.min(far[at] ?? 0, height - 1)));
    const last: Placed[] = [];
    single.forEach((bar) => {
      const row = rowOf.get(bar) ?? 0;
      const placed: Placed = { bar, lane: index, row, next: Infinity };
      const before = last[row];
      if (before) before.next = bar.start;
      last[row] = placed;
      line.bars.push(placed);
      byId.set(bar.id, placed);
      const same = byKey.get(bar.key);
      if (same) same.push(placed);
      else byKey.set(bar.key, [placed]);
    });
    for (const band of line.dense) for (const placed of line.bars) if (placed.next === Infinity && band.start >= placed.bar.end) placed.next = band.start;
    line.height = Math.max(34, height * PITCH - (PITCH - BAR) + PAD * 2);
    lines.push(line);
    top += line.height;
  }
  return { lines, height: top, byId, byKey };
}

/** Index of the first line whose lower edge is below `y`. */
export function lineAt(lines: readonly Line[], y: number): number {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const line = lines[middle] as Line;
    if (line.top + line.height <= y) low = middle + 1;
    else high = middle;
  }
  return low;
}
