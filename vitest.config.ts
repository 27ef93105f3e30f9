import { defineConfig } from "vitest/config";

/** Tests of how fast something answers, and of a browser that draws in software: one by one, when the others are done. */
const quiet = [
  ...["steady", "cycles", "faults", "images"].map((name) => `test/ros/${name}.test.ts`),
  "test/viewer/*.test.ts",
];

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: "all",
          include: ["src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: [...quiet, "**/node_modules/**"],
          sequence: { groupOrder: 0 },
          // Two cores: more workers only make the timeouts noisy.
          maxWorkers: 2,
        },
      },
      { extends: true, test: { name: "quiet", include: quiet, sequence: { groupOrder: 1 }, maxWorkers: 1 } },
    ],
  },
});
