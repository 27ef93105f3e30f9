import { CdrBytes } from "./write-cdr.ts";

/** std_msgs/String. */
export function writeString(text: string): Uint8Array<ArrayBuffer> {
  return new CdrBytes(16 + text.length * 3).string(text).take();
}
