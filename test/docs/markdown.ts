import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "shell-quote";
import { root } from "../launch/support.ts";

/** One shell line of a fenced block, lines that end in a backslash joined. */
export interface ShellLine {
  /** Page below the root, and the line in it: `docs/ros.md:21`. */
  readonly place: string;
  readonly text: string;
  /** The simple commands of the line, in words, without redirections and comments. */
  readonly commands: readonly (readonly string[])[];
}

/** Pages whose commands a reader may type. */
export const pages: readonly string[] = [
  "README.md",
  "training/README.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .sort()
    .map((name) => `docs/${name}`),
];

/** Fenced blocks: the language after the fence ("" where none stands), the line of the fence, counted from 1, the text. */
export function fencesOf(page: string): { language: string; line: number; lines: readonly string[] }[] {
  const lines = readFileSync(join(root, page), "utf8").split("\n");
  const fences = lines.flatMap((text, i) => (text.startsWith("```") ? [i] : []));
  if (fences.length % 2 !== 0) throw new Error(`${page}: a fence is not closed`);
  return fences
    .filter((_, i) => i % 2 === 0)
    .map((from, i) => ({
      language: lines[from]!.slice(3).trim(),
      line: from + 1,
      lines: lines.slice(from + 1, fences[2 * i + 1]),
    }));
}

export function shellLinesOf(page: string): ShellLine[] {
  const found: ShellLine[] = [];
  for (const { language, line, lines } of fencesOf(page)) {
    if (language !== "sh") continue;
    let text = "";
    for (const [i, part] of lines.entries()) {
      text += part.replace(/\\$/, "");
      if (part.endsWith("\\")) continue;
      if (commandsOf(text).length > 0)
        found.push({ place: `${page}:${line + 1 + i}`, text: text.trim(), commands: commandsOf(text) });
      text = "";
    }
  }
  return found;
}

/** `a x && b > file | $(c y)` -> [[a, x], [b], [c, y]]; variables stay as they are written. */
export function commandsOf(line: string): string[][] {
  const commands: string[][] = [[]];
  let isTarget = false;
  for (const token of parse(line, (name) => `$${name}`)) {
    if (typeof token === "object" && "op" in token && token.op !== "glob") {
      isTarget = token.op.includes(">") || token.op === "<";
      if (!isTarget) commands.push([]);
      continue;
    }
    if (typeof token === "object" && "comment" in token) break;
    if (!isTarget) commands.at(-1)!.push(typeof token === "string" ? token : token.pattern);
    isTarget = false;
  }
  return commands.filter((words) => words.length > 0);
}

/** Code spans of the running text and the tables. */
export function codeSpansOf(page: string): string[] {
  const text = readFileSync(join(root, page), "utf8").replaceAll(/^```[\s\S]*?^```/gm, "");
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!.replaceAll("\\|", "|"));
}
