import { type Schema, wanted } from "./schema.ts";

/** A Markdown table of the parameters: name, fallback, what is accepted, when it is read, what it does. */
export function markdownTable(schema: Schema): string {
  const rows = Object.entries(schema).map(([path, parameter]) => [
    `\`${path}\``,
    `\`${JSON.stringify(parameter.fallback)}\``,
    wanted(parameter),
    parameter.live ? "yes" : "no",
    parameter.doc,
  ]);
  const lines = [
    ["parameter", "default", "accepts", "live", "what it does"],
    ["---", "---", "---", "---", "---"],
    ...rows,
  ];
  return `${lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`).join("\n")}\n`;
}
