// The graph of an impact and its list: one set of data, in one order, told twice. Cytoscape draws on a canvas; what a
// screen reader or a keyboard needs stands in the list and in the sentence below the picture.
import cytoscape, { type Core, type ElementDefinition, type StylesheetJson } from "cytoscape";
import ELK, { type ElkNode } from "elkjs/lib/elk-api.js";
import elkWorker from "elkjs/lib/elk-worker.min.js?url";
import { LitElement, html, nothing, render } from "lit";
import { property, state } from "lit/decorators.js";
import {
  type Block, type Drawing, type GroupBy, type Link, type Node,
  LAID_OUT, blocks, firstGrouping, groupOf, layers, links, matches, rowsFor, standsFor, svgOf,
} from "./plan";

const BOX = { width: 168, height: 26 };
const LISTED = 400; // rows of one opened part of the list; more on demand
const LABEL = 22;
const READABLE = 0.85; // zoom at which names are read on a telephone
const NARROW = 600; // pixels of the picture

/** A mark of this id keeps Cytoscape from writing a style of its own into the page; ours is in graph.css. */
function spareStyle(): void {
  const id = "__________cytoscape_stylesheet";
  if (document.getElementById(id)) return;
  const mark = document.createElement("meta");
  mark.id = id;
  document.head.append(mark);
}

/** Return a colour of the tokens as the canvas library reads it. */
function colours(within: HTMLElement): (name: string) => string {
  const probe = document.createElement("i");
  within.append(probe);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const brush = canvas.getContext("2d", { willReadFrequently: true });
  const known = new Map<string, string>();
  queueMicrotask(() => probe.remove());
  return (name) => {
    let told = known.get(name);
    if (told === undefined) {
      probe.style.color = `var(--${name})`;
      told = "#888888";
      if (brush) {
        brush.clearRect(0, 0, 1, 1);
        brush.fillStyle = getComputedStyle(probe).color;
        brush.fillRect(0, 0, 1, 1);
        const [red = 0, green = 0, blue = 0] = brush.getImageData(0, 0, 1, 1).data;
        told = `rgb(${red},${green},${blue})`;
      }
      known.set(name, told);
    }
    return told;
  };
}

export class Graph extends LitElement {
  @property() src = "";
  @property() csv = "";
  @property() json = "";
  @property({ type: Boolean }) upstream = false;
  @property({ type: Object }) words: Record<string, string> = {};

  @state() private phase: "first" | "ready" | "failed" = "first";
  @state() private trouble = "";
  @state() private by: GroupBy = "";
  @state() private text = "";
  @state() private selected = "";
  @state() private shown = 0;
  @state() private longer = new Set<string>();

  private drawing: Drawing = { nodes: [], edges: [], words: [], count: 0, left: 0 };
  private open = new Set<string>();
  private all: Block[] = [];
  private joined: Link[] = [];
  private stands = new Map<number, string>();
  private core: Core | undefined;
  private elk: InstanceType<typeof ELK> | undefined;
  private frame: HTMLElement | null = null;
  private tools: HTMLElement | null = null;
  private turn = 0;
  private theme = new MutationObserver(() => this.paint());
  private scheme = matchMedia("(prefers-color-scheme: dark)");
  private repaint = (): void => this.paint();

  protected override createRenderRoot(): HTMLElement {
    return this; // the page's own styles reach it
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.frame = this.querySelector("[data-frame]");
    this.tools = this.querySelector("[data-tools]");
    this.frame?.replaceChildren();
    this.theme.observe(document.documentElement, { attributes: true });
    this.scheme.addEventListener("change", this.repaint);
    void this.load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.theme.disconnect();
    this.scheme.removeEventListener("change", this.repaint);
    this.core?.destroy();
    this.elk?.terminateWorker();
  }

  protected override render(): unknown {
    return nothing; // the frame is drawn where the server put it
  }

  protected override shouldUpdate(): boolean {
    return this.frame !== null;
  }

  protected override update(changed: Map<PropertyKey, unknown>): void {
    super.update(changed);
    if (this.frame) render(this.view(), this.frame);
    if (this.tools && this.phase === "ready") render(this.toolbar(), this.tools);
  }

