import type { Canvas } from "../detect/answer.ts";
import type { Dims, Head, InputSpec } from "../detect/heads.ts";

/** One input or output of a graph as ONNX Runtime describes it; a text or -1 is a size known at run time only. */
export interface TensorInfo {
  readonly name: string;
  readonly type: string;
  readonly dims: Dims;
}

/** What differs between the graph's input and what will be fed, in words; undefined where it fits. */
export function inputMismatch(seen: TensorInfo | undefined, name: string, input: InputSpec, canvas: Canvas) {
  if (seen === undefined) return `it has no input ${name}`;
  const { width, height } = canvas;
  const wanted: Dims = input.layout === "nchw" ? [1, 3, height, width] : [1, height, width, 3];
  if (seen.type !== input.type) return `its input ${name} is ${seen.type}, wanted ${input.type}`;
  if (!fits(seen.dims, wanted)) return `its input ${name} is ${text(seen.dims)}, wanted ${text(wanted)}`;
  return undefined;
}

/** What differs between the graph's outputs and those of its kind, in words; undefined where they fit. */
export function outputMismatch(
  outputs: readonly (TensorInfo | undefined)[],
  names: readonly string[],
  head: Head,
  classes: number,
  canvas: Canvas,
): string | undefined {
  const wanted = head.outputs(classes, canvas);
  if (names.length !== wanted.length) return `${names.length} outputs are named, wanted ${wanted.length}`;
  for (const [i, name] of names.entries()) {
    const seen = outputs[i];
    const dims = ["n", ...wanted[i]!];
    if (seen === undefined) return `it has no output ${name}`;
    if (seen.type !== "float32") return `its output ${name} is ${seen.type}, wanted float32`;
    if (!fits(seen.dims, dims)) return `its output ${name} is ${text(seen.dims)}, wanted ${text(dims)}`;
  }
  return undefined;
}

/** What differs between the early layer and what the manifest says of it, in words; undefined where it fits. */
export function tapMismatch(
  seen: TensorInfo | undefined,
  { name, stride }: { readonly name: string; readonly stride: number },
  { width, height }: Canvas,
): string | undefined {
  if (seen === undefined) return `it has no output ${name}`;
  const wanted: Dims = ["n", "channels", Math.ceil(height / stride), Math.ceil(width / stride)];
  if (seen.type === "float32" && fits(seen.dims, wanted)) return undefined;
  return `its output ${name} is ${seen.type} ${text(seen.dims)}, wanted float32 ${text(wanted)}`;
}

/** The same number of sizes, and the same ones where both are known. */
export function fits(seen: Dims, wanted: Dims): boolean {
  return (
    seen.length === wanted.length && seen.every((dim, i) => isOpen(dim) || isOpen(wanted[i]!) || dim === wanted[i])
  );
}

export function isOpen(dim: number | string): boolean {
  return typeof dim === "string" || dim < 0;
}

function text(dims: Dims): string {
  return `[${dims.join(", ")}]`;
}
