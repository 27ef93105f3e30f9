import { MessageWriter } from "@foxglove/rosmsg2-serialization";
import { definitionsOf } from "../../src/msg/definitions.ts";

/** A plain ROS-shaped object as CDR, by the generic writer: independent of the writers in src/msg. */
export function encodeCdr(typeName: string, message: unknown): Uint8Array {
  const definitions = definitionsOf(typeName);
  if (definitions === undefined) throw new Error(`no definition of ${typeName}`);
  return new MessageWriter(definitions).writeMessage(message);
}
