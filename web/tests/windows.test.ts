import { beforeAll, describe, expect, it, vi } from "vitest";

describe("length of a window", () => {
  let spoken: (milliseconds: number) => string;
  beforeAll(async () => {
    vi.stubGlobal("HTMLElement", class {});
    vi.stubGlobal("customElements", { define: vi.fn() });
    ({ spoken } = await import("../src/islands/windows"));
  });
  it.each([[90, "1 h 30 min"], [60, "1 h"], [1440, "1 d"], [1501, "1 d 1 h"], [5, "5 min"]])("%i minutes are %s", (minutes, text) => {
    expect(spoken(minutes * 60_000)).toBe(text);
  });
});