  private async load(): Promise<void> {
    this.phase = "first";
    try {
      const answer = await fetch(this.src, { headers: { accept: "application/json" } });
      const told: unknown = await answer.json();
      if (!answer.ok) throw new Error((told as { detail?: string }).detail ?? "");
      this.drawing = told as Drawing;
    } catch (problem) {
      this.trouble = (problem instanceof Error && !(problem instanceof TypeError) && problem.message) || this.word("away");
      this.phase = "failed";
      return;
    }
    this.by = firstGrouping(this.drawing.nodes);
    this.regroup();
    this.phase = "ready";
    await this.updateComplete;
    this.begin();
  }

  private word(name: string): string {
    return this.words[name] ?? name;
  }

  private regroup(): void {
    this.all = blocks(this.drawing.nodes, this.by, this.open);
    this.stands = standsFor(this.all);
    this.joined = links(this.drawing, this.stands);
  }

  // The picture

  private begin(): void {
    const container = this.querySelector<HTMLElement>("[data-canvas]");
    if (!container || this.drawing.nodes.length < 2) return;
    spareStyle();
    this.core = cytoscape({
      container, autoungrabify: true, boxSelectionEnabled: false, minZoom: 0.03, maxZoom: 2.5,
      hideEdgesOnViewport: this.drawing.nodes.length > LAID_OUT,
      textureOnViewport: this.drawing.nodes.length > LAID_OUT,
      pixelRatio: this.drawing.nodes.length > LAID_OUT ? 1 : "auto",
      style: this.style_(), layout: { name: "preset" },
    });
    this.core.on("tap", "node", (event) => this.pick(event.target.id(), true));
    this.core.on("dbltap", "node", (event) => this.enter(event.target.id()));
    this.core.on("tap", (event) => event.target === this.core && this.pick("", false));
    void this.draw(true);
  }

  private style_(): StylesheetJson {
    const colour = colours(this);
    const ring = colour("accent-fill");
    return [
      { selector: "node", style: {
        shape: "round-rectangle", width: BOX.width, height: BOX.height, label: "data(label)", "font-size": 12,
        "font-family": "Inter Variable, system-ui, sans-serif", "text-valign": "center", "text-halign": "center",
        color: colour("text"), "background-color": colour("panel"), "border-width": 1, "border-color": colour("line-control"),
        "min-zoomed-font-size": 6, "text-max-width": `${BOX.width - 12}px`, "text-wrap": "ellipsis" } },
      { selector: "node.crowd", style: { "background-color": colour("unknown-tint"), "border-width": 2 } },
      { selector: "node[?group]", style: { "background-color": colour("sunken"), "border-style": "double", "border-width": 3, "font-weight": 600 } },
      { selector: "node[criticality = 1]", style: { "border-color": colour("bad-fill"), "border-width": 2 } },
      { selector: "node[criticality = 2]", style: { "border-color": colour("warn-fill"), "border-width": 2 } },
      { selector: "node[?first]", style: { "background-color": colour("accent-tint"), "border-color": ring, "border-width": 2, "font-weight": 600 } },
      { selector: "node[pin = 'out']", style: { "border-style": "dashed", color: colour("muted") } },
      { selector: "node[pin = 'in']", style: { "background-color": colour("waive-tint"), "border-color": colour("waive-fill") } },
      { selector: "edge", style: {
        width: 1, "line-color": colour("line-strong"), "curve-style": "haystack", "target-arrow-shape": "none" } },
      { selector: "edge.few", style: {
        "curve-style": "bezier", "target-arrow-shape": "triangle", "arrow-scale": 0.8, "target-arrow-color": colour("line-strong") } },
      { selector: "edge.heavy", style: { width: 2.5 } },
      { selector: ".faded", style: { opacity: 0.22 } },
      { selector: "edge.near", style: { "line-color": ring, "target-arrow-color": ring, width: 2, "z-index": 5 } },
      { selector: "node:selected", style: { "border-color": ring, "border-width": 3, "background-color": colour("accent-tint") } },
    ] as unknown as StylesheetJson;
  }

  private paint(): void {
    this.core?.style(this.style_());
  }

