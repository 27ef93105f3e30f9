/** 8-bit image, rows packed: `data[(y * width + x) * channels + c]`; 1 channel = grey, 3 = red, green, blue. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/** What every sensor message carries. */
export interface Header {
  /** Acquisition time, nanoseconds since the epoch. */
  readonly stampNs: bigint;
  readonly frameId: string;
}

/** An image with its time and optical frame. */
export interface StampedImage extends Header {
  readonly image: Image;
  /** As it came, where `image` is a grey copy. */
  readonly native?: Image;
}
