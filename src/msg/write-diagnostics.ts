import { CdrBytes } from "./write-cdr.ts";

export const diagnosticLevels = { ok: 0, warn: 1, error: 2, stale: 3 } as const;

export interface DiagnosticStatus {
  readonly level: keyof typeof diagnosticLevels;
  /** `<node>: <part>`, by which rqt_robot_monitor groups. */
  readonly name: string;
  readonly message: string;
  readonly hardwareId: string;
  readonly values: readonly (readonly [key: string, value: string])[];
}

/** diagnostic_msgs/DiagnosticArray; its header has a time but no frame. */
export function writeDiagnosticArray(stampNs: bigint, statuses: readonly DiagnosticStatus[]): Uint8Array<ArrayBuffer> {
  const out = new CdrBytes(1024).header({ stampNs, frameId: "" }).uint32(statuses.length);
  for (const status of statuses) {
    out.uint8(diagnosticLevels[status.level]).string(status.name).string(status.message).string(status.hardwareId);
    out.uint32(status.values.length);
    for (const [key, value] of status.values) out.string(key).string(value);
  }
  return out.take();
}
