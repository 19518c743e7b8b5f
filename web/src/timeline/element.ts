// The timeline: lanes down, time across. Lit draws the frame; lanes and bars are placed by hand through the CSSOM, and
// only those in sight stand in the document.
import { LitElement, html, nothing, render, svg } from "lit";
import { property, state } from "lit/decorators.js";
import { type Dense, type Layout, type Line, type Placed, BAR, GROUP, LEAST, PAD, PITCH, layout, lineAt } from "./layout";
import { Mover } from "./mover";
import { overlap, pack } from "./pack";
import { type Bar, type Shade, Plan, Refusal } from "./plan";
import { type Week, scale, weekOf, weekends, written } from "./scale";
import { DAY, HOUR, Zone } from "./zone";

const PRESETS: Record<string, number> = { day: DAY, week: 7 * DAY, month: 31 * DAY, quarter: 91 * DAY };
const NARROWEST = 2 * HOUR;
const WIDEST = 400 * DAY;
const MERGE_BEYOND = 91.5 * DAY;
const ENDS = 26; // height of a line of freezes in the head

/** So many spans may one pan before all is drawn anew about another origin. */
const FAR = 6;

interface Shown {
  node: HTMLElement;
  epoch: number;
}
type Entry = [id: string, make: () => HTMLElement];

export class Timeline extends LitElement {
  @property() src = "";
  @property() zone = "UTC";
  @property() span = "month";
  @property() at = "";
  @property() label = "";
  @property() lanes = "";
  @property() now = "";
  @property() conflicts = "";
  @property() move = "";
  @property({ type: Boolean }) compact = false;
  @property({ type: Object }) words: Record<string, string> = {};

  @state() private phase: "first" | "ready" | "failed" = "first";
  @state() private trouble = "";
  @state() private listed = false;
  @state() private preset = "month";
  @state() private clashes = 0;

  private clock = new Zone("UTC");
  private week: Week = { first: 1, weekend: [6, 7] };
  private plan = new Plan("");
  private placed: Layout = { lines: [], height: 0, byId: new Map(), byKey: new Map() };
  private shut = new Set<string>();
  private start = 0;
  private near = { start: 0, end: 0 };
  private range = PRESETS.month as number;
  private width = 0;
  private anchor = 0;
  private drawn = { from: 0, to: 0, top: 0, bottom: 0, stamp: -1 };
  private stamp = 0;
  private epoch = 0;
  private nodes = new Map<string, Shown>();
  private names = new Map<string, Shown>();
  private ticks = new Map<string, Shown>();
  private gridLines = new Map<string, Shown>();
  private endNodes = new Map<string, Shown>();
  private rowNodes = new Map<string, Shown>();
  private shadeNodes = new Map<string, Shown>();
  private frame = 0;
  private fetching: AbortController | null = null;
  private timer = 0;
  private chosen = "";
  private side = 204;
  private size: ResizeObserver | null = null;
  private hoverTimer = 0;
  private noted = "";
  private tools: HTMLElement | null = null;

  private mover!: Mover;

  private el!: Record<"view" | "axis" | "ticks" | "ends" | "names" | "canvas" | "back" | "grid" | "rows" | "bars" | "links" | "note" | "nowline" | "nowdot" | "busy" | "hint" | "move" | "speech", HTMLElement>;

  protected override createRenderRoot(): HTMLElement {
    const frame = this.querySelector<HTMLElement>("[data-frame]") ?? this.appendChild(document.createElement("div"));
    frame.replaceChildren();
    return frame;
  }

  private word(name: string, usual: string): string {
    return this.words[name] ?? usual;
  }

  private get present(): number {
    return this.now ? Date.parse(this.now) : Date.now();
  }

