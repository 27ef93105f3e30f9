import { type Schema, wanted } from "./schema.ts";

/**
 * A ROS 2 parameter file with every parameter at its fallback, each with its doc above it. The names of groups (before
 * the dot) become nested keys, as rcl reads them.
 * @param head comment lines at the top
 */
export function rosYaml(schema: Schema, head: readonly string[]): string {
  const lines = [...head.map((line) => `# ${line}`), "/**:", "  ros__parameters:"];
  let group = "";
  for (const [path, parameter] of inGroups(schema)) {
    const parts = path.split(".");
    const name = parts.pop()!;
    if (parts.join(".") !== group) {
      group = parts.join(".");
      for (const [depth, part] of parts.entries()) lines.push(`${indent(depth)}${part}:`);
    }
    const pad = indent(parts.length);
    lines.push(`${pad}# ${parameter.doc}`);
    lines.push(`${pad}# ${wanted(parameter)}; ${parameter.live ? "may change while running" : "read at the start"}`);
    lines.push(`${pad}${name}: ${scalar(parameter)}`);
  }
  return `${lines.join("\n")}\n`;
}

const indent = (depth: number): string => " ".repeat(4 + 2 * depth);

/** Plain parameters first, then each group as one block: YAML knows no key twice. */
function inGroups(schema: Schema): [string, Schema[string]][] {
  const groupOf = (path: string): string => path.split(".").slice(0, -1).join(".");
  const groups = [...new Set(Object.keys(schema).map(groupOf))];
  groups.sort((a, b) => Number(a !== "") - Number(b !== ""));
  return groups.flatMap((group) => Object.entries(schema).filter(([path]) => groupOf(path) === group));
}

/** rcl takes `2` for an integer and refuses it as a double: a double always shows its point. */
function scalar(parameter: Schema[string]): string {
  const { kind, fallback } = parameter;
  if (kind === "double") return Number.isInteger(fallback) ? `${fallback}.0` : String(fallback);
  return typeof fallback === "string" ? JSON.stringify(fallback) : String(fallback);
}
