/** Worker thread of a detector: letterbox, network, decoder. Blocking here blocks nobody else. */
import { parentPort, workerData } from "node:worker_threads";
import * as ort from "onnxruntime-node";
import type { Box, Cues, DetectorAnswer } from "../core/detection.ts";
import { messageOf } from "../core/fault.ts";
import type { Answer } from "../detect/answer.ts";
import { Candidates } from "../detect/candidates.ts";
import { cueGrid, DEFAULT_STRIDE, energyInto, huesInto } from "../detect/defence/cues.ts";
import { fillWindow } from "../detect/defence/fill.ts";
import { type Head, heads } from "../detect/heads.ts";
import { type Letterbox, planLetterbox, unletterbox } from "../detect/letterbox.ts";
import { interleaved, planar, type Raster } from "../detect/raster.ts";
import { inputMismatch, isOpen, outputMismatch, tapMismatch } from "./check-detector.ts";
import { letterboxGraph, letterboxInto, wantsSmooth } from "./letterbox-graph.ts";
import type { AgainJob, DetectJob, DetectorSetup, DetectResult, FromWorker, ImageJob } from "./protocol.ts";
import { makeSession, tensorInfos } from "./sessions.ts";

const { manifest, graph, threads, scoreThreshold, iouThreshold, most, wanted, cues } = workerData as DetectorSetup;
const port = parentPort!;
const head: Head = heads[manifest.kind];
const { input, outputs } = manifest;
const tap = cues ? manifest.tap : undefined;
const fetched = tap === undefined ? outputs : [...outputs, tap.name];

/** What the network is fed, and where the image lies in it. */
interface Canvas {
  readonly imageId: number;
  readonly tensor: ort.Tensor;
  readonly box: Letterbox;
}