  private labelOf(block: Block, index: number): string {
    const node = this.drawing.nodes[index] as Node;
    const told = block.group !== "" && !block.open ? `${this.groupWord(block)} (${block.members.length})` : node.name || node.key;
    return told.length > LABEL + 4 ? `${told.slice(0, LABEL + 2)}…` : told;
  }

  private groupWord(block: Block): string {
    return this.by === "criticality" ? `${this.word("criticality")} ${block.group}` : block.group;
  }

  private elements(): ElementDefinition[] {
    const found: ElementDefinition[] = [];
    const at = layers(this.all, rowsFor(new Set(this.stands.values()).size));
    for (const block of this.all) {
      const closed = block.group !== "" && !block.open;
      for (const index of closed ? [block.members[0] as number] : block.members) {
        const node = this.drawing.nodes[index] as Node;
        const id = closed ? block.id : `n${index}`;
        const worst = closed ? Math.min(...block.members.map((one) => this.drawing.nodes[one]?.criticality ?? 4)) : node.criticality;
        found.push({
          data: { id, label: this.labelOf(block, index), group: closed, criticality: worst, first: node.depth === 0 && node.pin !== "out", pin: closed ? "" : (node.pin ?? "") },
          position: { ...(at.get(id) ?? { x: 0, y: 0 }) },
        });
      }
    }
    this.shown = found.length;
    const few = found.length <= LAID_OUT;
    if (!few) for (const one of found) one.classes = ["crowd"];
    for (const link of this.joined) {
      const [source, target] = this.upstream ? [link.to, link.from] : [link.from, link.to];
      found.push({ data: { id: link.id, source, target }, classes: [few ? "few" : "", link.weight > 4 ? "heavy" : ""].filter(Boolean) });
    }
    return found;
  }

  private async draw(fit: boolean): Promise<void> {
    const core = this.core;
    if (!core) return;
    const turn = ++this.turn;
    const elements = this.elements();
    core.batch(() => {
      core.elements().remove();
      core.add(elements);
    });
    if (fit) this.fit();
    this.mark();
    if (this.shown <= LAID_OUT && this.shown > 2) {
      const laid = await this.laidOut();
      if (turn !== this.turn || !laid) return;
      core.batch(() => {
        for (const one of laid.children ?? [])
          core.getElementById(one.id).position({ x: (one.x ?? 0) + BOX.width / 2, y: (one.y ?? 0) + BOX.height / 2 });
      });
      if (fit) this.fit();
    }
    this.dataset["drawn"] = String(this.shown);
  }

  private async laidOut(): Promise<ElkNode | undefined> {
    this.elk ??= new ELK({ workerUrl: elkWorker });
    const ids = new Map<string, number>();
    for (const block of this.all)
      for (const index of block.members) ids.set(this.stands.get(index) as string, block.depth);
    try {
      return await this.elk.layout({
        id: "root",
        layoutOptions: {
          "elk.algorithm": "layered", "elk.direction": "RIGHT", "elk.layered.spacing.nodeNodeBetweenLayers": "70",
          "elk.spacing.nodeNode": "10", "elk.partitioning.activate": "true", "elk.separateConnectedComponents": "false",
        },
        children: [...ids].map(([id, depth]) => ({ id, ...BOX, layoutOptions: { "elk.partitioning.partition": String(depth) } })),
        edges: this.joined.map((link) => ({ id: link.id, sources: [link.from], targets: [link.to] })),
      });
    } catch {
      return undefined; // the layers stay as the server ordered them
    }
  }

  /** Show all of it; at first, where that would be too small to read on a telephone, where it begins. */
  private fit(whole = false): void {
    const core = this.core;
    if (!core) return;
    core.fit(undefined, 28);
    if (core.zoom() > 1.1) {
      core.zoom(1.1);
      core.center();
    }
    const root = core.nodes("[?first]").first();
    if (whole || core.zoom() >= READABLE || core.width() > NARROW || root.empty()) return;
    const { x1, x2 } = core.nodes().boundingBox();
    core.zoom(READABLE);
    core.center(root);
    const box = root.renderedBoundingBox();
    core.panBy({ x: root.position().x > (x1 + x2) / 2 ? core.width() - 16 - box.x2 : 16 - box.x1, y: 0 });
  }

  private zoom(by: number): void {
    const core = this.core;
    core?.zoom({ level: core.zoom() * by, renderedPosition: { x: core.width() / 2, y: core.height() / 2 } });
  }

