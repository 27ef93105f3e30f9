/** `npm run build:kernel` ends with it: build/scan.wasm becomes src/octree/scan-kernel.ts, which needs no file at run time. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const text = readFileSync(path("build/scan.wasm")).toString("base64");
writeFileSync(
  path("src/octree/scan-kernel.ts"),
  `/** Generated from assembly/scan.ts by \`npm run build:kernel\`: do not edit. */\nexport const scanKernel: string =\n  "${text}";\n`,
);
