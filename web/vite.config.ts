import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "./",
  build: {
    outDir: "../src/fairway/ui/static/ui/dist",
    emptyOutDir: true,
    manifest: "manifest.json",
    target: ["chrome123", "edge123", "firefox121", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: { main: "src/main.ts", timeline: "src/timeline.ts", graph: "src/graph.ts" } },
  },
  test: { include: ["tests/**/*.test.ts"] },
});
