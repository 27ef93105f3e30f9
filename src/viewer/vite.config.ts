import { defineConfig } from "vite";

/** Paths are relative to the root of the repository, where npm runs it. */
export default defineConfig({
  root: "src/viewer",
  base: "./",
  build: {
    outDir: "../../dist/viewer",
    emptyOutDir: true,
    target: "es2022",
    // three alone is half a megabyte, and the page usually comes from the same machine.
    chunkSizeWarningLimit: 2000,
  },
});