  /** Show what is selected and what was looked for. */
  private mark(): void {
    const core = this.core;
    if (!core) return;
    core.batch(() => {
      core.elements().removeClass("faded near").unselect();
      if (this.text) {
        const found = new Set(this.found().map((index) => this.stands.get(index)));
        core.nodes().forEach((one) => void (found.has(one.id()) || one.addClass("faded")));
        core.edges().addClass("faded");
      }
      if (this.selected) core.getElementById(this.selected).select().removeClass("faded").connectedEdges().addClass("near").removeClass("faded");
    });
  }

  private found(): number[] {
    return this.drawing.nodes.flatMap((node, index) => (matches(node, this.text) ? [index] : []));
  }

  // What people do

  private pick(id: string, fromPicture: boolean): void {
    this.selected = id;
    this.mark();
    const core = this.core;
    const one = core?.getElementById(id);
    if (core && one?.nonempty() && !fromPicture) {
      const { x, y } = one.renderedPosition();
      const far = x < 20 || y < 20 || x > core.width() - 20 || y > core.height() - 20;
      if (far) core.center(one);
    }
    if (fromPicture)
      void this.updateComplete.then(() => this.querySelector(`[data-row="${CSS.escape(id)}"]`)?.scrollIntoView({ block: "nearest" }));
  }

  private enter(id: string): void {
    const block = this.all.find((one) => one.id === id);
    if (block && block.group !== "") this.toggle(id);
    else {
      const node = this.drawing.nodes[Number(id.slice(1))];
      if (node) window.location.assign(`/items/${node.key}`);
    }
  }

  private toggle(id: string): void {
    if (this.open.has(id)) this.open.delete(id);
    else this.open.add(id);
    this.regroup();
    this.selected = this.all.some((one) => one.id === id && one.open) ? `n${this.all.find((one) => one.id === id)?.members[0]}` : id;
    this.requestUpdate();
    void this.draw(true);
  }

  private every(open: boolean): void {
    this.open = new Set(open ? this.all.filter((one) => one.group !== "").map((one) => one.id) : []);
    this.regroup();
    this.selected = "";
    this.requestUpdate();
    void this.draw(true);
  }

  private regrouped(by: GroupBy): void {
    this.by = by;
    this.open.clear();
    this.selected = "";
    this.regroup();
    void this.draw(true);
  }

  private look(text: string): void {
    this.text = text;
    this.mark();
  }

  private nextFound(): void {
    const found = this.found();
    if (!found.length) return;
    const here = this.selected.startsWith("n") ? found.indexOf(Number(this.selected.slice(1))) : -1;
    const index = found[(here + 1) % found.length] as number;
    const stands = this.stands.get(index) ?? "";
    if (stands.startsWith("g")) {
      this.open.add(stands);
      this.regroup();
      this.requestUpdate();
      void this.draw(false).then(() => this.pick(`n${index}`, false));
    }
    this.pick(`n${index}`, false);
  }

