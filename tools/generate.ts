/**
 * Writes the files that come from the schemas, and the tables of kept benches in docs/performance.md: `npm run generate`. With `--check` it writes nothing and fails when a
 * file is not what it would write.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { detectorNodeSchema } from "../src/config/detector-node-schema.ts";
import { detectorInputs, detectorNodeName, detectorOutputs, detectorServices } from "../src/config/detector-topics.ts";
import { markdownTable } from "../src/config/markdown.ts";
import { rosYaml } from "../src/config/ros-yaml.ts";
import { stereoNodeSchema } from "../src/config/stereo-node-schema.ts";
import { stereoSchema } from "../src/config/stereo-schema.ts";
import { stereoInputs, stereoNodeName, stereoOutputs, stereoServices } from "../src/config/stereo-topics.ts";
import type { Topic } from "../src/config/topic.ts";
import { withResults } from "./bench-page.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const origin = "Generated from src/config by `npm run generate`: do not edit.";

/** What only the live node has. */
const liveOnly = Object.fromEntries(
  Object.entries(stereoNodeSchema).filter(([name]) => !Object.hasOwn(stereoSchema, name)),
);

/** Topics as rows: name, type, QoS, what it is. */
function topicTable(topics: readonly Topic[]): string {
  const rows = topics.map(({ name, type, qos, overridable, doc }) => {
    const policies = `${qos.reliability}, ${qos.durability}, ${qos.depth}`;
    return `| \`${name}\` | ${type} | ${policies}${overridable ? "" : " (fixed)"} | ${doc} |\n`;
  });
  return `| topic | type | QoS: reliability, durability, depth | what |\n| --- | --- | --- | --- |\n${rows.join("")}`;
}

type Named = Readonly<Record<string, Topic>>;
type Services = Readonly<Record<string, { readonly name: string; readonly type: string; readonly doc: string }>>;

function topicSections(node: string, inputs: Named, outputs: Named, services: Services): string {
  const rows = Object.values(services).map(({ name, type, doc }) => `| \`${name}\` | ${type} | ${doc} |\n`);
  return `## ${node}

Subscribed:

${topicTable(Object.values(inputs))}
Published:

${topicTable(Object.values(outputs))}
Services:

| service | type | what |
| --- | --- | --- |
${rows.join("")}`;
}

const topicsPage = `# Topics

${origin}

Relative names stand in the node's namespace, \`~/\` for the node's own name; all can be remapped. Where it does not say
"fixed", \`qos_overrides.<topic>.subscription.*\` or \`.publisher.*\` change the QoS.

${topicSections(stereoNodeName, stereoInputs, stereoOutputs, stereoServices)}
${topicSections(detectorNodeName, detectorInputs, detectorOutputs, detectorServices)}`;

/** path below the root -> content */
const files: Readonly<Record<string, string>> = {
  "launch/params/stereo.yaml": rosYaml(stereoNodeSchema, [
    "Parameters of stereo_voxel_node at their defaults.",
    origin,
  ]),
  "launch/params/detector.yaml": rosYaml(detectorNodeSchema, [
    "Parameters of defended_detector_node at their defaults.",
    origin,
  ]),
  "docs/parameters.md": `# Parameters\n\n${origin}\n\nIn a ROS parameter file they stand under these names, on the command line with dashes: \`voxel_size\` is\n\`--voxel-size\`, \`map.window\` is \`--map-window\`. "live" parameters may change while the node runs.\n\n## Stereo\n\n${markdownTable(stereoSchema)}\n## Of stereo_voxel_node alone\n\n${markdownTable(liveOnly)}\n## Of defended_detector_node\n\n${markdownTable(detectorNodeSchema)}`,
  "docs/topics.md": topicsPage,
  "docs/performance.md": withResults(readOrEmpty(join(root, "docs/performance.md")), root),
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
  console.error(
    `${path} is not what the schemas (or bench/results) say. ${firstDifference(present, content)}\nRun \`npm run generate\`.`,
  );
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