  private get lang2(): string {
    // dates in English stand day first, as the server writes them
    const lang = this.lang || document.documentElement.lang || "en";
    return lang.toLowerCase().startsWith("en") ? "en-GB" : lang;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("keydown", this.pressed);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.pressed);
    this.size?.disconnect();
    this.fetching?.abort();
    clearInterval(this.timer);
  }

  protected override firstUpdated(): void {
    this.clock = new Zone(this.zone || "UTC");
    this.week = weekOf(this.lang2);
    this.plan = new Plan(this.src);
    this.preset = this.span in PRESETS ? this.span : "month";
    this.range = PRESETS[this.preset] as number;
    const kept = Number(storage("fw-timeline-side"));
    this.side = innerWidth <= 700 ? 116 : kept >= 100 && kept <= 480 ? kept : 220;
    this.style.setProperty("--side", `${this.side}px`);
    const find = (name: string): HTMLElement => this.renderRoot.querySelector<HTMLElement>(`[data-part=${name}]`) as HTMLElement;
    this.el = Object.fromEntries(["view", "axis", "ticks", "ends", "names", "canvas", "back", "grid", "rows", "bars", "links", "note", "nowline", "nowdot", "busy", "hint", "move", "speech"].map((name) => [name, find(name)])) as Timeline["el"];
    this.mover = new Mover(this.stage());
    const head = this.querySelector<HTMLElement>(".fwt-head");
    if (head) {
      this.tools = document.createElement("div");
      this.tools.className = "fwt-tools";
      head.append(this.tools);
    }
    this.go(this.at ? Date.parse(this.at) : this.present);
    this.size = new ResizeObserver(() => {
      const width = this.el.canvas.clientWidth;
      if (width && width !== this.width) {
        this.width = width;
        this.relay();
      } else this.plot();
    });
    this.size.observe(this.el.canvas);
    this.size.observe(this.el.view);
    this.el.view.addEventListener("scroll", () => this.plot(), { passive: true });
    this.el.view.addEventListener("wheel", this.wheeled, { passive: false });
    this.el.canvas.addEventListener("pointerdown", this.grabbed);
    this.el.axis.addEventListener("pointerdown", this.grabbed);
    this.el.bars.addEventListener("pointerover", this.hovered);
    this.el.bars.addEventListener("pointerout", this.unhovered);
    this.el.note.addEventListener("pointerleave", this.unhovered);
    this.el.note.addEventListener("pointerenter", () => clearTimeout(this.hoverTimer));
    this.el.bars.addEventListener("focusin", this.focused);
    this.el.bars.addEventListener("click", this.clicked);
    this.timer = window.setInterval(() => this.plot(true), 60_000);
    void this.fetch();
  }

  private stage(): ConstructorParameters<typeof Mover>[0] {
    const timeline = this;
    return {
      url: this.move,
      clock: this.clock,
      get perPixel() { return timeline.perPixel; },
      word: (name, usual) => this.word(name, usual),
      period: (start, end) => this.period(start, end),
      redraw: () => this.retouch(),
      again: (bar, by, focus) => this.again(bar, by, focus),
      focus: (bar) => this.nodes.get(bar.id)?.node.focus({ preventScroll: true }),
      show: (start, end) => {
        if (start >= this.start && Math.min(end, start + this.range * 0.1) <= this.start + this.range) return;
        this.start = start - this.range * 0.4;
        this.moved();
      },
      place: (bar) => this.nodes.get(bar.id)?.node.getBoundingClientRect(),
      panel: this.el.move,
      speech: this.el.speech,
      counted: () => this.drawTools(),
    };
  }

  // Where we look

  private get perPixel(): number {
    return this.range / Math.max(1, this.width);
  }

  private x(at: number): number {
    return (at - this.anchor) / this.perPixel;
  }

  private go(at: number): void {
    this.start = at - this.range * 0.18;
    if (this.preset !== "day") this.start = this.clock.startOfDay(this.start);
    this.moved();
  }

  private pan(pixels: number): void {
    this.start += pixels * this.perPixel;
    this.moved();
  }

  /** `going`: by a wheel that turns on; bars keep their lines until it rests, for to lay out thousands anew takes longer than a frame. */
  private zoom(factor: number, about = 0.5, going = false): void {
    const range = Math.min(WIDEST, Math.max(NARROWEST, this.range * factor));
    this.start += (this.range - range) * about;
    this.range = range;
    this.preset = Object.keys(PRESETS).find((name) => Math.abs((PRESETS[name] as number) / range - 1) < 0.02) ?? "";
    if (going) {
      this.stale = true;
      this.plot(true);
    } else this.relay();
    this.moved();
  }

  private choose(name: string): void {
    const range = PRESETS[name] as number;
    const middle = this.present > this.start && this.present < this.start + this.range ? this.present : this.start + this.range / 2;
    const share = (middle - this.start) / this.range;
    this.range = range;
    this.preset = name;
    this.start = this.clock.startOfDay(middle - range * Math.min(0.5, share));
    this.relay();
    this.moved();
  }

  private moved(): void {
    if (this.listed) this.requestUpdate();
    this.plot();
    clearTimeout(this.asked);
    this.asked = window.setTimeout(() => {
      if (this.width && !this.listed && !this.holding) {
        if (this.stale || this.start < this.near.start || this.start + this.range > this.near.end) this.relay();
        else this.tell();
      }
      void this.fetch();
    }, this.stale ? 280 : 140); // a wheel turns in steps
  }
  private asked = 0;
  private stale = false;

  // What is there

  private async fetch(): Promise<void> {
    const margin = Math.max(this.range * 0.25, DAY);
    if (this.phase !== "failed" && this.plan.marked && this.plan.covers(this.start - margin, this.start + this.range + margin)) {
      this.el?.busy.classList.remove("is-on");
      return;
    }
    // at first what is seen and a little more, so that it comes soon; then as much again on either side
    const wide = this.phase === "first" ? margin * 1.2 : Math.max(this.range, 7 * DAY);
    const from = this.clock.startOfDay(this.start - wide);
    const to = this.clock.startOfDay(this.start + this.range + wide + DAY);
    this.fetching?.abort();
    const mine = (this.fetching = new AbortController());
    this.el?.busy.classList.add("is-on");
    try {
      const came = await this.plan.reach(from, to, mine.signal);
      if (mine.signal.aborted) return;
      this.phase = "ready";
      this.trouble = "";
      if (came) this.relay();
      if (await this.plan.mark(mine.signal)) this.relay();
    } catch (error) {
      if (mine.signal.aborted) return;
      this.phase = "failed";
      this.trouble = (error instanceof Refusal && error.message) || this.word("away", "The plan could not be fetched.");
    } finally {
      if (!mine.signal.aborted) this.el?.busy.classList.remove("is-on");
    }
  }

  /** Fetch the plan anew after a bar has moved by so much, and give it the focus where it is now. */
  private async again(bar: Bar, by: number, focus: boolean): Promise<void> {
    this.fetching?.abort();
    const mine = (this.fetching = new AbortController());
    try {
      await this.plan.again(mine.signal);
    } catch {
      return; // what was moved is moved; the next stretch that is fetched shows it
    }
    if (mine.signal.aborted) return;
    const now = [...this.plan.bars.values()].find((one) => one.key === bar.key && one.lane === bar.lane && one.start === bar.start + by);
    if (now) this.chosen = now.id;
    const held = focus || this.el.bars.contains(document.activeElement);
    if (held) this.el.view.focus({ preventScroll: true }); // a bar under focus is kept, though its window is gone
    this.relay();
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.draw();
    if (held && now) this.nodes.get(now.id)?.node.focus({ preventScroll: true });
    void this.fetch(); // the conflicts
  }

  /** Draw those bars anew that are held, picked or let go. */
  private retouch(): void {
    for (const [id, shown] of this.nodes) {
      const placed = this.placed.byId.get(id);
      if (!placed || (shown.node.dataset.touch ?? "") === this.touch(placed.bar)) continue;
      const node = this.bar(placed, this.placed.lines[placed.lane] as Line);
      const held = shown.node.contains(document.activeElement);
      node.tabIndex = shown.node.tabIndex;
      shown.node.replaceWith(node);
      shown.node = node;
      if (held) node.focus({ preventScroll: true });
    }
    this.mover.follow();
  }

  /** All that moving changes about a bar's looks. */
  private touch(bar: Bar): string {
    if (!this.mover.holds(bar)) return this.mover.picked.has(bar) ? "picked" : "";
    return `${this.mover.by(bar)} ${this.mover.refused(bar)} ${this.mover.findings(bar)?.length}`;
  }

  private relay(): void {
    if (!this.width) return;
    this.stale = false;
    const view = this.el.view;
    const held = this.placed.lines[lineAt(this.placed.lines, view.scrollTop)];
    const above = held ? view.scrollTop - held.top : 0;
    this.near = { start: this.start - this.range * 0.1, end: this.start + this.range * 1.1 };
    this.placed = layout(this.plan.lanes, this.plan.inLanes, this.shut, this.perPixel, this.range > MERGE_BEYOND, this.near);
    this.stamp += 1;
    this.layouts += 1;
    this.el.canvas.style.height = this.el.names.style.height = `${Math.max(this.placed.height, 0)}px`;
    // lanes may have grown or shrunk: what stood at the top stays there
    if (held && view.scrollTop > 0) {
      const same = this.placed.lines.find((one) => one.kind === held.kind && one.group === held.group && one.lane?.key === held.lane?.key);
      if (same) view.scrollTop = same.top + Math.min(above, same.height);
    }
    this.requestUpdate();
    this.plot();
  }

  // Drawing

  private plot(force = false): void {
    if (force) this.stamp += 1;
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  private draw(): void {
    if (!this.width || this.listed) return;
    const view = this.el.view;
    const head = this.el.axis.offsetHeight;
    const top = view.scrollTop;
    const bottom = top + view.clientHeight - head;
    const inside = this.start >= this.drawn.from && this.start + this.range <= this.drawn.to && top >= this.drawn.top && bottom <= this.drawn.bottom;
    if (this.drawn.stamp !== this.stamp || !inside) this.redraw(top, bottom);
    this.shift();
    this.stick();
    this.mark();
    this.mover.follow();
  }

  private shift(): void {
    const shift = `translate3d(${Math.round((this.anchor - this.start) / this.perPixel)}px,0,0)`;
    for (const part of [this.el.ticks, this.el.ends, this.el.back, this.el.grid, this.el.bars, this.el.links]) part.style.transform = shift;
  }

  /** Keep the name of the month, and the labels of long bars, in sight. */
  private stick(): void {
    for (const name of this.el.ticks.querySelectorAll<HTMLElement>(".is-major")) {
      const from = Number(name.dataset.x);
      const room = Number(name.dataset.room);
      const left = (this.start - this.anchor) / this.perPixel;
      const push = Math.max(0, Math.min(left - from, room - wide(name.textContent ?? "") - 16));
      name.style.transform = `translateX(${from + push}px)`;
    }
    for (const [id, { node }] of this.nodes) {
      const bar = this.placed.byId.get(id)?.bar;
      // the label beside a bar goes with it, rather than stand cut at the edge
      if (bar && node.lastElementChild) node.classList.toggle("is-past", bar.end <= this.start);
      if (!bar || bar.start >= this.start || bar.end <= this.start) continue;
      const label = node.querySelector<HTMLElement>(".fwt-label:not(.is-beside)");
      const hidden = (this.start - bar.start) / this.perPixel;
      const width = (bar.end - bar.start) / this.perPixel;
      const push = Math.max(0, Math.min(hidden, width - bar.key.length * 7 - 16));
      if (!label) continue;
      label.style.transform = `translateX(${push}px)`;
      label.style.maxWidth = `${width - push}px`;
    }
    for (const end of this.el.ends.children as Iterable<HTMLElement> & HTMLCollection) {
      const name = end.firstElementChild as HTMLElement;
      const push = Math.max(0, Math.min((this.start - this.anchor) / this.perPixel - Number(end.dataset.x), Number(end.dataset.room) - wide(name.textContent ?? "") - 12));
      name.style.transform = `translateX(${push}px)`;
    }
  }

  private mark(): void {
    const at = (this.present - this.start) / this.perPixel;
    const seen = at >= 0 && at <= this.width;
    this.el.nowline.hidden = this.el.nowdot.hidden = !seen;
    if (seen) this.el.nowline.style.transform = this.el.nowdot.style.transform = `translateX(${Math.round(at)}px)`;
  }

  private redraw(top: number, bottom: number): void {
    const from = this.start - this.range * 0.6;
    const to = this.start + this.range * 1.6;
    // what is drawn stays where it is while one pans; a new origin is needed after a new layout or a long way
    if (this.drawn.stamp !== this.stamp || Math.abs(this.start - this.anchor) > this.range * FAR) {
      this.anchor = this.start;
      this.epoch += 1;
      this.shift(); // before a bar that is drawn anew gets its focus and its note back
    }
    const first = Math.max(0, lineAt(this.placed.lines, top - 400));
    const last = Math.min(this.placed.lines.length, lineAt(this.placed.lines, bottom + 400) + 1);
    const sideways = this.drawn.stamp !== this.stamp || this.drawn.from !== from;
    // drawn again before the last line is reached: so there is little to make at a time
    this.drawn = { from, to, top: top - 200, bottom: bottom + 200, stamp: this.stamp };
    if (last >= this.placed.lines.length) this.drawn.bottom = Infinity;
    if (first === 0) this.drawn.top = -Infinity;
    const lines = this.placed.lines.slice(first, last);
    if (sideways) this.drawAxis(from, to);
    this.drawNames(lines);
    this.drawBack(lines, from, to);
    this.drawBars(lines, from, to);
    this.drawLinks();
    if (!this.stale) this.tell();
  }

  /** Counts follow what is in sight, once the hand rests. */
  private tell(): void {
    this.count();
    for (const one of this.placed.lines) {
      const shown = this.names.get(`lane ${one.lane?.key ?? ""}`);
      if (one.kind !== "lane" || !shown) continue;
      const seen = one.bars.filter(({ bar }) => this.inSight(bar)).length + one.dense.reduce((sum, each) => sum + each.bars.filter((bar) => this.inSight(bar)).length, 0);
      const number = shown.node.lastElementChild as HTMLElement;
      const text = seen ? String(seen) : "";
      if (number.textContent !== text) number.textContent = text;
    }
    this.drawTools();
  }

  private count(): void {
    const about = `${this.start} ${this.range} ${this.layouts} ${this.phase}`;
    if (about === this.counted) return; // lanes alone were scrolled
    this.counted = about;
    const keys = new Set<string>();
    let seen = 0;
    for (const bar of this.plan.bars.values()) {
      if (bar.start >= this.start + this.range || bar.end <= this.start) continue;
      seen += 1;
      for (const one of bar.conflicts) if (one.severity === "block" || one.severity === "warn") keys.add([bar.key, one.other].sort().join(" "));
    }
    this.clashes = keys.size;
    this.el.hint.hidden = this.phase !== "ready" || seen > 0 || !this.plan.lanes.length;
  }

  private counted = "";
  private layouts = 0;

  private inSight(bar: Bar): boolean {
    return bar.start < this.start + this.range && bar.end > this.start;
  }

  private drawAxis(from: number, to: number): void {
    const day = DAY / this.perPixel;
    const { major, minor, fine } = scale(this.clock, this.lang2, from, to, day, this.week);
    const names: Entry[] = [];
    const lines: Entry[] = [];
    const tick = (kind: string, label: string, x: number): HTMLElement => {
      const name = made("span", `fwt-tick ${kind}`, label);
      name.style.transform = `translateX(${x}px)`;
      return name;
    };
    major.forEach(({ at, label }, index) => {
      const x = this.x(at);
      const after = major[index + 1];
      const room = (after ? this.x(after.at) : this.x(to)) - x;
      names.push([`major ${at} ${after ? "" : to}`, () => {
        const name = tick("is-major", label, x);
        name.dataset.x = String(x);
        name.dataset.room = String(room);
        return name;
      }]);
      lines.push([`major ${at}`, () => line("is-major", x)]);
    });
    const strong = new Set(major.map(({ at }) => at));
    let until = -Infinity;
    for (const { at, label, strong: off } of minor) {
      const x = this.x(at);
      if (x >= until) {
        names.push([`minor ${at}`, () => tick(off ? "is-minor is-weekend" : "is-minor", label, x)]);
        until = x + label.length * 6 + 6;
      }
      if (!strong.has(at)) lines.push([`minor ${at}`, () => line("", x)]);
    }
    for (const at of fine) lines.push([`fine ${at}`, () => line("is-fine", this.x(at))]);
    if (day >= 4) {
      for (const [start, end] of weekends(this.clock, from, to, this.week)) {
        lines.push([`weekend ${start}`, () => {
          const node = made("i", "fwt-weekend");
          set(node, this.x(start), (end - start) / this.perPixel);
          return node;
        }]);
      }
    }
    this.sync(this.el.ticks, this.ticks, names);
    this.sync(this.el.grid, this.gridLines, lines);
    this.drawEnds(from, to);
  }

  /** Names of freezes and of days off, on lines of their own below the scale. */
  private drawEnds(from: number, to: number): void {
    const told = [...this.plan.shades.values()].filter((shade) => shade.kind !== "maintenance" && shade.start < to && shade.end > from).sort((one, other) => one.start - other.start);
    const words = told.map((shade) => (shade.name.length * 6.4 + 14) * this.perPixel);
    const { rows, height } = pack(told.map((shade, index) => ({ start: shade.start, end: Math.max(shade.end, shade.start + (words[index] ?? 0)) })), 0);
    this.sync(this.el.ends, this.endNodes, told.map((shade, index): Entry => [`${shade.kind} ${shade.name} ${shade.start} ${rows[index]}`, () => {
      const node = made(shade.href ? "a" : "span", `fwt-end is-${shade.kind}`) as HTMLAnchorElement;
      if (shade.href) node.href = shade.href;
      node.append(made("span", "", shade.name));
      node.title = `${shade.name}: ${this.period(shade.start, shade.end)}`;
      const [x, room] = this.clipped(shade);
      set(node, x, room);
      node.dataset.x = String(x);
      node.dataset.room = String(room);
      node.style.top = `${(rows[index] ?? 0) * (ENDS - 4) + 3}px`;
      return node;
    }]));
    const box = this.el.ends.parentElement as HTMLElement;
    box.style.height = told.length ? `${Math.min(3, height) * (ENDS - 4) + 4}px` : "0";
  }

  private drawNames(lines: Line[]): void {
    this.sync(this.el.names, this.names, lines.map((one): Entry => (one.kind === "group" ? [`group ${one.group}`, () => this.groupName(one)] : [`lane ${one.lane?.key}`, () => this.laneName(one)])));
  }

  private groupName(one: Line): HTMLElement {
    const node = made("button", "fwt-group") as HTMLButtonElement;
    node.type = "button";
    node.setAttribute("aria-expanded", String(!one.shut));
    node.append(chevron(), made("span", "", one.group || this.word("others", "Others")), made("small", "", one.shut && one.count ? String(one.count) : ""));
    node.addEventListener("click", () => {
      if (!this.shut.delete(one.group)) this.shut.add(one.group);
      this.relay();
    });
    return place(node, one);
  }

  private laneName(one: Line): HTMLElement {
    const node = made("div", "fwt-name");
    const lane = one.lane as NonNullable<Line["lane"]>;
    const name = made(lane.href ? "a" : "span", "fwt-lane", lane.name) as HTMLAnchorElement;
    if (lane.href) name.href = lane.href;
    name.title = [lane.name === lane.key ? lane.name : `${lane.name} (${lane.key})`, lane.note].filter(Boolean).join(", ");
    const words = made("div", "fwt-words");
    words.append(name);
    if (lane.note) words.append(made("small", "", lane.note));
    if (lane.state) node.append(made("i", `fwt-dot is-${lane.state}`));
    node.append(words, made("b"));
    return place(node, one);
  }

  /** Left edge and width of a shade, cut where no one can pan to before the next origin. */
  private clipped(shade: Shade): [number, number] {
    const reach = this.range * (FAR + 4);
    const start = Math.max(shade.start, this.anchor - reach);
    return [this.x(start), (Math.min(shade.end, this.anchor + reach) - start) / this.perPixel];
  }

  private drawBack(lines: Line[], from: number, to: number): void {
    const still: Entry[] = [];
    const moving: Entry[] = [];
    const shades = [...this.plan.shades].filter(([, shade]) => shade.start < to && shade.end > from);
    const band = (shade: Shade, top: number, height: number): HTMLElement => {
      const node = made("i", `fwt-shade is-${shade.kind}`);
      set(node, ...this.clipped(shade));
      node.style.top = `${top}px`;
      node.style.height = `${height}px`;
      return node;
    };
    for (const [id, shade] of shades) if (!shade.lanes) moving.push([id, () => band(shade, 0, this.placed.height)]);
    for (const one of lines) {
      if (one.kind === "group") {
        still.push([`group ${one.group}`, () => place(made("i", "fwt-group-line"), one)]);
        continue;
      }
      const key = one.lane?.key ?? "";
      still.push([`lane ${key}`, () => place(made("i", "fwt-row"), one)]);
      for (const [id, shade] of shades) if (shade.lanes?.has(key)) moving.push([`${key} ${id}`, () => band(shade, one.top, one.height - 1)]);
    }
    this.sync(this.el.rows, this.rowNodes, still);
    this.sync(this.el.back, this.shadeNodes, moving);
  }

  /** Bring a layer to hold these and no others; what stands there since the last origin is left alone. */
  private sync(layer: HTMLElement, shown: Map<string, Shown>, wanted: Entry[], keep: (node: HTMLElement) => boolean = () => false, move?: (node: HTMLElement, id: string) => void): void {
    const stay = new Set<string>();
    const fresh: Node[] = [];
    for (const [id, make] of wanted) {
      if (stay.has(id)) continue;
      stay.add(id);
      const old = shown.get(id);
      if (old?.epoch === this.epoch) continue;
      if (old && move && this.stale) {
        move(old.node, id); // made anew once the wheel rests
        continue;
      }
      const node = make();
      if (old) {
        const held = old.node.contains(document.activeElement);
        old.node.replaceWith(node);
        if (held) node.focus({ preventScroll: true });
      } else fresh.push(node);
      shown.set(id, { node, epoch: this.epoch });
    }
    for (const [id, { node }] of shown) {
      if (stay.has(id) || keep(node)) continue;
      node.remove();
      shown.delete(id);
    }
    layer.append(...fresh);
  }

  private drawBars(lines: Line[], from: number, to: number): void {
    const wanted: Entry[] = [];
    for (const one of lines) {
      for (const placed of one.bars) {
        const { bar } = placed;
        if (!this.mover.holds(bar) && (bar.start >= to || bar.end <= from - 160 * this.perPixel)) continue;
        wanted.push([bar.id, () => this.bar(placed, one)]);
      }
      for (const dense of one.dense) if (dense.start < to && dense.end > from) wanted.push([dense.id, () => this.band(dense, one)]);
    }
    this.sync(this.el.bars, this.nodes, wanted, (node) => node === document.activeElement, (node, id) => {
      const bar = this.placed.byId.get(id)?.bar;
      if (bar) set(node, this.x(bar.start), Math.max(LEAST, (bar.end - bar.start) / this.perPixel));
    });
    this.rove();
  }

  private bar(placed: Placed, one: Line): HTMLElement {
    const { bar } = placed;
    const node = made(bar.href ? "a" : "span", `fwt-bar is-${bar.kind} is-${bar.strength}`) as HTMLAnchorElement;
    if (bar.href) node.href = bar.href;
    node.dataset.id = bar.id;
    node.tabIndex = -1;
    node.draggable = false;
    const by = this.mover.by(bar);
    const moving = this.mover.holds(bar);
    if (this.mover.may(bar)) node.setAttribute("aria-keyshortcuts", "Shift+ArrowLeft Shift+ArrowRight x");
    node.classList.toggle("is-movable", this.mover.may(bar));
    node.classList.toggle("is-picked", this.mover.picked.has(bar));
    node.classList.toggle("is-moving", moving);
    node.classList.toggle("is-refused", this.mover.refused(bar));
    node.dataset.touch = this.touch(bar);
    const left = this.x(bar.start + by);
    const width = Math.max(LEAST, (bar.end - bar.start) / this.perPixel);
    set(node, left, width);
    node.style.top = `${one.top + PAD + placed.row * PITCH}px`;
    const found = this.mover.findings(bar)?.map((one) => ({ ...one, start: one.start ? Date.parse(one.start) - by : bar.start, end: one.end ? Date.parse(one.end) - by : bar.end })) ?? bar.conflicts;
    const clashes = found.filter((conflict) => conflict.severity === "block" || conflict.severity === "warn");
    node.setAttribute("aria-label", this.spoken(bar, clashes.length));
    if (bar.strength === "active") {
      const done = made("i", "fwt-done");
      done.style.width = `${Math.max(2, Math.min(width, (this.present - bar.start) / this.perPixel))}px`;
      node.append(done);
    }
    for (const conflict of clashes) {
      const common = overlap(conflict, bar);
      if (!common) continue;
      const under = made("i", "fwt-clash");
      const x = (common.start - bar.start) / this.perPixel;
      under.style.transform = `translateX(${x}px)`;
      under.style.width = `${Math.max(4, Math.min(width - x, (common.end - common.start) / this.perPixel))}px`;
      node.append(under);
    }
    const keyWide = bar.key.length * 7 + 2;
    const titleWide = bar.title.length * 6.4;
    const narrow = width < keyWide + 16;
    // the number of clashes stands beside a narrow bar where there is room, else on its corner
    const free = (placed.next - bar.start) / this.perPixel - width;
    const beside = narrow && clashes.length > 0 && free >= 20;
    const badge = beside ? 19 : clashes.length ? 9 : 0;
    if (!narrow) {
      const text = made("span", "fwt-label");
      text.append(made("span", "fw-key", bar.key));
      if (width >= keyWide + 16 + Math.min(titleWide, 130)) text.append(" ", made("span", "", bar.title));
      node.append(text);
    } else {
      const room = (Math.min(placed.next, bar.end + this.range) - bar.start) / this.perPixel - width - 10 - badge;
      if (room >= keyWide) {
        const text = made("span", "fwt-label is-beside");
        text.append(made("span", "fw-key", bar.key));
        if (room >= keyWide + Math.min(titleWide, 150) + 12 && DAY / this.perPixel > 60) {
          const title = made("span", "", bar.title);
          title.style.maxWidth = `${Math.min(room - keyWide - 12, 260)}px`;
          text.append(" ", title);
        }
        text.style.transform = `translateX(${width + 4 + badge}px)`;
        node.append(text);
      }
    }
    if (clashes.length) {
      node.classList.toggle("is-narrow", beside);
      const badge = made("b", "fwt-badge");
      badge.dataset.count = String(clashes.length);
      node.append(badge);
    }
    return node;
  }

  private band(dense: Dense, one: Line): HTMLElement {
    const clashing = dense.bars.filter((bar) => bar.conflicts.length).length;
    const node = made("button", `fwt-band${clashing ? " has-clash" : ""}`) as HTMLButtonElement;
    node.type = "button";
    node.dataset.id = dense.id;
    node.tabIndex = -1;
    const width = Math.max(LEAST, (dense.end - dense.start) / this.perPixel);
    set(node, this.x(dense.start), width);
    node.style.top = `${one.top + PAD}px`;
    node.setAttribute("aria-label", `${dense.bars.length} ${this.word("bars", "bars")}, ${this.period(dense.start, dense.end)}`);
    if (width >= 22) node.append(made("span", "fwt-label", String(dense.bars.length)));
    node.addEventListener("click", () => this.open(dense));
    return node;
  }

  private open(dense: Dense): void {
    const room = Math.min(60 * DAY, Math.max(DAY, (dense.end - dense.start) * 1.5));
    this.range = room;
    this.preset = "";
    this.start = (dense.start + dense.end) / 2 - room / 2;
    if (dense.end - dense.start > room) this.start = dense.start - room * 0.05;
    this.chosen = dense.bars[0]?.id ?? "";
    this.relay();
    this.moved();
  }

  // Words

  private period(start: number, end: number): string {
    const lang = this.lang2;
    const name = (at: number): string => written(lang, this.zone, at, { weekday: "short", day: "numeric", month: "short" }).replace(",", "");
    const time = (at: number): string => written(lang, this.zone, at, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    const mark = (at: number): string => zoneMark(lang, this.zone, this.clock.offset(at), at);
    const same = name(start) === name(end);
    return `${name(start)} ${time(start)}${same ? "-" : ` - ${name(end)} `}${time(end)} ${mark(end)}`;
  }

  private spoken(bar: Bar, clashes: number): string {
    const parts = [`${bar.key} ${bar.title}`, this.word(bar.state, bar.state), this.period(bar.start, bar.end), bar.place];
    if (this.mover.picked.has(bar)) parts.push(this.word("picked", "selected"));
    if (clashes) parts.push(`${clashes} ${clashes === 1 ? this.word("conflict", "conflict") : this.word("conflicts", "conflicts")}`);
    return parts.filter(Boolean).join(", ");
  }

  // The note beside a bar

  private hovered = (event: PointerEvent): void => {
    const node = (event.target as Element).closest<HTMLElement>("[data-id]");
    if (!node || event.pointerType === "touch" || this.holding) return;
    clearTimeout(this.hoverTimer);
    this.hoverTimer = window.setTimeout(() => this.note(node), this.noted ? 60 : 160);
  };

  private unhovered = (): void => {
    clearTimeout(this.hoverTimer);
    this.hoverTimer = window.setTimeout(() => {
      if (!this.el.bars.querySelector(":focus-visible")) this.unnote();
    }, 180);
  };

  private focused = (event: FocusEvent): void => {
    const node = (event.target as Element).closest<HTMLElement>("[data-id]");
    if (!node) return;
    this.chosen = node.dataset.id ?? "";
    this.rove();
    if (node.matches(":focus-visible")) this.note(node);
  };

  private clicked = (event: MouseEvent): void => {
    if (this.dragged) return event.preventDefault();
    const bar = this.barAt(event.target as Element);
    if (!(event.ctrlKey || event.metaKey || event.shiftKey) || !this.mover.may(bar)) return;
    event.preventDefault();
    this.mover.pick(bar);
  };

  private barAt(node: Element): Bar | undefined {
    return this.placed.byId.get(node.closest<HTMLElement>("[data-id]")?.dataset.id ?? "")?.bar;
  }

  private note(node: HTMLElement): void {
    const id = node.dataset.id ?? "";
    const placed = this.placed.byId.get(id);
    if (!placed || this.mover.busy) return this.unnote();
    const { bar } = placed;
    this.noted = id;
    const sentences = bar.conflicts;
    render(
      html`<div class="fwt-note-head"><span class="fw-key">${bar.key}</span><span class="fwt-note-state">${this.word(bar.state, bar.state)}</span></div>
        <p class="fwt-note-title">${bar.title}</p>
        <p class="fwt-note-facts"><span>${this.period(bar.start, bar.end)}</span>${bar.place ? html`<span>${bar.place}</span>` : nothing}</p>
        ${sentences.length
          ? html`<ul>${sentences.slice(0, 5).map((one) => html`<li><span class="fw-tag is-${{ block: "bad", warn: "warn", inform: "info", unknown: "unknown" }[one.severity]}">${this.word(one.severity, { block: "blocks", warn: "warns", inform: "informs", unknown: "unknown" }[one.severity])}</span><div>${one.message}${one.path.length > 1 ? html`<span class="fw-path">${one.path.map((step, at) => html`${at ? html`<span class="fw-path-arrow"><svg viewBox="0 0 14 8" aria-hidden="true">${svg`<path d="M0 4h12M9 1l3 3-3 3"/>`}</svg></span>` : nothing}<span class="fw-path-step"><span class="fw-key">${step}</span></span>`)}</span>` : nothing}</div></li>`)}</ul>${sentences.length > 5 ? html`<p class="fw-note">+ ${sentences.length - 5}</p>` : nothing}`
          : nothing}`,
      this.el.note,
    );
    this.el.note.hidden = false;
    const box = this.getBoundingClientRect();
    const at = node.getBoundingClientRect();
    const size = this.el.note.getBoundingClientRect();
    // on the side where the path to the other bar does not run, where there is room
    const line = (one: Placed): number => one.lane * 100 + one.row;
    const under = bar.conflicts.some(({ other }) => this.placed.byKey.get(other)?.some((one) => line(one) > line(placed)));
    const roomBelow = at.bottom + 8 + size.height < innerHeight - 8;
    const roomAbove = at.top - 8 - size.height > 8;
    const below = roomBelow && !(under && roomAbove);
    const right = Math.min(box.right, innerWidth) - 12;
    let left = Math.max(box.left + 8, Math.min(at.left, right - size.width));
    let top = below ? at.bottom + 8 : Math.max(8, at.top - size.height - 8);
    if (under && !roomAbove && at.right + 40 + size.width < right) left = at.right + 40;
    else if (under && !roomAbove && at.left - 16 - size.width > box.left + this.side) left = at.left - 16 - size.width;
    if (under && !roomAbove) top = Math.max(8, Math.min(at.top, innerHeight - size.height - 8));
    this.el.note.style.left = `${left - box.left}px`;
    this.el.note.style.top = `${top - box.top}px`;
    for (const shown of this.nodes.values()) shown.node.classList.toggle("is-noted", shown.node === node);
    this.drawLinks();
  }

  private unnote(): void {
    this.noted = "";
    if (!this.el) return;
    this.el.note.hidden = true;
    for (const shown of this.nodes.values()) shown.node.classList.remove("is-noted", "is-other");
    this.drawLinks();
  }

  private centre(placed: Placed): { x1: number; x2: number; y: number } {
    const one = this.placed.lines[placed.lane] as Line;
    const x1 = this.x(placed.bar.start);
    return { x1, x2: Math.max(x1 + LEAST, this.x(placed.bar.end)), y: one.top + PAD + placed.row * PITCH + BAR / 2 };
  }

  private drawLinks(): void {
    const placed = this.placed.byId.get(this.noted);
    const paths: unknown[] = [];
    if (placed) {
      const mine = this.centre(placed);
      for (const conflict of placed.bar.conflicts.slice(0, 12)) {
        const others = (this.placed.byKey.get(conflict.other) ?? []).filter((one) => one.bar.start < conflict.end && one.bar.end > conflict.start);
        const other = others.find((one) => one !== placed && conflict.path.includes(one.bar.lane)) ?? others.find((one) => one !== placed);
        if (!other) continue;
        this.nodes.get(other.bar.id)?.node.classList.add("is-other");
        const theirs = this.centre(other);
        const x = this.x((Math.max(conflict.start, placed.bar.start) + Math.min(conflict.end, placed.bar.end)) / 2);
        const down = theirs.y >= mine.y ? 1 : -1;
        const y1 = mine.y + (down * BAR) / 2;
        const y2 = theirs.y - (down * BAR) / 2;
        const bend = Math.min(28, Math.abs(y2 - y1) / 2 + 4);
        const to = Math.max(theirs.x1 + 3, Math.min(theirs.x2 - 3, x));
        const d = mine.y === theirs.y ? `M${mine.x2} ${mine.y}C${mine.x2 + 16} ${mine.y} ${theirs.x1 - 16} ${theirs.y} ${theirs.x1} ${theirs.y}` : `M${x} ${y1}C${x} ${y1 + down * bend} ${to} ${y2 - down * bend} ${to} ${y2}`;
        paths.push(svg`<path d=${d}></path><circle cx=${to} cy=${y2} r="2.6"></circle>`);
      }
    }
    render(paths.length ? html`<svg class="fwt-link" height=${this.placed.height} width="1" aria-hidden="true">${paths}</svg>` : nothing, this.el.links);
  }

  // Pointer

  private holding = false;
  private dragged = false;

  private grabbed = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    const bar = this.barAt(event.target as Element);
    if (event.pointerType !== "touch" && !event.ctrlKey && !event.metaKey && !event.shiftKey && this.mover.may(bar)) return this.carried(event, bar);
    const from = { x: event.clientX, y: event.clientY, scroll: this.el.view.scrollTop, start: this.start };
    this.dragged = false;
    const touch = event.pointerType === "touch";
    const move = (next: PointerEvent): void => {
      const dx = next.clientX - from.x;
      const dy = next.clientY - from.y;
      if (!this.dragged) {
        if (Math.hypot(dx, dy) < 5) return;
        this.dragged = true;
        this.holding = true;
        this.unnote();
        this.el.view.classList.add("is-held");
      }
      this.start = from.start - dx * this.perPixel;
      if (!touch) this.el.view.scrollTop = from.scroll - dy;
      this.moved();
    };
    const end = (): void => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      if (this.holding) this.moved();
      this.holding = false;
      this.el.view.classList.remove("is-held");
      setTimeout(() => (this.dragged = false), 50);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  };

  /** A bar that may be moved goes with the hand; at the edges time comes towards it. */
  private carried(event: PointerEvent, bar: Bar): void {
    const from = { x: event.clientX, start: this.start };
    const box = this.el.canvas.getBoundingClientRect();
    this.dragged = false;
    let frame = 0;
    let at = event.clientX;
    const follow = (): void => {
      frame = 0;
      const edge = at < box.left + 24 ? -14 : at > box.right - 24 ? 14 : 0;
      if (edge) this.pan(edge);
      this.mover.drag(bar, at - from.x + (this.start - from.start) / this.perPixel);
      if (edge) frame = requestAnimationFrame(follow); // on and on, as long as the hand stays there
    };
    const move = (next: PointerEvent): void => {
      if (!this.dragged) {
        if (Math.abs(next.clientX - from.x) < 5) return;
        this.dragged = this.holding = true;
        this.unnote();
        this.el.view.classList.add("is-held");
      }
      at = next.clientX;
      frame ||= requestAnimationFrame(follow);
    };
    const end = (dropped: boolean): void => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", up);
      removeEventListener("pointercancel", cancelled);
      removeEventListener("keydown", left, true);
      if (frame) {
        cancelAnimationFrame(frame);
        if (dropped && this.dragged) this.mover.drag(bar, at - from.x + (this.start - from.start) / this.perPixel);
      }
      this.el.view.classList.remove("is-held");
      if (this.holding && dropped) void this.mover.drop();
      else if (this.holding) this.mover.leave();
      this.holding = false;
      setTimeout(() => (this.dragged = false), 50);
    };
    const up = (): void => end(true);
    const cancelled = (): void => end(false);
    const left = (key: KeyboardEvent): void => {
      if (key.key !== "Escape") return;
      key.preventDefault();
      key.stopPropagation();
      end(false);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
    addEventListener("pointercancel", cancelled);
    addEventListener("keydown", left, true);
  }

  private wheeled = (event: WheelEvent): void => {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const box = this.el.canvas.getBoundingClientRect();
      this.zoom(Math.exp(Math.max(-80, Math.min(80, event.deltaY)) * 0.004), (event.clientX - box.left) / Math.max(1, box.width), true);
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      this.unnote();
      this.pan(event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX);
    }
  };

  private resized = (event: PointerEvent): void => {
    event.preventDefault();
    const from = event.clientX - this.side;
    const move = (next: PointerEvent): void => this.widen(next.clientX - from);
    const end = (): void => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
  };

  private widen(to: number): void {
    this.side = Math.round(Math.max(100, Math.min(480, to)));
    this.style.setProperty("--side", `${this.side}px`);
    this.renderRoot.querySelector("[role=separator]")?.setAttribute("aria-valuenow", String(this.side));
    storage("fw-timeline-side", String(this.side));
  }

  // Keys

  private pressed = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (target.isContentEditable || (target.matches("input, textarea, select") && !target.matches("[type=checkbox], [type=radio]"))) return;
    const here = this.contains(target);
    if (this.mover?.busy && (here || target === document.body)) {
      // a button in the panel answers to Enter by itself
      if (event.key === "Escape") this.mover.leave();
      else if (event.key === "Enter" && !target.matches("button")) void this.mover.apply();
      if (event.key === "Escape" || (event.key === "Enter" && !target.matches("button"))) return event.preventDefault();
    }
    if (!here && target !== document.body && document.querySelectorAll("fw-timeline").length > 1) return;
    const act: Record<string, () => void> = { "+": () => this.zoom(1 / 1.5), "=": () => this.zoom(1 / 1.5), "-": () => this.zoom(1.5), t: () => this.go(this.present), l: () => this.twin() };
    const simple = act[event.key];
    if (simple) {
      simple();
      event.preventDefault();
      return;
    }
    if (!here || this.listed || target.matches("[role=separator]")) return;
    const onBar = target.closest("[data-id]") !== null;
    const bar = onBar ? this.barAt(target) : undefined;
    if (event.key === "x" && bar) {
      event.preventDefault();
      return this.mover.pick(bar);
    }
    if (event.key === "Escape" && this.mover.picked.size) {
      event.preventDefault();
      return this.mover.unpick();
    }
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (arrow && (onBar || target === this.el.view)) {
      event.preventDefault();
      const [dx, dy] = arrow as [number, number];
      if (event.shiftKey && dx && this.mover.may(bar)) {
        this.unnote();
        this.mover.step(bar, dx);
      } else if (event.shiftKey) {
        this.unnote();
        this.pan(dx * this.width * 0.25);
        this.el.view.scrollTop += dy * 120;
      } else if (onBar) this.step(dx, dy);
      else if (dx) this.pan(dx * this.width * 0.1);
      else this.el.view.scrollTop += dy * 60;
    } else if (event.key === "Enter" && target === this.el.view) {
      this.nodes.get(this.chosen)?.node.focus();
    } else if (event.key === "Escape" && onBar) {
      if (this.noted) this.unnote();
      else this.el.view.focus();
      event.preventDefault();
    }
  };

  /** Every bar and band of the plan in reading order, whether drawn or not. */
  private order(one: Line): (Placed | Dense)[] {
    const start = (each: Placed | Dense): number => ("bar" in each ? each.bar.start : each.start);
    return [...one.bars, ...one.dense].sort((a, b) => start(a) - start(b));
  }

  private step(dx: number, dy: number): void {
    const id = this.chosen;
    const lines = this.placed.lines;
    let line = lines.findIndex((one) => one.bars.some((each) => each.bar.id === id) || one.dense.some((each) => each.id === id));
    if (line < 0) return;
    const idOf = (each: Placed | Dense): string => ("bar" in each ? each.bar.id : each.id);
    const startOf = (each: Placed | Dense): number => ("bar" in each ? each.bar.start : each.start);
    const all = this.order(lines[line] as Line);
    const at = all.findIndex((each) => idOf(each) === id);
    let next: Placed | Dense | undefined;
    if (dx) next = all[at + dx];
    else {
      const mine = startOf(all[at] as Placed | Dense);
      while (!next && (line += dy) >= 0 && line < lines.length) {
        const near = this.order(lines[line] as Line);
        next = near.reduce<Placed | Dense | undefined>((best, each) => (!best || Math.abs(startOf(each) - mine) < Math.abs(startOf(best) - mine) ? each : best), undefined);
      }
    }
    if (next) this.reveal(idOf(next), next);
  }

  private reveal(id: string, each: Placed | Dense): void {
    const start = "bar" in each ? each.bar.start : each.start;
    const end = "bar" in each ? each.bar.end : each.end;
    // a short one is drawn wider than it is, and a hand has to hit it
    if (start < this.start || Math.max(Math.min(end, start + this.range * 0.2), start + 24 * this.perPixel) > this.start + this.range) {
      this.start = start - this.range * 0.3;
      this.moved();
    }
    const line = this.placed.lines[each.lane] as Line;
    const head = this.el.axis.offsetHeight;
    const view = this.el.view;
    if (line.top < view.scrollTop) view.scrollTop = line.top - GROUP;
    else if (line.top + line.height > view.scrollTop + view.clientHeight - head) view.scrollTop = line.top + line.height - view.clientHeight + head + 8;
    this.chosen = id;
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.draw();
    this.nodes.get(id)?.node.focus({ preventScroll: true });
  }

  /** One bar alone is in the order of Tab: the chosen one, or the first that is in sight. */
  private rove(): void {
    const chosen = this.nodes.get(this.chosen)?.node;
    let first: HTMLElement | null = chosen ?? null;
    for (const { node } of this.nodes.values()) {
      node.tabIndex = -1;
      if (!first) {
        const placed = this.placed.byId.get(node.dataset.id ?? "");
        if (placed && placed.bar.end > this.start && placed.bar.start < this.start + this.range) first = node;
      }
    }
    if (first) {
      first.tabIndex = 0;
      this.chosen = first.dataset.id ?? "";
    }
  }

  private twin(): void {
    this.listed = !this.listed;
    this.unnote();
    void this.updateComplete.then(() => {
      if (this.listed) this.renderRoot.querySelector<HTMLElement>(".fwt-list")?.focus();
      else this.plot(true);
    });
  }

  // Frame

  private drawTools(): void {
    if (!this.tools) return;
    const told = `${this.clashes} ${this.clashes === 1 ? this.word("conflict", "conflict") : this.word("conflicts", "conflicts")}`;
    const name = { day: this.word("day", "Day"), week: this.word("week", "Week"), month: this.word("month", "Month"), quarter: this.word("quarter", "Quarter") };
    render(
      html`${this.mover?.picked.size ? html`<span class="fw-chip is-info is-filter">${this.mover.picked.size} ${this.word("picked", "selected")}<button type="button" class="fwt-unpick" aria-label=${this.word("unpick", "Select none")} @click=${() => this.mover.unpick()}>×</button></span>` : nothing}${this.clashes ? (this.conflicts ? html`<a class="fw-chip is-bad" href=${this.conflicts}>${told}</a>` : html`<span class="fw-chip is-bad">${told}</span>`) : nothing}
        <div class="fw-segments" role="group" aria-label=${this.word("span", "Span")}>${Object.entries(name).map(([key, text]) => html`<button type="button" aria-pressed=${this.preset === key} @click=${() => this.choose(key)}>${text}</button>`)}</div>
        <div class="fwt-pair fwt-zoom"><button type="button" class="btn btn-icon" aria-label=${this.word("out", "Zoom out")} @click=${() => this.zoom(1.5)}>−</button><button type="button" class="btn btn-icon" aria-label=${this.word("in", "Zoom in")} @click=${() => this.zoom(1 / 1.5)}>+</button></div>
        <div class="fwt-pair"><button type="button" class="btn btn-icon" aria-label=${this.word("back", "Earlier")} @click=${() => this.pan(-this.width * 0.6)}>‹</button><button type="button" class="btn" @click=${() => this.go(this.present)}>${this.word("now", "Now")} <kbd aria-hidden="true">t</kbd></button><button type="button" class="btn btn-icon" aria-label=${this.word("forth", "Later")} @click=${() => this.pan(this.width * 0.6)}>›</button></div>
        <button type="button" class="btn" aria-pressed=${this.listed} @click=${() => this.twin()}>${this.listed ? this.word("picture", "Timeline") : this.word("list", "List")} <kbd aria-hidden="true">l</kbd></button>`,
      this.tools,
    );
  }

  protected override updated(): void {
    this.drawTools();
  }

  private table(): unknown {
    const names = new Map(this.plan.lanes.map((lane) => [lane.key, lane.name]));
    const all = [...this.plan.bars.values()].filter((bar) => bar.start < this.start + this.range && bar.end > this.start).sort((one, other) => one.start - other.start);
    return html`<div class="fwt-list" tabindex="-1"><table class="table fw-table" data-rows><caption>${this.period(this.start, this.start + this.range)} · ${all.length}</caption>
      <thead><tr>${[["key", "Key"], ["title", "Title"], ["lane", this.lanes || "Item"], ["place", "Where"], ["planned", "Planned"], ["state", "State"], ["clash", "Conflicts"]].map(([key, text]) => html`<th scope="col">${this.word(`col_${key}`, text ?? "")}</th>`)}</tr></thead>
      <tbody>${all.slice(0, 500).map((bar) => html`<tr data-href=${bar.href || nothing}><td>${bar.href ? html`<a class="fw-key" href=${bar.href}>${bar.key}</a>` : html`<span class="fw-key">${bar.key}</span>`}</td><td class="is-wide is-title"><span>${bar.title}</span></td><td class="is-short is-fit">${names.get(bar.lane) ?? bar.lane}</td><td class="is-short is-fit">${bar.place}</td><td class="fwt-nowrap">${this.period(bar.start, bar.end)}</td><td class="is-short">${this.word(bar.state, bar.state)}</td><td class="is-wide fwt-told">${bar.conflicts.map((one) => html`<div>${one.message}</div>`)}</td></tr>`)}</tbody></table>
      ${all.length > 500 ? html`<p class="fw-note">+ ${all.length - 500}</p>` : nothing}</div>`;
  }

  protected override render(): unknown {
    const key = (name: string, usual: string): unknown => html`<span><kbd>${name}</kbd> ${usual}</span>`;
    return html`<div class="fwt-busy" data-part="busy" aria-hidden="true"></div>
      <div class="fwt-view" data-part="view" tabindex="0" role="group" aria-label=${this.label} ?hidden=${this.listed} aria-roledescription=${this.word("timeline", "timeline")}>
        <div class="fwt-axis" data-part="axis">
          <div class="fwt-corner">${this.lanes}<span class="fwt-sash" role="separator" aria-orientation="vertical" tabindex="0" aria-label=${this.word("sash", "Width of the names")} aria-valuenow=${this.side} aria-valuemin="100" aria-valuemax="480" @pointerdown=${this.resized} @keydown=${(event: KeyboardEvent) => { if (event.key === "ArrowLeft" || event.key === "ArrowRight") { this.widen(this.side + (event.key === "ArrowLeft" ? -16 : 16)); event.preventDefault(); } }}></span></div>
          <div class="fwt-clip"><div class="fwt-ticks" data-part="ticks"></div><i class="fwt-nowdot" data-part="nowdot" hidden></i><div class="fwt-ends"><div data-part="ends"></div></div></div>
        </div>
        <div class="fwt-body">
          <div class="fwt-canvas" data-part="canvas">
            <div class="fwt-layer is-grid" data-part="grid"></div><div class="fwt-layer is-still" data-part="rows"></div><div class="fwt-layer" data-part="back"></div><i class="fwt-nowline" data-part="nowline" hidden></i>
            <div class="fwt-layer" data-part="links"></div><div class="fwt-layer" data-part="bars"></div>
          </div>
          <div class="fwt-names" data-part="names"></div>
        </div>
        ${this.phase === "first" ? html`<div class="fwt-skeleton" aria-hidden="true">${[0, 1, 2, 3, 4, 5].map(() => html`<i></i>`)}</div>` : nothing}
        ${this.phase === "ready" && !this.plan.lanes.length ? html`<div class="fw-empty"><p class="fw-empty-title">${this.word("empty", "Nothing is planned here")}</p><div>${this.word("empty_hint", "Choose another span, take out a filter, or plan a change.")}</div></div>` : nothing}
        <p class="fwt-hint" data-part="hint" hidden>${this.word("quiet", "Nothing is planned in this span.")}</p>
      </div>
      ${this.listed ? this.table() : nothing}
      ${this.phase === "failed" ? html`<div class="fwt-trouble" role="alert"><p>${this.trouble}</p><button type="button" class="btn btn-sm" @click=${() => void this.fetch()}>${this.word("again", "Try again")}</button></div>` : nothing}
      <div class="fwt-move" data-part="move" role="group" aria-label=${this.word("moving", "Moving")} hidden></div><p class="visually-hidden" data-part="speech" role="status"></p>
      <div class="fwt-note" data-part="note" role="tooltip" hidden></div>
      ${this.compact ? nothing : html`<div class="fwt-legend"><span class="fwt-sample is-change">${this.word("change", "change")}</span><span class="fwt-sample is-hard_freeze">${this.word("hard_freeze", "hard freeze")}</span><span class="fwt-sample is-soft_freeze">${this.word("soft_freeze", "soft freeze")}</span><span class="fwt-sample is-maintenance">${this.word("maintenance", "maintenance window")}</span><span class="fwt-rule"></span><span class="fwt-sample is-form is-tentative">${this.word("tentative", "tentative")}</span><span class="fwt-sample is-form is-requested">${this.word("requested", "requested")}</span><span class="fwt-sample is-form is-approved">${this.word("approved", "approved")}</span><span class="fwt-sample is-form is-active">${this.word("active", "active")}</span><span class="fwt-sample is-form is-done">${this.word("done", "done")}</span><span class="fw-gap"></span><span class="fwt-keys">${key("+ -", this.word("zoom", "zoom"))}${this.move ? key("x", this.word("pick", "select")) : nothing}${this.move ? key("Shift ← →", this.word("move", "move")) : nothing}${key("l", this.word("as_list", "list"))}${key("?", this.word("keys", "keys"))}</span></div>`}`;
  }
}

