/**
 * Writes ONNX files: the few message fields that the graphs of this project need (onnx.proto3 of ONNX 1.x, opset 18).
 * Reading and checking them is ONNX Runtime's business.
 */
const elementTypes = { float32: 1, uint8: 2, int64: 7, float16: 10 } as const;
export type ElementType = keyof typeof elementTypes;

/** Number of ONNX's element type, for the attribute `to` of Cast. */
export function elementTypeOf(type: ElementType): number {
  return elementTypes[type];
}

export interface OnnxNode {
  readonly op: string;
  /** Names of tensors; "" leaves an optional input out. */
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** A number is an integer attribute; a fraction says so: `{ float: 0.5 }`. */
export type Attribute = number | string | readonly number[] | { readonly float: number };

export interface OnnxConstant {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  /** Little-endian, row-major. */
  readonly bytes: Uint8Array;
}

export interface OnnxValue {
  readonly name: string;
  readonly type: ElementType;
  /** A word names a dimension that is known at run time only. */
  readonly dims: readonly (number | string)[];
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxConstant[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** The bytes of a model file. */
export function encodeOnnx({ name, nodes, constants, inputs, outputs }: OnnxGraph): Uint8Array {
  const graph = message(
    ...nodes.map((node) => field(1, nodeOf(node))),
    field(2, name),
    ...constants.map((constant) => field(5, tensorOf(constant))),
    ...inputs.map((value) => field(11, valueInfo(value))),
    ...outputs.map((value) => field(12, valueInfo(value))),
  );
  // IR version 8 goes with opset 18.
  return message(field(1, 8), field(2, "voxelguard"), field(7, graph), field(8, message(field(1, ""), field(2, 18))));
}

export function int64Constant(name: string, values: readonly number[]): OnnxConstant {
  const bytes = new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer);
  return { name, type: "int64", dims: [values.length], bytes };
}

/** float32, by default of one dimension. */
export function floatConstant(name: string, values: readonly number[], dims = [values.length]): OnnxConstant {
  return { name, type: "float32", dims, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

function nodeOf({ op, inputs, output, attributes = {} }: OnnxNode): Uint8Array {
  return message(
    ...inputs.map((input) => field(1, input)),
    field(2, output),
    field(3, output),
    field(4, op),
    ...Object.entries(attributes).map(([name, value]) => field(5, attributeOf(name, value))),
  );
}

function attributeOf(name: string, value: Attribute): Uint8Array {
  const named = field(1, name);
  if (typeof value === "number") return message(named, field(3, value), field(20, 2));
  if (typeof value === "string") return message(named, field(4, value), field(20, 3));
  if ("float" in value) return message(named, float(2, value.float), field(20, 1));
  return message(named, ...value.map((each) => field(8, each)), field(20, 7));
}

function tensorOf({ name, type, dims, bytes }: OnnxConstant): Uint8Array {
  return message(...dims.map((dim) => field(1, dim)), field(2, elementTypes[type]), field(8, name), field(9, bytes));
}

function valueInfo({ name, type, dims }: OnnxValue): Uint8Array {
  const shape = message(...dims.map((dim) => field(1, field(typeof dim === "number" ? 1 : 2, dim))));
  const tensor = message(field(1, elementTypes[type]), field(2, shape));
  return message(field(1, name), field(2, field(1, tensor)));
}

/** One protobuf field: a whole number as a varint, text and bytes with their length. */
function field(number: number, value: number | string | Uint8Array): Uint8Array {
  if (typeof value === "number") return message(varint(number << 3), varint(value));
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  return message(varint((number << 3) | 2), varint(bytes.length), bytes);
}

function float(number: number, value: number): Uint8Array {
  return message(varint((number << 3) | 5), new Uint8Array(Float32Array.of(value).buffer));
}

/** Seven bits a byte, the lowest first; a negative number is 64 bits of two's complement. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return Uint8Array.of(...bytes, Number(rest));
}

function message(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