  private keyed(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const core = this.core;
    const acts: Record<string, () => void> = {
      "+": () => this.zoom(1.25), "=": () => this.zoom(1.25), "-": () => this.zoom(0.8), "0": () => this.fit(true),
      ArrowDown: () => this.along(1), ArrowUp: () => this.along(-1), ArrowRight: () => this.across(1), ArrowLeft: () => this.across(-1),
      Enter: () => this.selected && this.enter(this.selected), Escape: () => this.pick("", false),
      l: () => this.querySelector<HTMLElement>("[data-list] [data-row]")?.focus(),
    };
    const act = acts[event.key];
    if (!act || !core) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  private order(): string[] {
    return this.all.flatMap((block) => (block.group === "" || block.open ? block.members.map((one) => `n${one}`) : [block.id]));
  }

  private along(step: number): void {
    const order = this.order();
    const place = order.indexOf(this.selected);
    const next = order[place < 0 ? 0 : Math.min(order.length - 1, Math.max(0, place + step))];
    if (next) this.pick(next, false);
  }

  private across(step: number): void {
    const link = this.joined.find((one) => (step > 0 ? one.from : one.to) === this.selected && (step > 0 || one.main)) ??
      this.joined.find((one) => (step > 0 ? one.from : one.to) === this.selected);
    if (!this.selected) this.along(1);
    else if (link) this.pick(step > 0 ? link.to : link.from, false);
  }

  private save(name: string, content: Blob): void {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(content);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  private exported(form: "svg" | "png"): void {
    const core = this.core;
    if (!core) return;
    const name = `impact-${this.drawing.nodes[0]?.key ?? "graph"}.${form}`;
    const colour = colours(this);
    if (form === "png") {
      this.save(name, core.png({ output: "blob", full: true, scale: 1.5, maxWidth: 8000, maxHeight: 8000, bg: colour("panel") }) as unknown as Blob);
      return;
    }
    const marks = core.nodes().map((one) => ({
      id: one.id(), ...one.position(), ...BOX, label: String(one.data("label")),
      fill: colour(one.data("first") ? "accent-tint" : one.data("group") ? "sunken" : "panel"),
      line: colour(one.data("criticality") === 1 ? "bad-fill" : one.data("criticality") === 2 ? "warn-fill" : "line-control"),
    }));
    const told = svgOf(marks, this.joined, { ground: colour("panel"), text: colour("text"), line: colour("line-strong") });
    this.save(name, new Blob([told], { type: "image/svg+xml" }));
  }

  // What is shown

  private toolbar(): unknown {
    const ways: [GroupBy, string][] = [["", "none"], ["kind", "kind"], ["organisation", "organisation"], ["criticality", "criticality"]];
    return html`
      <label class="fwg-pick"><span>${this.word("group")}</span>
        <select class="form-select" @change=${(event: Event) => this.regrouped((event.target as HTMLSelectElement).value as GroupBy)}>
          ${ways.map(([value, name]) => html`<option value=${value} ?selected=${value === this.by}>${this.word(name)}</option>`)}
        </select></label>
      <input type="search" class="form-control fwg-find" placeholder=${this.word("search")} aria-label=${this.word("search")} autocomplete="off" spellcheck="false"
        @input=${(event: Event) => this.look((event.target as HTMLInputElement).value.trim())}
        @keydown=${(event: KeyboardEvent) => event.key === "Enter" && this.nextFound()}>
      ${this.by === "" ? nothing : html`<button type="button" class="btn" @click=${() => this.every(this.open.size === 0)}>${this.word(this.open.size === 0 ? "open_all" : "close_all")}</button>`}
      <details class="fw-menu"><summary class="btn">${this.word("export")}</summary><div class="fw-menu-list is-right">
        <button type="button" @click=${() => this.exported("svg")}>SVG</button>
        <button type="button" @click=${() => this.exported("png")}>PNG</button>
        <a href=${this.csv} download>CSV</a><a href=${this.json} download>JSON</a></div></details>`;
  }

  private view(): unknown {
    if (this.phase === "first") return html`<p class="fw-loading" role="status">${this.word("loading")}</p>`;
    if (this.phase === "failed")
      return html`<div class="fwt-trouble" role="alert"><p>${this.trouble}</p><button type="button" class="btn" @click=${() => void this.load()}>${this.word("again")}</button></div>`;
    if (this.drawing.nodes.length < 2)
      return html`<div class="fw-empty"><p><b>${this.word(this.upstream ? "empty_up" : "empty")}</b></p><p>${this.word("empty_hint")}</p></div>`;
    return html`
      <section class="fwg-picture" aria-label=${this.word("picture")}>
        <div class="fwg-canvas" data-canvas tabindex="0" role="application" aria-label=${this.word("picture")} aria-describedby="fwg-hint" @keydown=${this.keyed}></div>
        <div class="fwg-zoom"><button type="button" class="btn btn-icon" aria-label=${this.word("in")} @click=${() => this.zoom(1.25)}>+</button><button type="button" class="btn btn-icon" aria-label=${this.word("out")} @click=${() => this.zoom(0.8)}>−</button><button type="button" class="btn" @click=${() => this.fit(true)}>${this.word("fit")}</button></div>
        <p class="fwg-told" role="status">${this.told()}</p>
        <p class="fwg-hint" id="fwg-hint">${this.shown} ${this.word("shown")} · ${this.word("hint")}</p>
      </section>
      <section class="fwg-list" data-list aria-label=${this.word("list")} tabindex="0">${this.list()}</section>`;
  }

  private told(): string {
    const block = this.all.find((one) => one.id === this.selected && one.group !== "" && !one.open);
    if (block) return `${this.groupWord(block)}: ${block.members.length} ${this.word("items")}, ${this.away(block.depth)}. ${this.word("opens")}.`;
    const node = this.selected ? this.drawing.nodes[Number(this.selected.slice(1))] : undefined;
    if (!node) return this.text ? `${this.found().length} ${this.word("found")}` : "";
    return `${node.name} (${node.key}), ${node.kind}, ${this.word("criticality")} ${node.criticality}, ${this.away(node.depth)}${this.by_way(node)}`;
  }

  private by_way(node: Node): string {
    const before = node.before === undefined ? undefined : this.drawing.nodes[node.before];
    const pin = node.pin ? `, ${this.word(`${node.pin}_pin`)}${node.why ? `: ${node.why}` : ""}` : "";
    if (!before) return pin;
    return `, ${this.word("through")} ${before.name}${node.veiled ? ` (${this.word("veiled")})` : ""}${pin}`;
  }

  private away(depth: number): string {
    return depth === 0 ? this.word(this.upstream ? "start_up" : "start") : `${depth} ${this.word(depth === 1 ? "step" : "steps")}`;
  }

  private list(): unknown {
    const layers = new Map<number, Block[]>();
    const wanted = this.text ? new Set(this.found()) : undefined;
    for (const block of this.all)
      if (!wanted || block.members.some((one) => wanted.has(one))) layers.set(block.depth, [...(layers.get(block.depth) ?? []), block]);
    return html`${[...layers].map(([depth, parts]) => html`
      <h2 class="fwg-layer">${this.away(depth)} <small>${parts.reduce((sum, one) => sum + one.members.length, 0)}</small></h2>
      <ul>${parts.map((block) => (block.group === "" ? this.row(block.members[0] as number) : this.partOf(block, wanted)))}</ul>`)}
      ${this.drawing.left ? html`<p class="fw-note">${this.drawing.left} ${this.word("left")}</p>` : nothing}`;
  }

  private partOf(block: Block, wanted: Set<number> | undefined): unknown {
    const open = block.open || wanted !== undefined;
    const members = wanted ? block.members.filter((one) => wanted.has(one)) : block.members;
    const shown = this.longer.has(block.id) ? members : members.slice(0, LISTED);
    return html`<li><button type="button" class="fwg-group ${this.selected === block.id ? "is-here" : ""}" data-row=${block.id} aria-expanded=${open}
        @click=${() => this.toggle(block.id)} @focus=${() => this.pick(block.open ? "" : block.id, false)}>${this.groupWord(block)} <small>${members.length}</small></button>
      ${open ? html`<ul>${shown.map((index) => this.row(index))}${shown.length < members.length
        ? html`<li><button type="button" class="btn btn-sm" @click=${() => { this.longer = new Set([...this.longer, block.id]); }}>+ ${members.length - shown.length}</button></li>` : nothing}</ul>` : nothing}</li>`;
  }

  private row(index: number): unknown {
    const node = this.drawing.nodes[index] as Node;
    const before = node.before === undefined ? undefined : this.drawing.nodes[node.before];
    const id = `n${index}`;
    const facts = this.by === "kind" && groupOf(node, "kind") ? node.organisation : node.kind;
    return html`<li class="fwg-row ${this.selected === id ? "is-here" : ""} ${node.pin === "out" ? "is-out" : ""}">
      <a class="fw-key" href="/items/${node.key}" data-row=${id} @focus=${() => this.stands.get(index) === id && this.pick(id, false)}>${node.key}</a>
      <span>${node.name}</span><small>${facts} · ${this.word("criticality")} ${node.criticality}${before && node.depth > 1 ? ` · ${this.word("through")} ${before.key}` : ""}${node.veiled ? ` · ${this.word("veiled")}` : ""}${node.pin ? ` · ${this.word(`${node.pin}_pin`)}${node.why ? `: ${node.why}` : ""}` : ""}</small></li>`;
  }
}

customElements.define("fw-graph", Graph);
