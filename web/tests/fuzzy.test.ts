import { describe, expect, it } from "vitest";
import { fuzzy, pieces } from "../src/palette/fuzzy";

const best = (typed: string, labels: string[]): string | undefined =>
  labels.map((label) => ({ label, hit: fuzzy(typed, label) })).filter((one) => one.hit).sort((a, b) => (b.hit?.score ?? 0) - (a.hit?.score ?? 0))[0]?.label;

describe("letters typed find the label meant", () => {
  it.each([
    ["nc", "New change"],
    ["cal", "Calendar"],
    ["cat", "Catalogue"],
    ["theme", "Switch theme"],
    ["zur", "Zürich"],
    ["new env", "New environment"],
  ])("%s: %s", (typed, label) => {
    expect(best(typed, ["Calendar", "Catalogue", "New change", "New environment", "Conflicts", "Switch theme", "Zürich", "Administration"])).toBe(label);
  });
  it("needs every letter, in order", () => {
    expect(fuzzy("xyz", "Calendar")).toBeNull();
    expect(fuzzy("rac", "car")).toBeNull();
  });
  it("takes nothing typed as everything", () => expect(fuzzy("", "x")).toEqual({ score: 0, at: [] }));
  it("prefers letters that touch to letters apart", () => {
    expect(fuzzy("cha", "Change")?.score).toBeGreaterThan(fuzzy("cha", "Catch a train")?.score ?? 0);
  });
  it("puts a word as it stands before letters that happen to come in its order", () => {
    expect(best("pay", ["Performance at year end", "Open payments-api", "Plan a yearly freeze"])).toBe("Open payments-api");
  });
  it("marks what was typed and loses nothing", () => {
    const label = "New change";
    const cut = pieces(label, fuzzy("nch", label)?.at ?? []);
    expect(cut.map(([text]) => text).join("")).toBe(label);
    expect(cut.filter(([, hit]) => hit).map(([text]) => text).join("")).toBe("Nch");
  });
});
