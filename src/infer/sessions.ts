import * as ort from "onnxruntime-node";
import type { TensorInfo } from "./check-detector.ts";

/** A session that runs one graph at a time on so many threads, without spinning: other processes need the cores. */
export async function makeSession(graph: Uint8Array, threads: number): Promise<ort.InferenceSession> {
  return await ort.InferenceSession.create(graph, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    // Only errors: some exporters make ONNX Runtime warn of each weight.
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  });
}

export function tensorInfos(metadata: readonly ort.InferenceSession.ValueMetadata[]): TensorInfo[] {
  return metadata.map((value) => ({
    name: value.name,
    type: value.isTensor ? value.type : "no tensor",
    dims: value.isTensor ? value.shape : [],
  }));
}

/** Inputs and outputs of a graph. Throws what ONNX Runtime throws when it is none that it can run. */
export async function inspectGraph(graph: Uint8Array): Promise<{ inputs: TensorInfo[]; outputs: TensorInfo[] }> {
  const session = await makeSession(graph, 1);
  try {
    return { inputs: tensorInfos(session.inputMetadata), outputs: tensorInfos(session.outputMetadata) };
  } finally {
    await session.release();
  }
}
