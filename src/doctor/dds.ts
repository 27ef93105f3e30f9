import { bad, type Finding, ok } from "./finding.ts";

/** What decides how large messages travel between processes of this machine. */
export interface DdsFacts {
  readonly distribution: string;
  /** RMW_IMPLEMENTATION. */
  readonly rmw: string | undefined;
  /** Whether lib<rmw>.so lies in LD_LIBRARY_PATH; undefined where RMW_IMPLEMENTATION is not set. */
  readonly hasRmwLibrary: boolean | undefined;
  /** The environment variables as they are set. */
  readonly fastdds: string | undefined;
  readonly fastrtps: string | undefined;
  /** Text of a profile; undefined where it cannot be read. */
  readonly readProfile: (path: string) => string | undefined;
  readonly shippedPath: string;
  readonly shipped: string;
  /** Free bytes of /dev/shm; undefined where there is none. */
  readonly sharedMemoryBytes: number | undefined;
}

/** Distributions whose Fast DDS is of version 2, which reads the older variable. */
const fastDds2 = ["foxy", "galactic", "humble", "iron", "jazzy"];

/** The name of the variable that the Fast DDS of a distribution reads. */
function profileVariable(distribution: string): "FASTRTPS_DEFAULT_PROFILES_FILE" | "FASTDDS_DEFAULT_PROFILES_FILE" {
  return fastDds2.includes(distribution) ? "FASTRTPS_DEFAULT_PROFILES_FILE" : "FASTDDS_DEFAULT_PROFILES_FILE";
}

/** RMW, profile and shared memory; other RMWs than Fast DDS have no profile of ours. */
export function checkDds(facts: DdsFacts): Finding[] {
  const { distribution, rmw } = facts;
  if (facts.hasRmwLibrary === false) {
    const remedy = `Run \`apt-get install ros-${distribution}-${String(rmw).replaceAll("_", "-")}\`, or unset RMW_IMPLEMENTATION.`;
    return [
      bad("fail", "RMW", `RMW_IMPLEMENTATION is ${rmw}, but lib${rmw}.so lies in no folder of LD_LIBRARY_PATH`, remedy),
    ];
  }
  const isFastDds = rmw === undefined || rmw.startsWith("rmw_fastrtps");
  const seen = rmw ?? `that of ${distribution} (RMW_IMPLEMENTATION is not set)`;
  if (!isFastDds)
    return [ok("RMW", `${seen}: tested with rmw_fastrtps_cpp only; large messages need its own settings`)];
  return [ok("RMW", seen), profileFinding(facts), sharedMemoryFinding(facts)];
}

function profileFinding(facts: DdsFacts): Finding {
  const name = "DDS profile";
  const variable = profileVariable(facts.distribution);
  const [path, otherPath] =
    variable === "FASTDDS_DEFAULT_PROFILES_FILE" ? [facts.fastdds, facts.fastrtps] : [facts.fastrtps, facts.fastdds];
  const remedy = `Run \`export ${variable}=${facts.shippedPath}\`, in the shell of the camera driver too.`;
  if (path === undefined || path === "") {
    const other = otherPath
      ? ` (the other variable is, which the Fast DDS of ${facts.distribution} does not read)`
      : "";
    return bad("warn", name, `${variable} is not set${other}: about half of large images get lost`, remedy);
  }
  const profile = facts.readProfile(path);
  if (profile === undefined) return bad("warn", name, `${path} (${variable}) cannot be read`, remedy);
  const [got, want] = [segmentOf(profile), segmentOf(facts.shipped)];
  if (got === undefined) {
    return bad("warn", name, `${path} has no transport of shared memory (SHM) with a segment_size`, remedy);
  }
  if (want !== undefined && (got.segmentBytes < want.segmentBytes || got.messageBytes < want.messageBytes)) {
    const text = ({ segmentBytes, messageBytes }: Segment) => `${segmentBytes} and ${messageBytes}`;
    return bad(
      "warn",
      name,
      `${path} has segment_size and maxMessageSize ${text(got)}, wanted ${text(want)} bytes`,
      remedy,
    );
  }
  return ok(name, path);
}

interface Segment {
  readonly segmentBytes: number;
  readonly messageBytes: number;
}

/** Of the first shared-memory transport of a Fast DDS profile. */
function segmentOf(profile: string): Segment | undefined {
  for (const [, text] of profile.matchAll(/<transport_descriptor>([\s\S]*?)<\/transport_descriptor>/g)) {
    if (!/<type>\s*SHM\s*<\/type>/.test(text!)) continue;
    const number = (tag: string) =>
      Number(new RegExp(`<${tag}>\\s*(\\d+)\\s*</${tag}>`).exec(text!)?.[1] ?? Number.NaN);
    const segmentBytes = number("segment_size");
    // A message is at most the segment where nothing else is said.
    const messageBytes = number("maxMessageSize");
    if (!Number.isNaN(segmentBytes))
      return { segmentBytes, messageBytes: Number.isNaN(messageBytes) ? segmentBytes : messageBytes };
  }
  return undefined;
}

function sharedMemoryFinding({ shipped, sharedMemoryBytes }: DdsFacts): Finding {
  const name = "shared memory";
  // One segment each for the driver, the node and a listener such as RViz.
  const wantedMb = Math.ceil((3 * (segmentOf(shipped)?.segmentBytes ?? 0)) / 1e6);
  if (sharedMemoryBytes === undefined) return ok(name, "not looked at: there is no /dev/shm here");
  const freeMb = Math.round(sharedMemoryBytes / 1e6);
  const figures = { free_mb: freeMb };
  if (freeMb >= wantedMb) return ok(name, `/dev/shm has ${freeMb} MB free (wanted ${wantedMb})`, figures);
  const remedy =
    "Start the container with `--shm-size=1g` or `--ipc=host`; else remove what processes that died left there.";
  return bad("warn", name, `/dev/shm has ${freeMb} MB free, wanted ${wantedMb} for three processes`, remedy, figures);
}
