import type { StampedTransform } from "../core/ports.ts";
import { toQuaternion } from "../core/transform.ts";
import { CdrBytes } from "./write-cdr.ts";

/** tf2_msgs/TFMessage. Whether the transforms are static is said by the topic (/tf or /tf_static), not by the message. */
export function writeTfMessage(transforms: readonly StampedTransform[]): Uint8Array<ArrayBuffer> {
  const out = new CdrBytes(16 + transforms.length * 128).uint32(transforms.length);
  for (const { stampNs, parent, child, T_parent_child: T } of transforms) {
    const q = toQuaternion(T);
    out.header({ stampNs, frameId: parent }).string(child);
    out.float64s([T[3]!, T[7]!, T[11]!, q.x, q.y, q.z, q.w]);
  }
  return out.take();
}
