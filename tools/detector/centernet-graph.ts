/**
 * The CenterNet of npm @vladmandic/human, a TensorFlow.js graph with NHWC layout and weights stored as float16, as ONNX
 * in NCHW. Only what the heat map and the box sizes need is taken over; peaks and boxes are decoded in src/detect.
 */
import {
  type Attribute,
  elementTypeOf,
  type OnnxConstant,
  type OnnxGraph,
  type OnnxNode,
} from "../../src/infer/onnx-file.ts";
import {
  expect,
  outputsFirst,
  type StoredWeight,
  type StoredWeights,
  splitWeights,
  transposed,
} from "./tfjs-weights.ts";

/** A node of the TensorFlow graph, as tfjs writes it. */
interface TfNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, TfAttribute>>;
}
interface TfAttribute {
  readonly s?: string;
  readonly b?: boolean;
  readonly list?: { readonly i?: readonly string[]; readonly s?: readonly string[] };
}

/** The fields of a tfjs graph model's JSON that are read here. */
export interface TfjsModel extends StoredWeights {
  readonly modelTopology: { readonly node: readonly TfNode[] };
}

/** Names in the TensorFlow graph. The tap is at stride 4 and has 24 channels. */
export const tfNames = {
  image: "tower_0/images",
  heat: "tower_0/keypoints",
  size: "tower_0/wh",
  tap: "tower_0/MobilenetV3/expanded_conv_2/add",
} as const;

/**
 * `weights` are the bytes of the one weight file. The graph: `image` uint8 [N, H, W, 3] (RGB; H and W multiples of 32)
 * -> `heat` [N, 80, H/4, W/4], `size` [N, 4, H/4, W/4] (left, top, right, bottom, pixels), `tap` [N, 24, H/4, W/4].
 * Throws where the model holds something that it did not hold when this was written.
 */
export function centernetGraph(model: TfjsModel, weights: Uint8Array): OnnxGraph {
  const stored = splitWeights(model, weights);
  const byName = new Map(model.modelTopology.node.map((node) => [node.name, node]));
  const nodes: OnnxNode[] = [
    { op: "Cast", inputs: ["image"], output: "image_float", attributes: { to: elementTypeOf("float32") } },
    { op: "Transpose", inputs: ["image_float"], output: tfNames.image, attributes: { perm: [0, 3, 1, 2] } },
  ];
  const constants = new Map<string, OnnxConstant>();
  const graph: Translation = {
    weight: (name) => {
      const weight = stored.get(name);
      if (weight === undefined) throw new Error(`${name} is no stored weight`);
      return weight;
    },
    addWeight: (constant) => {
      const { name } = constant;
      if (constants.has(name)) return name;
      constants.set(name, constant);
      // Kept as stored, half the size; ONNX Runtime folds the cast when it loads the graph.
      const attributes = { to: elementTypeOf("float32") };
      if (constant.type === "float16") {
        constants.set(name, { ...constant, name: `${name}:16` });
        nodes.push({ op: "Cast", inputs: [`${name}:16`], output: name, attributes });
      }
      return name;
    },
    add: (op, inputs, output, attributes = {}) => nodes.push({ op, inputs, output, attributes }),
  };
  const done = new Set<string>([tfNames.image]);
  const visit = (name: string): void => {
    if (done.has(name)) return;
    done.add(name);
    const node = byName.get(name);
    if (node === undefined) throw new Error(`the graph has no node ${name}`);
    if (node.op === "Const") {
      // Weights, axes and sizes are read by their users; what is left are factors and summands.
      const { shape, dtype, bytes } = graph.weight(name);
      if (shape.length === 0 && dtype === "float32") graph.addWeight({ name, type: "float16", dims: [], bytes });
      return;
    }
    for (const input of node.input ?? []) visit(input);
    const translate = translations[node.op];
    if (translate === undefined) throw new Error(`${name} is of the kind ${node.op}, which is not translated`);
    translate(node, graph);
  };
  const outputs = { heat: tfNames.heat, size: tfNames.size, tap: tfNames.tap };
  for (const [output, name] of Object.entries(outputs)) {
    visit(name);
    graph.add("Identity", [name], output);
  }
  const value = (name: string, channels: number) =>
    ({ name, type: "float32", dims: ["n", channels, "h4", "w4"] }) as const;
  return {
    name: "centernet",
    nodes,
    constants: [...constants.values()],
    inputs: [{ name: "image", type: "uint8", dims: ["n", "h", "w", 3] }],
    outputs: [value("heat", 80), value("size", 4), value("tap", 24)],
  };
}

interface Translation {
  weight(name: string): StoredWeight;
  /** Adds it once; the name under which it is had as float32. */
  addWeight(constant: OnnxConstant): string;
  add(op: string, inputs: readonly string[], output: string, attributes?: Readonly<Record<string, Attribute>>): void;
}

type Translate = (node: TfNode, graph: Translation) => void;