let pen: CanvasRenderingContext2D | null = null;
const widths = new Map<string, number>();
/** Width of a bold 12 px text, without asking the page, which would have to lay itself out first. */
function wide(text: string): number {
  let found = widths.get(text);
  if (found === undefined) {
    pen ??= document.createElement("canvas").getContext("2d");
    if (pen) pen.font = '640 12px "Inter Variable", system-ui, sans-serif';
    widths.set(text, (found = pen?.measureText(text).width ?? text.length * 7));
  }
  return found;
}

const marks = new Map<string, string>();
/** The zone's short name while it has this offset; asking Intl for it is slow, and it changes twice a year. */
function zoneMark(lang: string, zone: string, offset: number, at: number): string {
  const key = `${lang} ${zone} ${offset}`;
  let found = marks.get(key);
  if (found === undefined) {
    const parts = new Intl.DateTimeFormat(lang, { timeZone: zone, timeZoneName: "short" }).formatToParts(at);
    marks.set(key, (found = parts.find((part) => part.type === "timeZoneName")?.value ?? zone));
  }
  return found;
}

function made(tag: string, kind = "", text = ""): HTMLElement {
  const node = document.createElement(tag);
  if (kind) node.className = kind;
  if (text) node.textContent = text;
  return node;
}

function set(node: HTMLElement, x: number, width: number): void {
  node.style.transform = `translateX(${Math.round(x * 2) / 2}px)`;
  node.style.width = `${Math.max(1, Math.round(width * 2) / 2)}px`;
}

function line(kind: string, x: number): HTMLElement {
  const node = made("i", `fwt-line ${kind}`);
  node.style.transform = `translateX(${Math.round(x)}px)`;
  return node;
}

function place(node: HTMLElement, one: Line): HTMLElement {
  node.style.top = `${one.top}px`;
  node.style.height = `${one.height}px`;
  return node;
}

function chevron(): SVGElement {
  const node = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  node.setAttribute("viewBox", "0 0 24 24");
  node.setAttribute("class", "fw-icon");
  node.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
  shape.setAttribute("d", "m7 10 5 5 5-5");
  node.append(shape);
  return node;
}

function storage(name: string, value?: string): string | null {
  try {
    if (value !== undefined) localStorage.setItem(name, value);
    return localStorage.getItem(name);
  } catch {
    return null; // a browser that keeps nothing
  }
}

customElements.define("fw-timeline", Timeline);
