// What the server answers, and what has been fetched of it so far.
import { laned } from "./layout";

export interface Conflict {
  rule: string;
  severity: "block" | "warn" | "inform" | "unknown";
  message: string;
  other: string;
  start: number;
  end: number;
  path: string[];
}
export interface Bar {
  id: string;
  key: string;
  lane: string;
  title: string;
  start: number;
  end: number;
  kind: string;
  state: string;
  strength: string;
  href: string;
  place: string;
  /** Of the record, and whether the reader may move it in time. */
  version: number;
  movable: boolean;
  conflicts: Conflict[];
}
export interface Lane {
  key: string;
  name: string;
  group: string;
  href: string;
  note: string;
  state: string;
  /** Where it stands among all lanes, also those of other stretches; nothing: as they come. */
  order: string;
}
export interface Shade {
  kind: string;
  name: string;
  start: number;
  end: number;
  lanes: Set<string> | null;
  href: string;
}
type WireConflict = Omit<Conflict, "start" | "end"> & { start: string; end: string };
interface Wire {
  /** The conflicts are asked for apart, so that bars are drawn before they are known. */
  conflicts?: "later";
  lanes: (Omit<Lane, "group" | "note" | "state" | "href" | "order"> & Partial<Lane>)[];
  bars: (Omit<Bar, "start" | "end" | "conflicts" | "version" | "movable"> & Partial<Pick<Bar, "version" | "movable">> & { start: string; end: string; conflicts?: WireConflict[] })[];
  shades: (Omit<Shade, "start" | "end" | "lanes"> & { start: string; end: string; lanes: string[] | null })[];
}

function read(one: WireConflict): Conflict {
  return { ...one, path: one.path ?? [], start: Date.parse(one.start), end: Date.parse(one.end) };
}

export class Refusal extends Error {}

const LONGEST = 3 * 366 * 86_400_000;

/** One contiguous stretch of the plan; asking for more fetches what is missing at its ends. */
export class Plan {
  from = 0;
  to = 0;
  lanes: Lane[] = [];
  bars = new Map<string, Bar>();
  shades = new Map<string, Shade>();

  private sorted: Map<string, Bar[]> | null = null;
  /** Stretches whose conflicts have not been asked for. */
  private unmarked: [from: number, to: number][] = [];

  constructor(private readonly src: string) {}

  /** The bars of each lane in order, until more are fetched. */
  get inLanes(): ReadonlyMap<string, readonly Bar[]> {
    return (this.sorted ??= laned(this.bars.values()));
  }

  /** Whether the conflicts of all that was fetched are known. */
  get marked(): boolean {
    return !this.unmarked.length;
  }

  covers(from: number, to: number): boolean {
    return from >= this.from && to <= this.to;
  }

  /** Fetch so that [from, to) is covered; answers whether anything came. */
  async reach(from: number, to: number, signal: AbortSignal): Promise<boolean> {
    if (this.covers(from, to)) return false;
    const apart = to < this.from || from > this.to || Math.max(to, this.to) - Math.min(from, this.from) > LONGEST;
    if (apart || this.from === this.to) {
      const wire = await this.ask(from, to, signal);
      this.empty();
      this.take(wire, from, to);
      this.from = from;
      this.to = to;
      return true;
    }
    if (from < this.from) {
      this.take(await this.ask(from, this.from, signal), from, this.from);
      this.from = from;
    }
    if (to > this.to) {
      this.take(await this.ask(this.to, to, signal), this.to, to);
      this.to = to;
    }
    return true;
  }

  /** Fetch the conflicts of what came without them; answers whether there are any. */
  async mark(signal: AbortSignal): Promise<boolean> {
    let found = false;
    for (let next = this.unmarked[0]; next; next = this.unmarked[0]) {
      const wire = await this.fetched<{ conflicts: Record<string, WireConflict[]> }>(...next, "conflicts", signal);
      for (const [id, conflicts] of Object.entries(wire.conflicts)) {
        const bar = this.bars.get(id);
        if (!bar) continue;
        bar.conflicts = conflicts.map(read);
        found = true;
      }
      this.unmarked.shift();
    }
    return found;
  }

  /** Fetch all of it anew; what is there stays until the answer has come. */
  async again(signal: AbortSignal): Promise<void> {
    if (this.from === this.to) return;
    const wire = await this.ask(this.from, this.to, signal);
    const before = this.bars;
    this.empty();
    this.take(wire, this.from, this.to);
    // until the conflicts have come, what stayed where it was keeps its own
    for (const [id, bar] of this.bars) if (wire.conflicts) bar.conflicts = before.get(id)?.conflicts ?? [];
  }

  private empty(): void {
    this.sorted = null;
    this.bars = new Map();
    this.shades.clear();
    this.lanes = [];
    this.unmarked = [];
  }

  private ask(from: number, to: number, signal: AbortSignal): Promise<Wire> {
    return this.fetched<Wire>(from, to, "plan", signal);
  }

  private async fetched<T>(from: number, to: number, part: string, signal: AbortSignal): Promise<T> {
    const url = new URL(this.src, location.href);
    url.searchParams.set("from", new Date(from).toISOString());
    url.searchParams.set("to", new Date(to).toISOString());
    url.searchParams.set("part", part);
    const answer = await fetch(url, { headers: { Accept: "application/json" }, signal });
    if (!answer.ok) {
      const problem = (await answer.json().catch(() => ({}))) as { detail?: string; title?: string };
      throw new Refusal(problem.detail ?? problem.title ?? "");
    }
    return (await answer.json()) as T;
  }

  private take(wire: Wire, from: number, to: number): void {
    if (wire.conflicts) this.unmarked.push([from, to]);
    this.sorted = null;
    const fresh = wire.lanes.map((lane) => ({ group: "", href: "", note: "", state: "", order: "", ...lane }));
    const known = new Set(fresh.map((lane) => lane.key));
    this.lanes = [...fresh, ...this.lanes.filter((lane) => !known.has(lane.key))];
    if (fresh.length !== this.lanes.length) {
      // lanes that came from another stretch go back to their group
      const order = [...new Set(this.lanes.map((lane) => lane.group))];
      const told = this.lanes.every((lane) => lane.order);
      this.lanes.sort((one, other) => (told ? (one.order < other.order ? -1 : 1) : order.indexOf(one.group) - order.indexOf(other.group)));
    }
    for (const bar of wire.bars) {
      const conflicts = bar.conflicts ? bar.conflicts.map(read) : (this.bars.get(bar.id)?.conflicts ?? []);
      this.bars.set(bar.id, { version: 0, movable: false, ...bar, start: Date.parse(bar.start), end: Date.parse(bar.end), conflicts });
    }
    for (const shade of wire.shades) {
      const start = Date.parse(shade.start);
      const lanes = shade.lanes ? new Set(shade.lanes) : null;
      this.shades.set(`${shade.kind} ${shade.name} ${start}`, { ...shade, start, end: Date.parse(shade.end), lanes });
    }
  }
}
