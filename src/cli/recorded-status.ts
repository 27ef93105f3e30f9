import { decodeCdr } from "../msg/codec.ts";

/** What the page shows beside the map; see `src/viewer/status.ts`. */
export interface RecordedStatus {
  readonly pairs: number | undefined;
  readonly stagesMs: Readonly<Record<string, number>>;
  readonly health: readonly { where: string; level: "warn" | "error"; message: string; count: number }[];
}

interface DiagnosticArray {
  readonly status: readonly {
    readonly level: number;
    readonly name: string;
    readonly message: string;
    readonly values: readonly { readonly key: string; readonly value: string }[];
  }[];
}

/** Reads back what `diagnosticsMessage` (src/msg) writes of a node; what other nodes report is left out. */
export function statusOfDiagnostics(cdr: Uint8Array): RecordedStatus | undefined {
  const { status } = decodeCdr<DiagnosticArray>("diagnostic_msgs/DiagnosticArray", cdr);
  const summary = status.find(({ name }) => name.endsWith(": inference"));
  if (summary === undefined) return undefined;
  const node = summary.name.slice(0, -"inference".length);
  const values = new Map(summary.values.map(({ key, value }) => [key, value]));
  const stages = [...values].flatMap(([key, value]) =>
    key.endsWith("_p50_ms") ? [[key.slice(0, -"_p50_ms".length), Number(value)] as const] : [],
  );
  const pairs = values.get("pairs_processed");
  return {
    pairs: pairs === undefined ? undefined : Number(pairs),
    stagesMs: Object.fromEntries(stages),
    health: status.flatMap((each) => {
      if (each === summary || !each.name.startsWith(node) || each.level === 0) return [];
      const count = Number(each.values.find(({ key }) => key === "count")?.value ?? 1);
      const level = each.level === 1 ? "warn" : "error";
      return [{ where: each.name.slice(node.length), level, message: each.message, count } as const];
    }),
  };
}
