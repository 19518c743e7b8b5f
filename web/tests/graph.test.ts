import { describe, expect, it } from "vitest";
import { type Drawing, type Node, blocks, firstGrouping, layers, links, matches, rowsFor, standsFor, svgOf } from "../src/graph/plan";

function node(key: string, depth: number, more: Partial<Node> = {}): Node {
  return { key, name: key.toUpperCase(), kind: "System", organisation: "Retail", criticality: 3, depth, ...more };
}

const nodes = [
  node("ledger", 0),
  node("till", 1, { before: 0 }),
  node("host", 1, { before: 0, kind: "Host" }),
  node("portal", 1, { before: 0 }),
  node("shop", 2, { before: 1 }),
];
const drawing: Drawing = {
  nodes,
  edges: [[0, 1, 0], [0, 2, 1], [0, 3, 0], [1, 4, 0], [3, 4, 0]],
  words: ["depends on", "runs on"],
  count: 4,
  left: 0,
};

describe("groups", () => {
  it("fold what shares a layer and a kind, and leave what stands alone as it is", () => {
    const all = blocks(nodes, "kind", new Set());
    expect(all.map((one) => [one.id, one.members])).toEqual([["n0", [0]], ["g1|System", [1, 3]], ["n2", [2]], ["n4", [4]]]);
    expect([...standsFor(all)]).toEqual([[0, "n0"], [1, "g1|System"], [3, "g1|System"], [2, "n2"], [4, "n4"]]);
  });

  it("open into their members, which keep their order", () => {
    const all = blocks(nodes, "kind", new Set(["g1|System"]));
    expect(standsFor(all).get(3)).toBe("n3");
    expect([...layers(all, 12).keys()]).toEqual(["n0", "n1", "n3", "n2", "n4"]);
  });

  it("join with links that count what they stand for", () => {
    const found = links(drawing, standsFor(blocks(nodes, "kind", new Set())));
    expect(found.map((one) => [one.id, one.weight])).toEqual([["n0>g1|System", 2], ["n0>n2", 1], ["g1|System>n4", 2]]);
    expect(links(drawing, standsFor(blocks(nodes, "", new Set())))).toHaveLength(5);
  });

  it("tell by the first thing that differs once there are many", () => {
    const many = Array.from({ length: 80 }, (_, index) => node(`n${index}`, 1, { criticality: 1 + (index % 4) }));
    expect(firstGrouping(nodes)).toBe("");
    expect(firstGrouping(many)).toBe("criticality");
    expect(firstGrouping(many.map((one, index) => ({ ...one, kind: `Kind ${index % 2}` })))).toBe("kind");
  });
});

describe("layers", () => {
  it("stand from left to right, and a long one goes on in further columns", () => {
    const long = [node("first", 0), ...Array.from({ length: 30 }, (_, index) => node(`n${index}`, 1)), node("last", 2)];
    const at = layers(blocks(long, "", new Set()), 12);
    const columns = new Set([...at].filter(([id]) => id !== "n0" && id !== "n31").map(([, one]) => one.x));
    expect(columns.size).toBe(3);
    expect(Math.min(...columns)).toBeGreaterThan(at.get("n0")?.x ?? 0);
    expect(at.get("n31")?.x).toBeGreaterThan(Math.max(...columns));
    expect(new Set([...at.values()].map((one) => `${one.x}/${one.y}`)).size).toBe(32);
    expect(rowsFor(2000)).toBeGreaterThan(rowsFor(300));
  });
});

it("finds items by every word, in key, name or kind", () => {
  expect(matches(nodes[2] as Node, "host HOST")).toBe(true);
  expect(matches(nodes[2] as Node, "host system")).toBe(false);
});

it("writes a picture in which words are words", () => {
  const mark = { id: "n0", x: 0, y: 0, width: 10, height: 10, label: `<script>"&`, fill: "#fff", line: "#000" };
  const told = svgOf([mark], [], { ground: "#fff", text: "#000", line: "#ccc" });
  expect(told).toContain("&lt;script&gt;&quot;&amp;");
  expect(told).not.toContain("<script");
});
