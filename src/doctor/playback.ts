import { bad, type Finding, ok } from "./finding.ts";

/** A topic of a recording, as far as its playback goes. */
export interface PlayedTopic {
  readonly name: string;
  /** Offered transient local, as `ros2 bag play` offers it again. */
  readonly isLatched: boolean;
}

/**
 * Whether a live node hears the static transforms of a recording that `ros2 bag play` plays. tf2 asks for transient local,
 * and a publisher that offers volatile never matches that (DDS: a requested durability above the offered one). The other
 * inputs ask for no more than any publisher offers. Undefined where there are no static transforms.
 */
export function checkPlayback(topics: readonly PlayedTopic[]): Finding | undefined {
  const statics = topics.filter(({ name }) => name.endsWith("/tf_static"));
  if (statics.length === 0) return undefined;
  const lost = statics.filter(({ isLatched }) => !isLatched).map(({ name }) => name);
  if (lost.length === 0) return ok("bag play", "static transforms are offered transient local, as listeners of tf ask");
  return bad(
    "warn",
    "bag play",
    `${lost.join(", ")} is offered volatile: replay reads it, but with \`ros2 bag play\` no listener of tf hears it`,
    "Write it anew with `voxelguard bag cut BAG NEW.mcap`, or play it with --qos-profile-overrides-path.",
  );
}
