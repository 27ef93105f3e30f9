/** Worker thread of a detector: letterbox, network, decoder. Blocking here blocks nobody else. */
import { parentPort, workerData } from "node:worker_threads";
import * as ort from "onnxruntime-node";
import type { DetectorAnswer } from "../core/detection.ts";
import { messageOf } from "../core/fault.ts";
import type { Answer } from "../detect/answer.ts";
import { Candidates } from "../detect/candidates.ts";
import { type Head, heads } from "../detect/heads.ts";
import { planLetterbox, unletterbox } from "../detect/letterbox.ts";
import { inputMismatch, outputMismatch } from "./check-detector.ts";
import { letterboxGraph, letterboxInto, wantsSmooth } from "./letterbox-graph.ts";
import type { DetectJob, DetectorSetup, FromWorker } from "./protocol.ts";
import { makeSession, tensorInfos } from "./sessions.ts";

const { manifest, graph, threads, scoreThreshold, iouThreshold, most, wanted } = workerData as DetectorSetup;
const port = parentPort!;
const head: Head = heads[manifest.kind];
const { input, outputs } = manifest;

type Result = { readonly image: ArrayBuffer; readonly answer: DetectorAnswer };
const post = (message: FromWorker<Result>, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

async function start(): Promise<void> {
  const network = await makeSession(graph, threads);
  checkGraph(network);
  const sharp = await makeSession(letterboxGraph(input, false), threads);
  const smooth = await makeSession(letterboxGraph(input, true), threads);
  const candidates = new Candidates(scoreThreshold, manifest.classes.length, wanted);
  const size = new BigInt64Array(4);
  const pads = new BigInt64Array(8);

  async function answer({ id, image, width, height, channels }: DetectJob): Promise<void> {
    const began = performance.now();
    const box = planLetterbox(width, height, input);
    letterboxInto(size, pads, channels, box);
    const { canvas } = await (wantsSmooth(box) ? smooth : sharp).run({
      image: new ort.Tensor("uint8", new Uint8Array(image, 0, width * height * channels), [1, height, width, channels]),
      size: new ort.Tensor("int64", size, [4]),
      pads: new ort.Tensor("int64", pads, [8]),
    });
    const boxed = performance.now();
    const out = await network.run({ [input.name]: canvas! }, outputs);
    const inferred = performance.now();
    candidates.count = 0;
    head.decode(
      candidates,
      outputs.map((name) => out[name]! as unknown as Answer),
      {
        width: box.canvasWidth,
        height: box.canvasHeight,
      },
    );
    const count = candidates.suppress(iouThreshold, most);
    unletterbox(candidates.boxes, count, box);
    canvas!.dispose();
    for (const name of outputs) out[name]!.dispose();
    const found = {
      count,
      boxes: candidates.boxes.slice(0, 4 * count),
      scores: candidates.scores.slice(0, count),
      classes: candidates.classes.slice(0, count),
      stagesMs: { letterbox: boxed - began, network: inferred - boxed, decode: performance.now() - inferred },
    };
    // The image's buffer goes back to be used again.
    post({ kind: "answer", id, answer: { image, answer: found } }, [image]);
  }

  port.on("message", (job: DetectJob) => {
    answer(job).catch((thrown) => post({ kind: "failed", id: job.id, message: messageOf(thrown) }));
  });
  post({ kind: "ready" });
}

function checkGraph({ inputMetadata, outputMetadata }: ort.InferenceSession): void {
  const answers = tensorInfos(outputMetadata);
  const named = outputs.map((name) => answers.find((each) => each.name === name));
  const fed = tensorInfos(inputMetadata).find((each) => each.name === input.name);
  const why =
    inputMismatch(fed, input.name, input, input) ??
    outputMismatch(named, outputs, head, manifest.classes.length, input);
  if (why !== undefined) throw new Error(`${manifest.graph.file} does not fit its manifest: ${why}`);
}

start().catch((thrown) => post({ kind: "failed", id: undefined, message: messageOf(thrown) }));
