import type { Header } from "../core/image.ts";
import { timeOf } from "./header.ts";

const utf8 = new TextEncoder();

/**
 * Little-endian CDR (XCDR1, as ROS 2 writes it) into one buffer that starts with the encapsulation header 00 01 00 00;
 * alignment counts from after those 4 bytes (OMG DDS-XTypes 7.4). Unlike generic writers it moves whole arrays.
 */
export class CdrBytes {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #at = 4;

  /** `sizeHint` bytes are reserved; a good guess saves the growing. */
  constructor(sizeHint = 256) {
    this.#bytes = new Uint8Array(Math.max(16, sizeHint));
    this.#view = new DataView(this.#bytes.buffer);
    this.#bytes[1] = 1;
  }

  /** The message, alone in its own ArrayBuffer (byteOffset 0: rclnodejs and SharedArray hand-overs rely on it). */
  take(): Uint8Array<ArrayBuffer> {
    return this.#at === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.#at);
  }

  uint8(value: number): this {
    const at = this.#room(1, 1);
    this.#view.setUint8(at, value);
    return this;
  }

  bool(value: boolean): this {
    return this.uint8(value ? 1 : 0);
  }

  int32(value: number): this {
    const at = this.#room(4, 4);
    this.#view.setInt32(at, value, true);
    return this;
  }

  uint32(value: number): this {
    const at = this.#room(4, 4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  float32(value: number): this {
    const at = this.#room(4, 4);
    this.#view.setFloat32(at, value, true);
    return this;
  }

  float64(value: number): this {
    const at = this.#room(8, 8);
    this.#view.setFloat64(at, value, true);
    return this;
  }

  /** Fixed-length float64 array (no count). */
  float64s(values: ArrayLike<number>, count = values.length): this {
    if (count === 0) return this;
    const at = this.#room(8, count * 8);
    for (let i = 0; i < count; i += 1) this.#view.setFloat64(at + i * 8, values[i]!, true);
    return this;
  }

  string(value: string): this {
    const encoded = utf8.encode(value);
    this.uint32(encoded.length + 1);
    const at = this.#room(1, encoded.length + 1);
    this.#bytes.set(encoded, at);
    return this;
  }

  /** Sequence of bytes: count, then the bytes. */
  byteSequence(values: Uint8Array | Int8Array): this {
    this.uint32(values.byteLength);
    const at = this.#room(1, values.byteLength);
    this.#bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    return this;
  }

  /** Room for `byteLength` bytes (zeros) that the caller fills through the view before it writes on. */
  open(align: number, byteLength: number): DataView {
    const at = this.#room(byteLength === 0 ? 1 : align, byteLength);
    return new DataView(this.#bytes.buffer, at, byteLength);
  }

  /** `builtin_interfaces/Time`. */
  time(stampNs: bigint): this {
    const { sec, nanosec } = timeOf(stampNs);
    return this.int32(sec).uint32(nanosec);
  }

  /** `std_msgs/Header`. */
  header({ stampNs, frameId }: Header): this {
    return this.time(stampNs).string(frameId);
  }

  /**
   * Aligns, reserves, moves on; returns where the value goes. Skipped bytes are zero. May replace the buffer, so it is
   * called before `#bytes` or `#view` is looked at.
   */
  #room(align: number, byteLength: number): number {
    const at = this.#at + ((align - ((this.#at - 4) % align)) % align);
    const end = at + byteLength;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#at = end;
    return at;
  }
}
