import type { TransferListItem, Worker } from "node:worker_threads";
import { Fault, messageOf } from "../core/fault.ts";
import type { FromWorker } from "./protocol.ts";
import { spawnWorker } from "./spawn.ts";

export interface QueueOptions {
  /**
   * What happens to jobs that wait while the worker is busy: `every` keeps them all (replay), `newest` only the latest
   * (live; the older ones resolve to undefined).
   */
  readonly backlog?: "every" | "newest";
  /** A worker that takes longer than this over one job hangs and is replaced. Default: a minute. */
  readonly answerWithinMs?: number;
}

export interface QueuedModel {
  /** For messages. */
  readonly name: string;
  /** What a job is about: "pair", "image". */
  readonly what: string;
  /** Module beside this file, and what it is started with. */
  readonly module: string;
  readonly setup: unknown;
}

/** Makes the message of a job when its turn has come. `id` comes back with the answer. */
export type MakeJob = (id: number) => { readonly message: object; readonly transfer?: readonly TransferListItem[] };

interface Waiting<Answer> {
  readonly makeJob: MakeJob;
  readonly resolve: (answer: Answer | undefined) => void;
  readonly reject: (fault: Fault) => void;
}

/** A worker thread that answers one job after the other, and is started again when it died. */
export class WorkerQueue<Answer> {
  readonly #model: QueuedModel;
  readonly #newest: boolean;
  readonly #answerWithinMs: number;
  readonly #queue: Waiting<Answer>[] = [];
  #worker: Worker | undefined;
  #running: Waiting<Answer> | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #nextId = 0;
  #isClosed = false;
  readonly #whenIdle: (() => void)[] = [];

  constructor(model: QueuedModel, { backlog, answerWithinMs = 60_000 }: QueueOptions) {
    this.#model = model;
    this.#newest = backlog === "newest";
    this.#answerWithinMs = answerWithinMs;
  }

  /** Starts the worker and waits until it is ready. */
  async start(): Promise<void> {
    const worker = spawnWorker(this.#model.module, this.#model.setup);
    try {
      await untilReady<Answer>(worker);
    } catch (thrown) {
      worker.on("error", () => {});
      await worker.terminate();
      throw new Fault(`The model ${this.#model.name} does not start: ${messageOf(thrown)}.`, {
        code: "MODEL_MISMATCH",
        remedy: "Run `voxelguard models verify`; if the model is whole, look at the memory of this machine.",
        cause: thrown,
      });
    }
    if (this.#isClosed) {
      await worker.terminate();
      return;
    }
    worker.on("message", (message: FromWorker<Answer>) => {
      if (this.#worker === worker) this.#answered(message);
    });
    worker.on("error", (thrown) => this.#died(worker, thrown.message));
    worker.on("exit", (code) => this.#died(worker, `exit code ${code}`));
    this.#worker = worker;
  }

  run(makeJob: MakeJob): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(closedFault());
        return;
      }
      if (this.#newest) for (const older of this.#queue.splice(0)) older.resolve(undefined);
      this.#queue.push({ makeJob, resolve, reject });
      this.#next();
    });
  }

  /** Jobs that wait are refused; the one in work is finished: ONNX Runtime aborts the process if it is cut off. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const waiting of this.#queue.splice(0)) waiting.reject(closedFault());
    if (this.#running !== undefined) await new Promise<void>((done) => this.#whenIdle.push(done));
    const worker = this.#worker;
    this.#worker = undefined;
    worker?.removeAllListeners();
    await worker?.terminate();
  }

  #next(): void {
    if (this.#running !== undefined) return;
    const waiting = this.#queue.shift();
    if (waiting === undefined) return;
    this.#running = waiting;
    if (this.#worker !== undefined) this.#send(waiting);
    else this.#restart(waiting);
  }

  #restart(waiting: Waiting<Answer>): void {
    this.start().then(
      () => {
        if (this.#isClosed) this.#finish((one) => one.reject(closedFault()));
        else this.#send(waiting);
      },
      (fault) => this.#finish((one) => one.reject(fault)),
    );
  }

  #send({ makeJob }: Waiting<Answer>): void {
    const { message, transfer = [] } = makeJob(this.#nextId++);
    const worker = this.#worker!;
    worker.postMessage(message, transfer);
    this.#watchdog = setTimeout(() => {
      this.#died(worker, `it gave no answer for ${this.#answerWithinMs / 1000} s`);
      void worker.terminate();
    }, this.#answerWithinMs);
  }

  #answered(message: FromWorker<Answer>): void {
    if (message.kind === "answer") {
      this.#finish((one) => one.resolve(message.answer));
    } else if (message.kind === "failed") {
      const { what } = this.#model;
      const fault = new Fault(`The network failed on the ${what}: ${message.message}`, {
        code: "MODEL_MISMATCH",
        remedy: `Run \`voxelguard models verify\`; report the ${what} if the model is whole.`,
      });
      this.#finish((one) => one.reject(fault));
    }
  }

  #died(worker: Worker, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const { what } = this.#model;
    const fault = new Fault(`The model's worker died (${why}); the ${what} in work is lost.`, {
      code: "WORKER_DIED",
      remedy: `It starts again with the next ${what}; if it keeps dying, look at the memory of this machine.`,
    });
    this.#finish((one) => one.reject(fault));
  }

  #finish(settle: (one: Waiting<Answer>) => void): void {
    clearTimeout(this.#watchdog);
    const one = this.#running;
    this.#running = undefined;
    if (one !== undefined) settle(one);
    this.#next();
    if (this.#running === undefined) for (const done of this.#whenIdle.splice(0)) done();
  }
}

/** Rejects when the worker says that it cannot, fails or ends before it is ready. */
async function untilReady<Answer>(worker: Worker): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const settle = (act: () => void) => {
      // One by one: removeAllListeners would also take Node's own, and with them all later messages.
      worker.off("error", failed).off("exit", ended).off("message", said);
      act();
    };
    const failed = (thrown: Error) => settle(() => reject(thrown));
    const ended = (code: number) => settle(() => reject(new Error(`its thread ended with exit code ${code}`)));
    const said = (message: FromWorker<Answer>) =>
      settle(() => {
        if (message.kind === "ready") resolve();
        else reject(new Error(message.kind === "failed" ? message.message : "it answered before it was asked"));
      });
    worker.on("error", failed).on("exit", ended).on("message", said);
  });
}

function closedFault(): Fault {
  return new Fault("The model was closed.", { code: "WORKER_DIED", remedy: "Open it again." });
}
