import { Fault } from "../core/fault.ts";
import { nearest } from "./nearest.ts";
import { type Config, type Parameter, type Schema, wanted } from "./schema.ts";

/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  /** Name of the parameter, as the user wrote it. */
  readonly path: string;
  readonly message: string;
}

/**
 * Checks `raw` against the schema and fills in the fallbacks. Groups may be nested objects or dotted names. Throws one
 * `Fault` CONFIG_INVALID that lists every problem, not only the first.
 * @param source where the values came from, for the message: a file name, "the command line"
 */
export function parseConfig<S extends Schema>(schema: S, raw: unknown, source = "the configuration"): Config<S> {
  const problems: ConfigProblem[] = [];
  const given = new Map<string, unknown>();
  flattenInto(given, raw, "", schema, problems);
  const values: Record<string, unknown> = {};
  for (const [path, parameter] of Object.entries(schema)) {
    const value = given.get(path);
    values[path] = value === undefined ? parameter.fallback : value;
    if (value !== undefined && !accepts(parameter, value)) {
      problems.push({ path, message: `is ${show(value)}, wanted ${wanted(parameter)}` });
    }
  }
  const names = Object.keys(schema);
  for (const path of given.keys()) {
    if (Object.hasOwn(schema, path)) continue;
    const near = nearest(path, names);
    problems.push({ path, message: `is not a parameter${near === undefined ? "" : `; did you mean ${near}?`}` });
  }
  if (problems.length > 0) throw invalid(problems, source);
  return values as Config<S>;
}

/** The fallbacks of a schema. */
export function defaultsOf<S extends Schema>(schema: S): Config<S> {
  return parseConfig(schema, {});
}

function accepts(parameter: Parameter, value: unknown): boolean {
  switch (parameter.kind) {
    case "double":
      return typeof value === "number" && value >= parameter.min && value <= parameter.max;
    case "integer":
      return Number.isInteger(value) && (value as number) >= parameter.min && (value as number) <= parameter.max;
    case "boolean":
      return typeof value === "boolean";
    case "string":
      return typeof value === "string";
    case "choice":
      return typeof value === "string" && parameter.choices.includes(value);
  }
}

function flattenInto(
  out: Map<string, unknown>,
  raw: unknown,
  prefix: string,
  schema: Schema,
  problems: ConfigProblem[],
): void {
  if (raw === undefined || raw === null) return;
  if (typeof raw !== "object" || Array.isArray(raw)) {
    problems.push({ path: prefix || "(all)", message: `is ${show(raw)}, wanted parameters by name` });
    return;
  }
  for (const [key, value] of Object.entries(raw)) {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    const isGroup = Object.keys(schema).some((name) => name.startsWith(`${path}.`));
    if (isGroup) flattenInto(out, value, path, schema, problems);
    else out.set(path, value);
  }
}

function show(value: unknown): string {
  const text = typeof value === "number" ? String(value) : JSON.stringify(value);
  return text === undefined ? String(value) : text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function invalid(problems: readonly ConfigProblem[], source: string): Fault {
  const lines = problems.map(({ path, message }) => `${path} ${message}`);
  const message =
    lines.length === 1
      ? `In ${source}, ${lines[0]}.`
      : `In ${source}, ${lines.length} values are wrong:\n${lines.map((line) => `  ${line}`).join("\n")}`;
  return new Fault(message, {
    code: "CONFIG_INVALID",
    remedy: "Correct the values named above; docs/parameters.md lists every parameter with its range.",
  });
}
