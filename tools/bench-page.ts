import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SummaryLine } from "../bench/support/report.ts";

/** What `npm run bench -- NAME --keep` leaves in bench/results: a report of bench/support/report.ts. */
interface Kept {
  readonly name: string;
  readonly when: string;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string; readonly load1: number };
  readonly settings: object;
  readonly summary: readonly SummaryLine[];
}

const [begin, end] = ["<!-- bench/results, by `npm run generate` -->", "<!-- end of bench/results -->"];

/** The page with its part between the two marks made anew from the kept reports. */
export function withResults(page: string, root: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`docs/performance.md has lost its marks ${begin} and ${end}`);
  return `${page.slice(0, from + begin.length)}\n\n${sections(join(root, "bench/results"))}\n${page.slice(to)}`;
}

function sections(folder: string): string {
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return files
    .sort()
    .map((name) => sectionOf(JSON.parse(readFileSync(join(folder, name), "utf8")) as Kept))
    .join("\n");
}

/** Machine and day, then the summary that the bench printed. */
function sectionOf({ name, when, machine, settings, summary }: Kept): string {
  const on = `${when.slice(0, 10)}, ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, load ${machine.load1} at the start`;
  // Of a path the last name tells enough.
  const how = Object.entries(settings).map(([key, value]) => `${key} ${String(value).split("/").at(-1)}`);
  const rows = summary.map((line) => {
    const cells = [
      line.name,
      line.ours,
      line.peer,
      line.value,
      line.limit,
      line.verdict === "context" ? "" : line.verdict,
    ];
    return `| ${cells.join(" | ")} |\n`;
  });
  return `### ${name}\n\n${on}. Settings: ${how.join(", ")}.\n\n| what | ours | peer | compared | wanted | verdict |\n| --- | --- | --- | --- | --- | --- |\n${rows.join("")}`;
}
