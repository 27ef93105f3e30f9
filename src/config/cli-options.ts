import { type Parameter, type Schema, wanted } from "./schema.ts";

/** A parameter as a command-line option, in commander's notation. */
export interface CliOption {
  /** Name of the parameter in the schema. */
  readonly path: string;
  /** `--voxel-size <m>`; a boolean has two, `--approximate-sync` and `--no-approximate-sync`. */
  readonly flags: readonly string[];
  readonly doc: string;
  /** What the option's text means; text that makes no sense stays text, for `parseConfig` to report with the rest. */
  readonly parse: (text: string) => unknown;
}

/** Options for every parameter of the schema, or for those named. */
export function cliOptions(schema: Schema, paths: readonly string[] = Object.keys(schema)): CliOption[] {
  return paths.map((path) => {
    const parameter = schema[path]!;
    const name = path.replaceAll(/[._]/g, "-");
    const flags =
      parameter.kind === "boolean" ? [`--${name}`, `--no-${name}`] : [`--${name} <${placeholder(parameter)}>`];
    const doc = `${parameter.doc} (${wanted(parameter)}; default ${JSON.stringify(parameter.fallback)})`;
    return { path, flags, doc, parse: (text) => parseText(parameter, text) };
  });
}

function placeholder(parameter: Parameter): string {
  if (parameter.kind === "choice") return parameter.choices.join("|");
  if (parameter.kind === "string") return "text";
  return "unit" in parameter && parameter.unit !== undefined ? parameter.unit : "n";
}

function parseText(parameter: Parameter, text: string): unknown {
  if (parameter.kind !== "double" && parameter.kind !== "integer") return text;
  const number = Number(text);
  return text.trim() === "" || Number.isNaN(number) ? text : number;
}
