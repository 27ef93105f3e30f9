import { MessageReader } from "@foxglove/rosmsg2-serialization";
import { Fault, messageOf } from "../core/fault.ts";
import { definitionsOf } from "./definitions.ts";

const readers = new Map<string, MessageReader>();

/**
 * A message from CDR (4-byte encapsulation header first) as a plain ROS-shaped object. Arrays of numbers are views into
 * `data`, not copies. Throws `Fault` MESSAGE_CORRUPT when the bytes do not hold such a message.
 */
export function decodeCdr<T>(typeName: string, data: Uint8Array): T {
  let reader = readers.get(typeName);
  if (reader === undefined) {
    reader = new MessageReader(definitionsFor(typeName));
    readers.set(typeName, reader);
  }
  let message: T;
  try {
    message = reader.readMessage<T>(data);
  } catch (thrown) {
    throw corrupt(typeName, data, messageOf(thrown));
  }
  // The reader hands out views that may reach past `data` into its neighbours in the same buffer.
  const used = reader.lastReadByteLength();
  if (used > data.byteLength) throw corrupt(typeName, data, `its fields claim ${used} bytes`);
  return message;
}

function definitionsFor(typeName: string): NonNullable<ReturnType<typeof definitionsOf>> {
  const definitions = definitionsOf(typeName);
  if (definitions === undefined) throw new Error(`No definition of ${typeName} in src/msg/definitions.ts`);
  return definitions;
}

function corrupt(typeName: string, data: Uint8Array, why: string): Fault {
  return new Fault(`${data.byteLength} bytes are not a ${typeName}: ${why}`, {
    code: "MESSAGE_CORRUPT",
    remedy: "Check the disk or the link that the message came over; the message was left out.",
  });
}