const post = (message: FromWorker<DetectResult>, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

async function start(): Promise<void> {
  const network = await makeSession(graph, threads);
  checkGraph(network);
  const sharp = await makeSession(letterboxGraph(input, false), threads);
  const smooth = await makeSession(letterboxGraph(input, true), threads);
  const takesBatches = isOpen(tensorInfos(network.inputMetadata)[0]!.dims[0]!);
  const candidates = new Candidates(scoreThreshold, manifest.classes.length, wanted);
  const size = new BigInt64Array(4);
  const pads = new BigInt64Array(8);
  /** Of the latest image. */
  let last: Canvas | undefined;

  async function answerImage({ id, image, width, height, channels, windows }: ImageJob): Promise<void> {
    const began = performance.now();
    last?.tensor.dispose();
    last = undefined;
    const box = planLetterbox(width, height, input);
    letterboxInto(size, pads, channels, box);
    const { canvas } = await (wantsSmooth(box) ? smooth : sharp).run({
      image: new ort.Tensor("uint8", new Uint8Array(image, 0, width * height * channels), [1, height, width, channels]),
      size: new ort.Tensor("int64", size, [4]),
      pads: new ort.Tensor("int64", pads, [8]),
    });
    last = { imageId: id, tensor: canvas!, box };
    const shown = windows.length === 0 ? canvas! : filled(last, [windows]);
    const boxed = performance.now();
    const out = await network.run({ [input.name]: shown }, fetched);
    const inferred = performance.now();
    const found = decode(out, 0, 1, box);
    const decoded = performance.now();
    const seen = cues ? { cues: cuesOf({ ...last, tensor: shown }, out) } : {};
    for (const name of fetched) out[name]!.dispose();
    const stagesMs = {
      letterbox: boxed - began,
      network: inferred - boxed,
      decode: decoded - inferred,
      ...(cues ? { cues: performance.now() - decoded } : {}),
    };
    // The image's buffer goes back to be used again.
    post(
      { kind: "answer", id, answer: { kind: "image", image, answer: { ...found, ...seen, imageId: id, stagesMs } } },
      [image],
    );
  }

  async function answerAgain({ id, imageId, variants }: AgainJob): Promise<void> {
    if (last?.imageId !== imageId) {
      post({ kind: "answer", id, answer: { kind: "stale" } });
      return;
    }
    const answers: DetectorAnswer[] = [];
    const step = takesBatches ? variants.length : 1;
    for (let from = 0; from < variants.length; from += step) {
      answers.push(...(await runBatch(last, variants.slice(from, from + step))));
    }
    post({ kind: "answer", id, answer: { kind: "again", answers } });
  }

  async function runBatch(canvas: Canvas, variants: readonly (readonly Box[])[]): Promise<DetectorAnswer[]> {
    const began = performance.now();
    const fed = filled(canvas, variants);
    const shown = performance.now();
    const out = await network.run({ [input.name]: fed }, outputs);
    const inferred = performance.now();
    const answers = variants.map((_, i) => {
      const before = performance.now();
      const found = decode(out, i, variants.length, canvas.box);
      const stagesMs = {
        letterbox: (shown - began) / variants.length,
        network: (inferred - shown) / variants.length,
        decode: performance.now() - before,
      };
      return { ...found, stagesMs };
    });
    for (const name of outputs) out[name]!.dispose();
    return answers;
  }

  /** Detections of image `at` of a batch of `count`. */
  function decode(out: ort.InferenceSession.OnnxValueMapType, at: number, count: number, box: Letterbox) {
    candidates.count = 0;
    const answers = outputs.map((name) => partOf(out[name]! as unknown as Answer, at, count));
    head.decode(candidates, answers, { width: box.canvasWidth, height: box.canvasHeight });
    const kept = candidates.suppress(iouThreshold, most);
    unletterbox(candidates.boxes, kept, box);
    return {
      count: kept,
      boxes: candidates.boxes.slice(0, 4 * kept),
      scores: candidates.scores.slice(0, kept),
      classes: candidates.classes.slice(0, kept),
    };
  }

  port.on("message", (job: DetectJob) => {
    const answer = job.kind === "image" ? answerImage(job) : answerAgain(job);
    answer.catch((thrown) => post({ kind: "failed", id: job.id, message: messageOf(thrown) }));
  });
  post({ kind: "ready" });
}

/** The canvas once for each list of windows, with these filled. */
function filled({ tensor, box }: Canvas, variants: readonly (readonly Box[])[]): ort.Tensor {
  const pixels = tensor.data as Uint8Array | Float32Array;
  const batch = new (pixels.constructor as Uint8ArrayConstructor)(pixels.length * variants.length);
  const frame: Box = [box.left, box.top, box.left + box.width, box.top + box.height];
  for (const [i, windows] of variants.entries()) {
    const copy = batch.subarray(i * pixels.length, (i + 1) * pixels.length);
    copy.set(pixels);
    for (const window of windows) fillWindow(rasterOf(copy, box), frame, toCanvas(window, box));
  }
  return new ort.Tensor(input.type, batch, [variants.length, ...tensor.dims.slice(1)]);
}

function cuesOf({ tensor, box }: Canvas, out: ort.InferenceSession.OnnxValueMapType): Cues {
  const grid = cueGrid(box, tap?.stride ?? DEFAULT_STRIDE);
  const hues = new Float32Array(grid.width * grid.height);
  huesInto(hues, rasterOf(tensor.data as Uint8Array, box), input.std, grid);
  if (tap === undefined) return { ...grid, maps: { hues } };
  const energy = new Float32Array(hues.length);
  energyInto(energy, out[tap.name]! as unknown as Answer, grid);
  return { ...grid, maps: { hues, energy } };
}

function rasterOf(data: Raster["data"], { canvasWidth, canvasHeight }: Letterbox): Raster {
  return input.layout === "nhwc" ? interleaved(data, canvasWidth, 3) : planar(data, canvasWidth, canvasHeight, 3);
}

/** From image to canvas pixels. */
function toCanvas([x0, y0, x1, y1]: Box, { left, top, scaleX, scaleY }: Letterbox): Box {
  return [left + x0 * scaleX, top + y0 * scaleY, left + x1 * scaleX, top + y1 * scaleY];
}

/** Some heads leave the batch away where there is but one image in it. */
function partOf({ data, dims }: Answer, at: number, count: number): Answer {
  if (count === 1) return { data, dims };
  const length = data.length / count;
  return { data: data.subarray(at * length, (at + 1) * length), dims: [1, ...dims.slice(1)] };
}

function checkGraph({ inputMetadata, outputMetadata }: ort.InferenceSession): void {
  const answers = tensorInfos(outputMetadata);
  const named = (name: string) => answers.find((each) => each.name === name);
  const fed = tensorInfos(inputMetadata).find((each) => each.name === input.name);
  const why =
    inputMismatch(fed, input.name, input, input) ??
    outputMismatch(outputs.map(named), outputs, head, manifest.classes.length, input) ??
    (tap && tapMismatch(named(tap.name), tap, input));
  if (why !== undefined) throw new Error(`${manifest.graph.file} does not fit its manifest: ${why}`);
}

start().catch((thrown) => post({ kind: "failed", id: undefined, message: messageOf(thrown) }));
