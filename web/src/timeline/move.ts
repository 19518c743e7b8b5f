// Where bars go that are moved: grid, what is picked, what is sent. No document in it.
import type { Bar } from "./plan";
import { DAY, HOUR, MINUTE, type Zone } from "./zone";

const STEPS = [15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY];
/** Narrowest step in pixels that a hand can hit. */
const HIT = 5;

/** The grid of the zoom: the finest that a hand can hit. */
export function stepOf(perPixel: number): number {
  return STEPS.find((step) => step / perPixel >= HIT) ?? DAY;
}

/** How far a bar goes that is dragged by `by`: its start comes to lie on the grid of the wall clock. */
export function snapped(zone: Zone, start: number, by: number, step: number): number {
  const wall = zone.wall(start + by);
  const midnight = Math.floor(wall / DAY) * DAY;
  return zone.instant(midnight + Math.round((wall - midnight) / step) * step) - start;
}

/** How far a bar is when it has gone one step more, from `by`: by the wall clock, so that a day more is the same time of day. */
export function stepped(zone: Zone, start: number, by: number, steps: number, step: number): number {
  const wall = zone.wall(start + by);
  const there = zone.instant(wall + steps * step);
  // where the clocks go forward or back over it, the step is one of time
  return (Math.sign(there - start - by) === Math.sign(steps) ? there : start + by + steps * step) - start;
}

/** One planned window of a change, on however many lanes it lies. */
export function windowOf(bar: Pick<Bar, "key" | "start">): string {
  return `${bar.key} ${bar.start}`;
}

/** The windows that are picked, in the order in which they were. */
export class Picked {
  private readonly all = new Map<string, Bar>();

  get size(): number {
    return this.all.size;
  }

  has(bar: Pick<Bar, "key" | "start">): boolean {
    return this.all.has(windowOf(bar));
  }

  /** Pick it, or leave it out; answers whether it may be picked at all. */
  toggle(bar: Bar): boolean {
    if (!bar.movable) return false;
    const id = windowOf(bar);
    if (!this.all.delete(id)) this.all.set(id, bar);
    return true;
  }

  clear(): void {
    this.all.clear();
  }

  /** What moves when a hand takes this bar: all that is picked if it is one of them, else it alone. */
  with(bar: Bar): Bar[] {
    return this.has(bar) ? [bar, ...[...this.all.values()].filter((one) => windowOf(one) !== windowOf(bar))] : [bar];
  }
}

/** What the server is asked: each window once, by whole minutes. */
export function asked(bars: readonly Bar[], by: number, apply: boolean): URLSearchParams {
  const sent = new URLSearchParams();
  for (const id of new Set(bars.map(windowOf))) {
    const bar = bars.find((one) => windowOf(one) === id) as Bar;
    sent.append("window", `${bar.key} ${bar.version} ${new Date(bar.start).toISOString()}`);
  }
  sent.set("by", String(Math.round(by / MINUTE)));
  if (apply) sent.set("apply", "1");
  return sent;
}