/** An operation that means the same in any layout. */
const same =
  (op: string): Translate =>
  ({ name, input = [] }, { add }) =>
    add(op, input, name);

const translations: Readonly<Record<string, Translate>> = {
  Add: same("Add"),
  Mul: same("Mul"),
  Relu: same("Relu"),
  Sigmoid: same("Sigmoid"),
  Identity: same("Identity"),
  Relu6: ({ name, input = [] }, { add, addWeight }) => {
    const bounds = [0, 6].map((bound) =>
      addWeight({ name: `bound_${bound}`, type: "float32", dims: [], bytes: bytesOf(bound) }),
    );
    add("Clip", [input[0]!, ...bounds], name);
  },
  Mean: ({ name, input = [], attr }, { add, weight }) => {
    const axes = new Int32Array(weight(input[1]!).bytes.buffer);
    expect(name, "axes and keep_dims", [...axes, attr?.["keep_dims"]?.b], [1, 2, true]);
    add("GlobalAveragePool", [input[0]!], name);
  },
  ConcatV2: ({ name, input = [] }, { add, weight }) => {
    const axis = new Int32Array(weight(input.at(-1)!).bytes.buffer);
    expect(name, "axis", [...axis], [3]);
    add("Concat", input.slice(0, -1), name, { axis: 1 });
  },
  ResizeBilinear: ({ name, input = [], attr }, { add, addWeight }) => {
    expect(name, "corners", [attr?.["align_corners"]?.b, attr?.["half_pixel_centers"]?.b], [false, false]);
    // The size that is wanted is a constant for images of 512 x 512: twice the input's, in all three places.
    const scales = new Uint8Array(Float32Array.of(1, 1, 2, 2).buffer);
    const twice = addWeight({ name: "twice", type: "float32", dims: [4], bytes: scales });
    add("Resize", [input[0]!, "", twice], name, { mode: "linear", coordinate_transformation_mode: "asymmetric" });
  },
  Conv2D: convolution,
  _FusedConv2D: convolution,
  DepthwiseConv2dNative: convolution,
  FusedDepthwiseConv2dNative: convolution,
};

/** HWIO -> OIHW; depthwise HWC1 -> C1HW with a group for each channel. */
function convolution({ name, op, input = [], attr }: TfNode, { add, addWeight, weight }: Translation): void {
  const isDepthwise = op.includes("Depthwise");
  const { name: weightName, shape, bytes } = weight(input[1]!);
  const [rows, columns, inputs, outputs] = shape as [number, number, number, number];
  if (isDepthwise) expect(name, "channel multiplier", outputs, 1);
  expect(name, "dilations", attr?.["dilations"]?.list?.i, ["1", "1", "1", "1"]);
  const [, stride] = (attr?.["strides"]?.list?.i ?? []).map(Number);
  const [fused = "", activation = ""] = (attr?.["fused_ops"]?.list?.s ?? []).map(textOf);
  if (!["", "BiasAdd"].includes(fused) || !["", "Relu"].includes(activation)) {
    throw new Error(`${name} fuses ${fused} and ${activation}, wanted BiasAdd and Relu`);
  }
  const data = new Uint16Array(bytes.buffer);
  const out = isDepthwise
    ? transposed(data, rows * columns, inputs)
    : outputsFirst(data, rows * columns, inputs, outputs);
  const w = addWeight({
    name: weightName,
    type: "float16",
    dims: isDepthwise ? [inputs, 1, rows, columns] : [outputs, inputs, rows, columns],
    bytes: new Uint8Array(out.buffer),
  });
  const bias = fused === "" ? [] : [biasOf(weight(input[2]!), addWeight)];
  const sum = activation === "" ? name : `${name}:sum`;
  const padding = textOf(attr?.["padding"]?.s ?? "");
  if (padding !== "SAME") expect(name, "padding and kernel", [padding, rows, columns], ["VALID", 1, 1]);
  add("Conv", [input[0]!, w, ...bias], sum, {
    kernel_shape: [rows, columns],
    strides: [stride!, stride!],
    group: isDepthwise ? inputs : 1,
    pads: samePads(rows, columns, stride!),
  });
  if (activation !== "") add("Relu", [sum], name);
}

/** TensorFlow's SAME for sizes that the stride divides: what is odd goes to the end. Top, left, bottom, right. */
function samePads(rows: number, columns: number, stride: number): number[] {
  const [y, x] = [Math.max(0, rows - stride), Math.max(0, columns - stride)];
  return [Math.floor(y / 2), Math.floor(x / 2), Math.ceil(y / 2), Math.ceil(x / 2)];
}

function biasOf({ name, shape, bytes }: StoredWeight, addWeight: Translation["addWeight"]): string {
  return addWeight({ name, type: "float16", dims: shape, bytes });
}

function bytesOf(value: number): Uint8Array {
  return new Uint8Array(Float32Array.of(value).buffer);
}

/** tfjs writes texts in base64. */
function textOf(text: string): string {
  return Buffer.from(text, "base64").toString("utf8");
}
