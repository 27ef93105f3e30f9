/** One output of a network. */
export interface Answer {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** Size of the canvas that the network saw, pixels. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
}
