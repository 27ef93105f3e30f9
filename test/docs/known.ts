import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { makeProgram } from "../../src/cli/program.ts";
import { detectorNodeSchema } from "../../src/config/detector-node-schema.ts";
import { detectorNodeName, detectorServices } from "../../src/config/detector-topics.ts";
import { stereoNodeSchema } from "../../src/config/stereo-node-schema.ts";
import { stereoNodeName, stereoServices } from "../../src/config/stereo-topics.ts";
import { readText, root } from "../launch/support.ts";

/** Node name -> what it has. */
const nodes: Readonly<Record<string, { parameters: object; services: readonly { name: string; type: string }[] }>> = {
  [stereoNodeName]: { parameters: stereoNodeSchema, services: Object.values(stereoServices) },
  [detectorNodeName]: { parameters: detectorNodeSchema, services: Object.values(detectorServices) },
};

/**
 * What is wrong with a simple command, in words, as far as it can be told without running it: commands, options and
 * operands of our program, scripts, launch arguments, parameters, services, modules. Undefined: nothing, or it is
 * another's program.
 */
export async function wrongWith([name, ...words]: readonly string[]): Promise<string | undefined> {
  if (name === "voxelguard") return await wrongUse(words);
  if (name === "npm") return await wrongScript(words);
  if (name === "ros2") return wrongRos(words);
  if (name === "python") return wrongModule(words);
  return undefined;
}

/** Commander parses the line as it would, and only the work is left out. */
async function wrongUse(words: readonly string[]): Promise<string | undefined> {
  let complaint = "";
  let reached = false;
  const program = makeProgram();
  for (const command of withSubcommands(program)) {
    command.exitOverride().configureOutput({
      writeOut: () => {},
      writeErr: (text) => {
        complaint += text;
      },
    });
    if (command.commands.length === 0)
      command.action(() => {
        reached = true;
      });
  }
  try {
    await program.parseAsync([...words], { from: "user" });
    return reached ? undefined : "it names no command";
  } catch {
    return words.includes("--help") ? undefined : complaint;
  }
}

function* withSubcommands(command: Command): Generator<Command> {
  yield command;
  for (const each of command.commands) yield* withSubcommands(each);
}

/** `npm run NAME -- words`, `npm test`, `npm install`. */
async function wrongScript(words: readonly string[]): Promise<string | undefined> {
  const [verb, ...rest] = words.filter((word) => word !== "-s");
  if (verb === "install" || verb === "rebuild" || verb === "ci") return undefined;
  const name = verb === "test" ? "test" : rest[0];
  const { scripts } = JSON.parse(readText("package.json")) as { scripts: Readonly<Record<string, string>> };
  const script = name === undefined ? undefined : scripts[name];
  if (script === undefined) return `package.json has no script ${name}`;
  const own = words.includes("--") ? words.slice(words.indexOf("--") + 1) : [];
  const ours = /^tsx src\/cli\/main\.ts ?(.*)$/.exec(script);
  if (ours !== null) return await wrongUse([...ours[1]!.split(" ").filter((word) => word !== ""), ...own]);
  if (name === "bench") return wrongBench(own);
  return own.find((word) => word.startsWith("test/") && !existsSync(join(root, word)));
}

function wrongBench(words: readonly string[]): string | undefined {
  const benches = readdirSync(join(root, "bench"));
  const parser = readText("tools/bench.mjs");
  return words
    .filter((word) => !/^\d+$/.test(word))
    .find((word) =>
      word.startsWith("--")
        ? !parser.includes(`${word.slice(2)}: { type: `)
        : !benches.some((bench) => bench.endsWith(".bench.ts") && bench.includes(word)),
    );
}

/** Launch files and their arguments, nodes, their parameters and services. */
function wrongRos([verb, ...words]: readonly string[]): string | undefined {
  const [first, second, ...rest] = words;
  if (verb === "launch" && first === "voxelguard") {
    if (!existsSync(join(root, "launch", second!))) return `there is no launch/${second}`;
    // Arguments of what a launch file includes work there, too.
    const files = [second!, "stereo.launch.py"].map((file) => readText(`launch/${file}`));
    const given = rest.filter((word) => word.includes(":=")).map((word) => word.split(":=")[0]!);
    return given.find((argument) => !files.some((text) => text.includes(`('${argument}',`)));
  }
  if (verb === "run" && first === "voxelguard") return Object.hasOwn(nodes, second!) ? undefined : second;
  if (verb === "param") {
    const node = nodes[second!.slice(1)];
    return node !== undefined && Object.hasOwn(node.parameters, rest[0]!) ? undefined : `${second} has no ${rest[0]}`;
  }
  if (verb === "service" && first === "call") {
    const [, name, service] = second!.split("/");
    const known = nodes[name!]?.services.find((one) => one.name === `~/${service}`);
    if (known === undefined) return `there is no service ${second}`;
    return known.type === rest[0] ? undefined : `${second} is of type ${known.type}`;
  }
  return undefined;
}

/** `python -m package.module --options`, run from training/. */
function wrongModule([flag, name, ...words]: readonly string[]): string | undefined {
  if (flag !== "-m") return undefined;
  const path = `training/${name!.replaceAll(".", "/")}.py`;
  if (!existsSync(join(root, path))) return `there is no ${path}`;
  const options = words.filter((word) => word.startsWith("--"));
  return options.find((option) => !readText(path).includes(`add_argument("${option}"`));
}

/** What is wrong with a command as running text names it: placeholders, brackets and alternatives allowed. */
export function wrongName(span: string): string | undefined {
  const words = span.replaceAll(/[[\]]/g, "").split(/\s+/);
  if (words[0] === "voxelguard") {
    const path = [makeProgram()];
    for (const word of words.slice(1)) {
      const next = path.at(-1)!.commands.find((command) => command.name() === word);
      if (next === undefined) break;
      path.push(next);
    }
    if (path.length === 1 && /^[a-z]/.test(words[1] ?? "")) return `there is no voxelguard ${words[1]}`;
    const known = new Set(["--help", ...path.flatMap(({ options }) => options.map(({ long }) => long))]);
    return words.find((word) => word.startsWith("--") && !known.has(word));
  }
  if (words[0] === "npm" && words[1] === "run") {
    const name = words.find((word, i) => i > 1 && word !== "-s");
    return readText("package.json").includes(`"${name}": "`) ? undefined : `package.json has no script ${name}`;
  }
  if (words[0] === "python" && words[1] === "-m" && /\.[a-z]/.test(words[2] ?? "")) return wrongModule(words.slice(1));
  return undefined;
}
