import type { Rejection, StampedTransform } from "../core/ports.ts";
import { fromQuaternion } from "../core/transform.ts";
import { decodeCdr } from "./codec.ts";
import { frameIdOf, type RosHeader, stampNsOf } from "./header.ts";

/** `geometry_msgs/TransformStamped` as ROS shapes it. */
export interface TransformStampedMessage {
  readonly header: RosHeader;
  readonly child_frame_id: string;
  readonly transform: {
    readonly translation: { readonly x: number; readonly y: number; readonly z: number };
    readonly rotation: { readonly x: number; readonly y: number; readonly z: number; readonly w: number };
  };
}

/** What one /tf message holds: the transforms to use, and why others were left out. */
export interface TransformBatch {
  readonly transforms: readonly StampedTransform[];
  readonly rejected: readonly Rejection[];
}

/** tf2's own bound on the squared length of a quaternion (`QUATERNION_NORMALIZATION_TOLERANCE`). */
const squaredLengthTolerance = 1e-2;

/**
 * `tf2_msgs/TFMessage` from CDR. Transforms that tf2 would refuse (NaN or infinite numbers, a quaternion whose squared
 * length is off 1 by more than 0.01, an empty frame name, a frame that is its own child) are rejected with TF_INVALID,
 * the others stay. Throws `Fault` MESSAGE_CORRUPT.
 */
export function readTf(data: Uint8Array, isStatic: boolean): TransformBatch {
  const message = decodeCdr<{ transforms: TransformStampedMessage[] }>("tf2_msgs/TFMessage", data);
  return transformsOf(message.transforms, isStatic);
}

/** The same from ROS-shaped objects. */
export function transformsOf(messages: readonly TransformStampedMessage[], isStatic: boolean): TransformBatch {
  const transforms: StampedTransform[] = [];
  const rejected: Rejection[] = [];
  for (const message of messages) {
    const parent = frameIdOf(message.header.frame_id);
    const child = frameIdOf(message.child_frame_id);
    const { translation, rotation } = message.transform;
    const why = faultOf(parent, child, translation, rotation);
    if (why !== undefined) {
      rejected.push({ code: "TF_INVALID", message: `Transform "${parent}" <- "${child}" left out: ${why}.` });
      continue;
    }
    const T_parent_child = fromQuaternion(rotation, translation);
    transforms.push({ stampNs: stampNsOf(message.header.stamp), parent, child, T_parent_child, isStatic });
  }
  return { transforms, rejected };
}

function faultOf(
  parent: string,
  child: string,
  t: TransformStampedMessage["transform"]["translation"],
  q: TransformStampedMessage["transform"]["rotation"],
): string | undefined {
  if (parent === "" || child === "") return "it names no frame";
  if (parent === child) return "a frame cannot be its own child";
  if (![t.x, t.y, t.z].every(Number.isFinite)) return `its translation is (${t.x}, ${t.y}, ${t.z}), wanted numbers`;
  const length2 = q.x * q.x + q.y * q.y + q.z * q.z + q.w * q.w;
  if (!(Math.abs(length2 - 1) <= squaredLengthTolerance)) {
    return `its quaternion (${q.x}, ${q.y}, ${q.z}, ${q.w}) has length ${Math.sqrt(length2)}, wanted 1`;
  }
  return undefined;
}
