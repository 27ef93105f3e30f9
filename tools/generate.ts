/**
 * Writes the files that come from the schemas: `npm run generate`. With `--check` it writes nothing and fails when a
 * file is not what it would write.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { markdownTable } from "../src/config/markdown.ts";
import { rosYaml } from "../src/config/ros-yaml.ts";
import { stereoSchema } from "../src/config/stereo-schema.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const origin = "Generated from src/config by `npm run generate`: do not edit.";

/** path below the root -> content */
const files: Readonly<Record<string, string>> = {
  "launch/params/stereo.yaml": rosYaml(stereoSchema, [
    "Parameters of the stereo_voxels node at their defaults.",
    origin,
  ]),
  "docs/parameters.md": `# Parameters\n\n${origin}\n\nIn a ROS parameter file they stand under these names, on the command line with dashes: \`voxel_size\` is\n\`--voxel-size\`, \`map.window\` is \`--map-window\`. "live" parameters may change while the node runs.\n\n## Stereo\n\n${markdownTable(stereoSchema)}`,
};

const check = process.argv.includes("--check");
for (const [path, content] of Object.entries(files)) {
  const absolute = join(root, path);
  if (!check) {
    mkdirSync(dirname(absolute), { recursive: true });
    writeFileSync(absolute, content);
    continue;
  }
  const present = readOrEmpty(absolute);
  if (present === content) continue;
  console.error(`${path} is not what the schemas say. ${firstDifference(present, content)}\nRun \`npm run generate\`.`);
  process.exitCode = 1;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function firstDifference(present: string, wanted: string): string {
  const [a, b] = [present.split("\n"), wanted.split("\n")];
  const at = b.findIndex((line, i) => line !== a[i]);
  const i = at === -1 ? b.length : at;
  return `Line ${i + 1}:\n- ${a[i] ?? "(end of file)"}\n+ ${b[i] ?? "(end of file)"}`;
}
