import { bad, type Finding, ok } from "./finding.ts";

export interface MachineFacts {
  /** As `process.versions.node`. */
  readonly node: string;
  /** As package.json has it: `>=20.20`. */
  readonly wantedNode: string;
  readonly platform: string;
  readonly arch: string;
  /** Text of /proc/cpuinfo; undefined where there is none. */
  readonly cpuInfo: string | undefined;
  /** Processors that this process may use. */
  readonly processors: number;
  /** `intra_op_threads`. */
  readonly threads: number;
  readonly freeBytes: number;
}

/** Largest resident memory that `npm run bench -- replay` allows itself, MB. */
const replayMb = 600;

/** Node, processor, threads, memory, in this order. */
export function checkMachine(facts: MachineFacts): Finding[] {
  return [nodeFinding(facts), processorFinding(facts), threadsFinding(facts), memoryFinding(facts)];
}

function nodeFinding({ node, wantedNode }: MachineFacts): Finding {
  const wanted = wantedNode.replace(/^>=\s*/, "");
  if (compareVersions(node, wanted) >= 0) return ok("Node.js", `${node} (wanted ${wanted} or newer)`);
  const seen = `${node}, wanted ${wanted} or newer`;
  return bad("fail", "Node.js", seen, `Install Node.js ${wanted} or newer (\`nvm install 20\`, or nodejs.org).`);
}

/** By number: 20.9 is older than 20.20. */
function compareVersions(a: string, b: string): number {
  const [x, y] = [a, b].map((text) => text.split(".").map(Number)) as [number[], number[]];
  for (let i = 0; i < Math.max(x.length, y.length); i += 1) {
    const difference = (x[i] ?? 0) - (y[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * The instructions that ONNX Runtime's 8-bit kernels live on. The names are Linux's: `flags` of x86 (avx_vnni,
 * avx512_vnni), `Features` of arm64 (asimddp: dot product).
 */
function processorFinding({ arch, platform, cpuInfo }: MachineFacts): Finding {
  const name = "processor";
  const slow = "The maps are the same, only later: use smaller images, or a newer processor.";
  if (cpuInfo === undefined) {
    // Every arm64 Mac has the dot product.
    if (platform === "darwin" && arch === "arm64") return ok(name, "arm64 with dot product");
    return ok(name, `${arch} on ${platform}, which does not say what it can: see the speed below`);
  }
  const model = /^model name\s*:\s*(.+)$/m.exec(cpuInfo)?.[1] ?? arch;
  const words = new Set((/^(?:flags|Features)\s*:\s*(.+)$/m.exec(cpuInfo)?.[1] ?? "").split(" "));
  if (arch === "x64") {
    if (!words.has("avx2"))
      return bad("warn", name, `${model} without AVX2, the network runs several times slower`, slow);
    const hasVnni = words.has("avx_vnni") || words.has("avx512_vnni");
    return ok(name, `${model} with AVX2${hasVnni ? " and VNNI" : ", without VNNI (slower, see docs/performance.md)"}`);
  }
  if (arch === "arm64") {
    if (words.has("asimddp")) return ok(name, `${model} with NEON dot product`);
    return bad("warn", name, `${model} without NEON dot product, the network runs slower`, slow);
  }
  return bad("warn", name, `${arch}, wanted x64 or arm64: voxelguard was not tried on it`, "Look at the speed below.");
}

function threadsFinding({ processors, threads }: MachineFacts): Finding {
  const seen = `${threads} for the network, of ${processors} processors`;
  if (threads <= processors) return ok("threads", seen);
  const remedy = `Set intra_op_threads (--intra-op-threads) to ${processors}, or give this container more processors.`;
  return bad("warn", "threads", `${seen}: they take turns`, remedy);
}

function memoryFinding({ freeBytes }: MachineFacts): Finding {
  const freeMb = Math.round(freeBytes / 1e6);
  const figures = { free_mb: freeMb };
  if (freeMb >= replayMb) return ok("memory", `${freeMb} MB free (wanted ${replayMb})`, figures);
  const remedy = "End other programs, or raise the limit of this container.";
  return bad("warn", "memory", `${freeMb} MB free, wanted ${replayMb}: a replay may be killed`, remedy, figures);
}
