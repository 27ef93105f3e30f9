import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";

/** Starts the module `name` beside this file as a worker: .js in a build, else .ts (tsx, vitest) through tsx's loader. */
export function spawnWorker(name: string, workerData: unknown): Worker {
  if (import.meta.url.endsWith(".js")) return new Worker(new URL(`./${name}.js`, import.meta.url), { workerData });
  const tsx = new URL(
    "dist/esm/api/index.mjs",
    pathToFileURL(createRequire(import.meta.url).resolve("tsx/package.json")),
  );
  const source = new URL(`./${name}.ts`, import.meta.url);
  const code = `import(${JSON.stringify(tsx.href)}).then((tsx) => { tsx.register(); return import(${JSON.stringify(source.href)}); });`;
  return new Worker(code, { workerData, eval: true });
}
