// What the graph shows of what was reached: single items, or groups of a layer that open. Pure.

export interface Node {
  key: string;
  name: string;
  kind: string;
  organisation: string;
  criticality: number;
  depth: number;
  before?: number;
  veiled?: boolean;
  pin?: string;
  why?: string;
}

export interface Drawing {
  nodes: Node[];
  edges: [from: number, to: number, word: number][];
  words: string[];
  count: number;
  left: number;
}

export type GroupBy = "" | "kind" | "organisation" | "criticality";

/** A node of the picture and a heading or row of the list: one item, or a group that is closed. */
export interface Block {
  id: string;
  group: string;
  depth: number;
  members: number[];
  open: boolean;
}

export interface Link {
  id: string;
  from: string;
  to: string;
  weight: number;
  word: string;
  main: boolean;
}

/** Up to so many are laid out by elk; beyond, layers stand as the server ordered them. */
export const LAID_OUT = 300;
/** From so many on, groups are closed at first. */
export const FOLDED = 60;

export function groupOf(node: Node, by: GroupBy): string {
  return by === "" || node.depth === 0 ? "" : by === "criticality" ? String(node.criticality) : node[by];
}

/** Return the groups of each layer in the order of their first member; a group of one is its item. */
export function blocks(nodes: readonly Node[], by: GroupBy, open: ReadonlySet<string>): Block[] {
  const found = new Map<string, Block>();
  nodes.forEach((node, index) => {
    const group = groupOf(node, by);
    const id = group === "" ? `n${index}` : `g${node.depth}|${group}`;
    const block = found.get(id);
    if (block) block.members.push(index);
    else found.set(id, { id, group, depth: node.depth, members: [index], open: open.has(id) });
  });
  return [...found.values()].map((block) =>
    block.group !== "" && block.members.length === 1 ? { ...block, id: `n${block.members[0]}`, group: "" } : block,
  );
}

/** Return which picture node stands for each item. */
export function standsFor(all: readonly Block[]): Map<number, string> {
  const found = new Map<number, string>();
  for (const block of all)
    for (const index of block.members) found.set(index, block.group === "" || block.open ? `n${index}` : block.id);
  return found;
}

/** Return the links between what is shown, each pair once, with how many steps it stands for. */
export function links(drawing: Drawing, stands: ReadonlyMap<number, string>): Link[] {
  const found = new Map<string, Link>();
  const many = stands.size > LAID_OUT && new Set(stands.values()).size > LAID_OUT;
  for (const [from, to, word] of drawing.edges) {
    const one = stands.get(from);
    const other = stands.get(to);
    if (one === undefined || other === undefined || one === other) continue;
    const main = drawing.nodes[to]?.before === from;
    if (many && !main) continue; // with very many lines only those that explain are told
    const id = `${one}>${other}`;
    const link = found.get(id);
    if (link) {
      link.weight += 1;
      link.main ||= main;
    } else found.set(id, { id, from: one, to: other, weight: 1, word: drawing.words[word] ?? "", main });
  }
  return [...found.values()];
}

export const CELL = { width: 190, height: 34, gap: 90 };

/** Return by what a graph is grouped at first: by the first thing in which its items differ, where they are many. */
export function firstGrouping(nodes: readonly Node[]): GroupBy {
  if (nodes.length <= FOLDED) return "";
  const ways: Exclude<GroupBy, "">[] = ["kind", "organisation", "criticality"];
  return ways.find((by) => new Set(nodes.map((node) => groupOf({ ...node, depth: 1 }, by))).size > 1) ?? "kind";
}

/** Return how many rows a column has so that the whole is about as wide as a screen. */
export function rowsFor(shown: number): number {
  return Math.max(12, Math.round(Math.sqrt(shown * 4)));
}

/** Place what is shown in layers from left to right; a long layer goes on in further columns. */
export function layers(all: readonly Block[], rows: number): Map<string, { x: number; y: number }> {
  const found = new Map<string, { x: number; y: number }>();
  const byDepth = new Map<number, string[]>();
  for (const block of all) {
    const ids = block.group === "" || block.open ? block.members.map((index) => `n${index}`) : [block.id];
    byDepth.set(block.depth, [...(byDepth.get(block.depth) ?? []), ...ids]);
  }
  let left = 0;
  for (const depth of [...byDepth.keys()].sort((a, b) => a - b)) {
    const ids = byDepth.get(depth) ?? [];
    const height = Math.min(rows, ids.length);
    const columns = Math.ceil(ids.length / rows);
    ids.forEach((id, place) => {
      const column = Math.floor(place / rows);
      found.set(id, { x: left + column * CELL.width, y: ((place % rows) - (height - 1) / 2) * CELL.height });
    });
    left += columns * CELL.width + CELL.gap;
  }
  return found;
}

export function matches(node: Node, text: string): boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const told = `${node.key} ${node.name} ${node.kind}`.toLowerCase();
  return words.every((word) => told.includes(word));
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign] ?? sign);
}

export interface Mark {
  id: string;
  x: number;
  y: number;
  width: number;
  height: number;
  label: string;
  fill: string;
  line: string;
}

/** Write what is shown as a picture that other programs open. */
export function svgOf(marks: readonly Mark[], joined: readonly Link[], colours: { ground: string; text: string; line: string }): string {
  const pad = 24;
  const left = Math.min(...marks.map((one) => one.x - one.width / 2)) - pad;
  const top = Math.min(...marks.map((one) => one.y - one.height / 2)) - pad;
  const right = Math.max(...marks.map((one) => one.x + one.width / 2)) + pad;
  const bottom = Math.max(...marks.map((one) => one.y + one.height / 2)) + pad;
  const at = new Map(marks.map((one) => [one.id, one]));
  const round = (value: number): string => value.toFixed(1);
  const lines = joined.flatMap((link) => {
    const one = at.get(link.from);
    const other = at.get(link.to);
    if (!one || !other) return [];
    return [`<line x1="${round(one.x)}" y1="${round(one.y)}" x2="${round(other.x)}" y2="${round(other.y)}"/>`];
  });
  const boxes = marks.map(
    (one) =>
      `<rect x="${round(one.x - one.width / 2)}" y="${round(one.y - one.height / 2)}" width="${round(one.width)}" height="${round(one.height)}" rx="4" fill="${one.fill}" stroke="${one.line}"/>` +
      `<text x="${round(one.x)}" y="${round(one.y + 4)}" text-anchor="middle">${escaped(one.label)}</text>`,
  );
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${round(left)} ${round(top)} ${round(right - left)} ${round(bottom - top)}" font-family="Inter, system-ui, sans-serif" font-size="12">` +
    `<rect x="${round(left)}" y="${round(top)}" width="100%" height="100%" fill="${colours.ground}"/>` +
    `<g stroke="${colours.line}" fill="none">${lines.join("")}</g><g fill="${colours.text}">${boxes.join("").replaceAll("<text ", `<text fill="${colours.text}" `)}</g></svg>`
  );
}
