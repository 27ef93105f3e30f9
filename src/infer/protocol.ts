import type { AnswerWants, StereoAnswer } from "../core/ports.ts";
import type { OctreeLayout, View } from "./octree-evaluator.ts";

/** Messages between `StereoWorkerModel` and its worker. Images and answers travel in shared memory, not in messages. */
export interface WorkerSetup {
  readonly matcher: Uint8Array;
  readonly graph: Uint8Array;
  readonly decoder: Uint8Array;
  readonly heads: Uint8Array;
  readonly layout: OctreeLayout;
  readonly threads: number;
}

export interface Job {
  readonly id: number;
  /** Left image, then right image: grey, packed, view.width * view.height bytes each. */
  readonly images: SharedArrayBuffer;
  readonly view: View;
  readonly wants: AnswerWants;
}

export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly id: number | undefined; readonly message: string }
  | { readonly kind: "answer"; readonly id: number; readonly answer: StereoAnswer };
