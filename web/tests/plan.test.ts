import { afterEach, describe, expect, it, vi } from "vitest";
import { Plan, Refusal } from "../src/timeline/plan";

const HOUR = 3_600_000;

/** Answers each stretch asked for with the lanes of these keys, in turn. */
function served(...answers: [key: string, group: string, order?: string][][]): string[] {
  const asked: string[] = [];
  vi.stubGlobal("location", { href: "http://fairway.test/calendar" });
  vi.stubGlobal("fetch", async (url: URL) => {
    const lanes = (answers[asked.length] ?? []).map(([key, group, order]) => ({ key, name: key, group, ...(order ? { order } : {}) }));
    asked.push(`${url.searchParams.get("from")} ${url.searchParams.get("to")}`);
    return new Response(JSON.stringify({ lanes, bars: [], shades: [] }));
  });
  return asked;
}

describe("a plan fetched in stretches", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("joins the lanes of later stretches in their told order", async () => {
    const asked = served([["b", "one", "1 b"], ["d", "two", "2 d"]], [["a", "one", "1 a"], ["b", "one", "1 b"], ["c", "two", "2 c"]]);
    const plan = new Plan("/data");
    const never = new AbortController().signal;
    expect(await plan.reach(0, HOUR, never)).toBe(true);
    expect(await plan.reach(0, 2 * HOUR, never)).toBe(true);
    expect(plan.lanes.map((lane) => lane.key)).toEqual(["a", "b", "c", "d"]);
    expect(asked).toEqual(["1970-01-01T00:00:00.000Z 1970-01-01T01:00:00.000Z", "1970-01-01T01:00:00.000Z 1970-01-01T02:00:00.000Z"]);
    expect(await plan.reach(0, HOUR, never)).toBe(false);
  });

  it("keeps groups together where no order is told", async () => {
    served([["b", "one"], ["d", "two"]], [["a", "one"]]);
    const plan = new Plan("/data");
    const never = new AbortController().signal;
    await plan.reach(0, HOUR, never);
    await plan.reach(0, 2 * HOUR, never);
    expect(plan.lanes.map((lane) => lane.key)).toEqual(["a", "b", "d"]);
  });

  it("marks bars once their conflicts have come, and keeps the marks of what stays while it is fetched again", async () => {
    vi.stubGlobal("location", { href: "http://fairway.test/calendar" });
    const asked: string[] = [];
    const bar = { id: "CHG-1/x", key: "CHG-1", lane: "x", title: "", start: "1970-01-01T00:10:00Z", end: "1970-01-01T00:20:00Z", kind: "change", state: "draft", strength: "tentative", href: "", place: "" };
    const conflict = { rule: "claims.same_item", severity: "warn", message: "", other: "CHG-2", start: bar.start, end: bar.end, path: ["x"] };
    vi.stubGlobal("fetch", async (url: URL) => {
      asked.push(url.searchParams.get("part") ?? "");
      const plan = { lanes: [{ key: "x", name: "x" }], bars: [bar], shades: [], conflicts: "later" };
      return new Response(JSON.stringify(asked.at(-1) === "plan" ? plan : { conflicts: { [bar.id]: [conflict], "CHG-9/gone": [conflict] } }));
    });
    const plan = new Plan("/data");
    const never = new AbortController().signal;
    await plan.reach(0, HOUR, never);
    expect([plan.marked, plan.bars.get(bar.id)?.conflicts]).toEqual([false, []]);
    expect(await plan.mark(never)).toBe(true);
    expect([plan.marked, plan.bars.get(bar.id)?.conflicts[0]?.start]).toEqual([true, 600_000]);
    expect(await plan.mark(never)).toBe(false);
    await plan.again(never);
    expect([plan.marked, plan.bars.get(bar.id)?.conflicts.length]).toEqual([false, 1]);
    await plan.mark(never);
    expect(asked).toEqual(["plan", "conflicts", "plan", "conflicts"]);
  });

  it("tells what the server refuses", async () => {
    vi.stubGlobal("location", { href: "http://fairway.test/calendar" });
    vi.stubGlobal("fetch", async () => new Response(JSON.stringify({ detail: "A span has at most three years." }), { status: 422 }));
    await expect(new Plan("/data").reach(0, HOUR, new AbortController().signal)).rejects.toThrow(new Refusal("A span has at most three years."));
  });
});
