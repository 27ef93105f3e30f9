/** The weights of a tfjs graph model, and the layouts that ONNX wants. */

interface TfWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?: { readonly dtype: string };
}

/** The part of the model's JSON that tells of the weight file. */
export interface StoredWeights {
  readonly weightsManifest: readonly { readonly paths: readonly string[]; readonly weights: readonly TfWeight[] }[];
}

export interface StoredWeight extends TfWeight {
  readonly bytes: Uint8Array;
}

/** The weight file holds the weights one behind the other, in the order of the manifest. */
export function splitWeights({ weightsManifest }: StoredWeights, bytes: Uint8Array): Map<string, StoredWeight> {
  const split = new Map<string, StoredWeight>();
  let at = 0;
  for (const weight of weightsManifest.flatMap(({ weights }) => weights)) {
    const width = weight.quantization === undefined ? 4 : 2;
    if (weight.quantization !== undefined) expect(weight.name, "stored type", weight.quantization.dtype, "float16");
    const end = at + width * weight.shape.reduce((product, dim) => product * dim, 1);
    // A copy, so that its buffer is its own.
    split.set(weight.name, { ...weight, bytes: new Uint8Array(bytes.subarray(at, end)) });
    at = end;
  }
  expect("the weight file", "length", bytes.length, at);
  return split;
}

/** [rows, columns] -> [columns, rows] */
export function transposed(data: Uint16Array, rows: number, columns: number): Uint16Array {
  const out = new Uint16Array(data.length);
  for (let r = 0; r < rows; r += 1) for (let c = 0; c < columns; c += 1) out[c * rows + r] = data[r * columns + c]!;
  return out;
}

/** [taps, inputs, outputs] -> [outputs, inputs, taps] */
export function outputsFirst(data: Uint16Array, taps: number, inputs: number, outputs: number): Uint16Array {
  const out = new Uint16Array(data.length);
  let at = 0;
  for (let t = 0; t < taps; t += 1) {
    for (let i = 0; i < inputs; i += 1) {
      for (let o = 0; o < outputs; o += 1) out[(o * inputs + i) * taps + t] = data[at++]!;
    }
  }
  return out;
}

/** Throws unless both are the same as JSON. */
export function expect(what: string, property: string, seen: unknown, wanted: unknown): void {
  const [a, b] = [JSON.stringify(seen), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what}: ${property} ${a}, wanted ${b}`);
}
