/** Stable identifiers of what can go wrong; `--json` output, diagnostics and tests speak of faults by these. */
export type FaultCode =
  | "USAGE"
  | "BAG_NOT_A_BAG"
  | "BAG_EMPTY"
  | "BAG_TRUNCATED"
  | "BAG_UNSUPPORTED"
  | "TOPIC_MISSING"
  | "TOPIC_TYPE"
  | "MESSAGE_CORRUPT"
  | "IMAGE_MISSING"
  | "IMAGE_ENCODING"
  | "IMAGE_SHAPE"
  | "IMAGE_CORRUPT"
  | "CALIBRATION_MISSING"
  | "CALIBRATION_INVALID"
  | "STAMP_BACKWARDS"
  | "TF_INVALID"
  | "TF_MISSING"
  | "PAIR_LONE"
  | "MODEL_MISSING"
  | "MODEL_CORRUPT"
  | "MODEL_MISMATCH"
  | "WORKER_DIED"
  | "OUTPUT_UNWRITABLE"
  | "INPUT_STALE"
  | "MAP_FULL"
  | "MAP_MISMATCH"
  | "CONFIG_INVALID"
  | "DATASET_INVALID"
  | "PORT_UNAVAILABLE"
  | "ROS_MISSING"
  | "ROS_CALLBACK"
  | "QOS_INCOMPATIBLE";

/** What a `Fault` carries beside its message. */
export interface FaultDetail {
  readonly code: FaultCode;
  /** What the user can do about it, as an imperative sentence. */
  readonly remedy: string;
  readonly cause?: unknown;
}

/** The one error class: says what was seen and what was wanted (message), and how to mend it (remedy). */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly code: FaultCode;
  readonly remedy: string;

  constructor(message: string, detail: FaultDetail) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = detail.code;
    this.remedy = detail.remedy;
  }

  /** Code, message and remedy, as `--json` and the viewer give them. */
  toJSON(): { code: FaultCode; message: string; remedy: string } {
    return { code: this.code, message: this.message, remedy: this.remedy };
  }
}

/** A `Fault` for whatever was thrown: passes a `Fault` on, wraps the rest with the given detail. */
export function asFault(thrown: unknown, message: string, detail: FaultDetail): Fault {
  if (thrown instanceof Fault) return thrown;
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new Fault(`${message} (${why})`, { ...detail, cause: thrown });
}

/** The message of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** For the `default` of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
