import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface Action {
  readonly kind: string;
  readonly values: readonly unknown[];
  readonly [name: string]: unknown;
}

export interface Evaluated {
  readonly declared: Readonly<
    Record<
      string,
      {
        readonly default_value: string | null;
        readonly description: string;
        readonly choices: readonly string[] | null;
      }
    >
  >;
  readonly actions: readonly Action[];
}

/** What a launch file does for each set of arguments, without ROS: see evaluate.py. */
export function evaluate(python: string, file: string, sets: readonly Readonly<Record<string, string>>[]): Evaluated[] {
  const environment = { ...process.env };
  for (const name of ["FASTDDS", "FASTRTPS"]) delete environment[`${name}_DEFAULT_PROFILES_FILE`];
  const { status, stdout, stderr } = spawnSync(
    python,
    [join(root, "test/launch/evaluate.py"), join(root, file), root],
    {
      input: JSON.stringify(sets),
      encoding: "utf8",
      env: environment,
    },
  );
  if (status !== 0) throw new Error(`${file}: ${stderr}`);
  return JSON.parse(stdout) as Evaluated[];
}

export function readText(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

export function readYaml<T = Record<string, unknown>>(path: string): T {
  return parse(readText(path)) as T;
}

/** Values under a key, wherever in a tree it stands. */
export function* valuesOf(tree: unknown, key: string): Generator<unknown> {
  if (typeof tree !== "object" || tree === null) return;
  for (const [name, value] of Object.entries(tree)) {
    if (name === key) yield value;
    yield* valuesOf(value, key);
  }
}
