import type { FaultCode } from "../core/fault.ts";
import type { Side } from "../core/ports.ts";
import { spanText, stampText } from "../core/stamp.ts";

/** Why an image never became part of a pair. */
export type ImageDropCause =
  /** A left image whose right partner is missing: the right eye has gone on past it. */
  | "lone_left"
  | "lone_right"
  /** Pushed out of a full queue before the other eye had come as far: the other eye is late or silent. */
  | "queue_overflow"
  /** Left over from the time before a jump backwards. */
  | "stamp_backwards"
  /** Came after a pair of later images had already gone out; pairs never go back in time. */
  | "late"
  | "duplicate_stamp"
  /** Still waiting when the run was stopped. */
  | "stopped";

/** What the pairing tells beside the pairs. */
export type PairEvent =
  | {
      readonly kind: "dropped";
      readonly side: Side;
      readonly stampNs: bigint;
      readonly cause: ImageDropCause;
      readonly code: FaultCode | undefined;
      readonly message: string;
    }
  /** Time ran backwards on `side`: what waited is settled and pairing starts anew. */
  | { readonly kind: "reset"; readonly side: Side; readonly message: string };

export function otherSide(side: Side): Side {
  return side === "left" ? "right" : "left";
}

export function dropEvent(side: Side, stampNs: bigint, cause: ImageDropCause): PairEvent {
  return {
    kind: "dropped",
    side,
    stampNs,
    cause,
    ...explain(side, `The ${side} image of ${stampText(stampNs)}`, cause),
  };
}

function explain(side: Side, it: string, cause: ImageDropCause): { code: FaultCode | undefined; message: string } {
  const other = otherSide(side);
  switch (cause) {
    case "lone_left":
    case "lone_right":
      return {
        code: "PAIR_LONE",
        message: `${it} has no ${other} partner within the slop; wanted one of each eye. Look for lost ${other} images, or widen the slop if the stamps of the eyes differ by more.`,
      };
    case "queue_overflow":
      return {
        code: "PAIR_LONE",
        message: `${it} waited in vain: the ${other} eye has sent nothing as new. Check that the ${other} camera runs, or lengthen the queue if it is only late.`,
      };
    case "late":
      return {
        code: "STAMP_BACKWARDS",
        message: `${it} came after a later pair had gone out; wanted images in about the order of their stamps. Record with less delay between publisher and recorder, or lengthen the queue.`,
      };
    case "duplicate_stamp":
      return {
        code: "STAMP_BACKWARDS",
        message: `${it} repeats the stamp of an earlier ${side} image; wanted one stamp for each image. Check that one driver alone publishes and stamps the topic.`,
      };
    case "stamp_backwards":
      return { code: undefined, message: `${it} was left over when time ran backwards.` };
    case "stopped":
      return { code: undefined, message: `${it} was still waiting for its partner at the stop.` };
  }
}

export function resetEvent(side: Side, stampNs: bigint, newestNs: bigint): PairEvent {
  return {
    kind: "reset",
    side,
    message: `Time ran backwards: the ${side} image of ${stampText(stampNs)} follows one of ${stampText(newestNs)}, ${spanText(newestNs - stampNs)} later. A bag that loops or a clock that was set does this; pairing starts anew, and the map should too.`,
  };
}
