import type { Header } from "../core/image.ts";

/** `builtin_interfaces/Time`. */
export interface RosTime {
  readonly sec: number;
  readonly nanosec: number;
}

/** `std_msgs/Header`. */
export interface RosHeader {
  readonly stamp: RosTime;
  readonly frame_id: string;
}

export function stampNsOf(time: RosTime): bigint {
  return BigInt(time.sec) * 1_000_000_000n + BigInt(time.nanosec);
}

/** Seconds are floored, so that `nanosec` is never negative. */
export function timeOf(stampNs: bigint): RosTime {
  const nanosec = ((stampNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return { sec: Number((stampNs - nanosec) / 1_000_000_000n), nanosec: Number(nanosec) };
}

/** tf2 drops one leading slash of frame names; so do we, or transforms would not be found. */
export function frameIdOf(name: string): string {
  return name.startsWith("/") ? name.slice(1) : name;
}

export function headerOf(header: RosHeader): Header {
  return { stampNs: stampNsOf(header.stamp), frameId: frameIdOf(header.frame_id) };
}
