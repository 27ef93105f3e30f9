/** Pixels in memory: sample c of pixel (x, y) is data[x * xStep + y * yStep + c * cStep]. */
export interface Raster {
  readonly data: Uint8Array | Float32Array;
  readonly channels: number;
  readonly xStep: number;
  readonly yStep: number;
  readonly cStep: number;
}

/** Packed pixels, as in `Image`. */
export function interleaved(data: Raster["data"], width: number, channels: number): Raster {
  return { data, channels, xStep: channels, yStep: width * channels, cStep: 1 };
}

/** One plane for each channel. */
export function planar(data: Raster["data"], width: number, height: number, channels: number): Raster {
  return { data, channels, xStep: 1, yStep: width, cStep: width * height };
}
