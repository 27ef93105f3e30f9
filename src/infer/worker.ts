/** Worker thread of the stereo model: matching kernel, then the ONNX graph. Blocking here blocks nobody else. */
import { parentPort, workerData } from "node:worker_threads";
import * as ort from "onnxruntime-node";
import { messageOf } from "../core/fault.ts";
import type { DisparityMap, StereoAnswer } from "../core/ports.ts";
import { makeMatcher } from "./matcher.ts";
import { OctreeEvaluator } from "./octree-evaluator.ts";
import type { FromWorker, Job, WorkerSetup } from "./protocol.ts";

const setup = workerData as WorkerSetup;
const port = parentPort!;
/** Floats of a cell in the graph's answer. */
const ROW_FLOATS = 16;
/** A cell, pixels. */
const CELL_PX = 4;
const post = (message: FromWorker<StereoAnswer>, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

async function start(): Promise<void> {
  const match = makeMatcher(setup.matcher, setup.threads);
  const decoder = new OctreeEvaluator(setup.decoder, float32Of(setup.heads), setup.layout, setup.threads);
  const session = await ort.InferenceSession.create(setup.graph, {
    intraOpNumThreads: setup.threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    extra: {
      session: {
        // A spinning pool takes the core that the main thread needs.
        intra_op: { allow_spinning: "0" },
        // Without VNNI, products of u8 and s8 would saturate on x86.
        x64quantprecision: "1",
      },
    },
  });

  async function answer({ id, images, view, wants }: Job): Promise<void> {
    const { width, height, fx, fy, cx, cy, baseline } = view;
    const pixels = width * height;
    const began = performance.now();
    const evidence = match(new Uint8Array(images, 0, pixels), new Uint8Array(images, pixels, pixels), width, height);
    const matched = performance.now();
    const { rows: h4, columns: w4 } = evidence;
    const out = await session.run({
      evidence: new ort.Tensor("uint8", evidence.cells, [1, h4, w4, 128]),
      match: new ort.Tensor("uint8", evidence.match, [1, 16, h4, w4]),
      prior: new ort.Tensor("uint8", evidence.prior, [1, 48, h4 / 2, w4 / 2]),
      calibration: new ort.Tensor("float32", Float32Array.of(fx, fy, cx, cy, baseline), [5]),
    });
    const inferred = performance.now();
    const rows = out["rows"]!;
    const levels = decoder.run(rows.data as Float32Array, w4, h4, view);
    const disparity =
      wants.disparity === true ? disparityOf(rows.data as Float32Array, h4, w4, view.margin / CELL_PX) : undefined;
    rows.dispose();
    const stagesMs = { match: matched - began, network: inferred - matched, decode: performance.now() - inferred };
    const answer = { levels, stagesMs, ...(disparity === undefined ? {} : { disparity }) };
    const buffers = levels.flatMap(({ index, p }) => [index.buffer, p.buffer] as ArrayBuffer[]);
    post({ kind: "answer", id, answer }, buffers);
  }

  port.on("message", (job: Job) => {
    answer(job).catch((thrown) => post({ kind: "failed", id: job.id, message: messageOf(thrown) }));
  });
  post({ kind: "ready" });
}

start().catch((thrown) => post({ kind: "failed", id: undefined, message: messageOf(thrown) }));

/** rows [cells, 16], each m1, m2, s1, s2, w, ... -> the component with the higher peak, without the margin. */
function disparityOf(data: Float32Array, rows: number, wide: number, margin: number): DisparityMap {
  const columns = wide - margin;
  const disparityPx = new Float32Array(rows * columns);
  const spreadPx = new Float32Array(rows * columns);
  const weight = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const cell = (row * wide + margin + column) * ROW_FLOATS;
      const share = data[cell + 4]!;
      const first = share * data[cell + 3]! > (1 - share) * data[cell + 2]!; // a logistic's peak is weight / (4 scale)
      const at = first ? cell : cell + 1;
      const out = row * columns + column;
      disparityPx[out] = data[at]!;
      spreadPx[out] = data[at + 2]!;
      weight[out] = first ? share : 1 - share;
    }
  }
  return { rows, columns, disparityPx, spreadPx, weight };
}

/** A copy with its own alignment. */
function float32Of(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}
