import type { StereoNodeConfig } from "../config/stereo-node-schema.ts";
import { asFault, messageOf } from "../core/fault.ts";
import type { Health } from "../core/health.ts";
import type { MapStep } from "../pipeline/map-steps.ts";

/** A page that shows the map while it grows. */
export interface LiveView {
  readonly url: string;
  /** Whether a client is connected. */
  readonly isWatched: boolean;
  /** Takes what it needs of the step before it returns. `status`: figures and health beside the map. */
  show(step: MapStep, status: object): Promise<void>;
  close(): Promise<void>;
}

/** Throws `Fault` where it cannot listen, or may not without a token. */
export type OpenView = (at: {
  readonly port: number;
  readonly host: string;
  readonly token?: string;
}) => Promise<LiveView>;

/** The page of a node. A robot drives without it: why there is none, or what it could not show, is told to Health. */
export class NodeViewer {
  readonly #open: OpenView;
  readonly #health: Health;
  readonly #log: { info(text: string): void };
  #view: LiveView | undefined;

  constructor(open: OpenView, health: Health, log: { info(text: string): void }) {
    this.#open = open;
    this.#health = health;
    this.#log = log;
  }

  get isWatched(): boolean {
    return this.#view?.isWatched === true;
  }

  /** Port 0: none is wanted. */
  async open(config: Pick<StereoNodeConfig, "viewer_port" | "viewer_host" | "viewer_token">): Promise<void> {
    const { viewer_port: port, viewer_host: host, viewer_token: token } = config;
    this.#health.clear("viewer", "PORT_UNAVAILABLE");
    if (port === 0) return;
    try {
      this.#view = await this.#open({ port, host, ...(token !== "" && { token }) });
      this.#log.info(`viewer: ${this.#view.url}`);
    } catch (thrown) {
      const { message, remedy } = asFault(thrown, "The viewer cannot be opened.", {
        code: "PORT_UNAVAILABLE",
        remedy: "Choose another viewer_port.",
      });
      this.#health.raise("viewer", "PORT_UNAVAILABLE", `${message} ${remedy}`);
    }
  }

  /** The step of the `processed`-th pair; `stagesMs`: medians. */
  async show(step: MapStep, processed: number, stagesMs: Readonly<Record<string, number>>): Promise<void> {
    const status = { frame: processed, pairs: processed, stagesMs, health: this.#health.list() };
    await this.#view?.show(step, status).catch((thrown: unknown) => {
      this.#health.raise("viewer", "OUTPUT_UNWRITABLE", `A pair could not be shown: ${messageOf(thrown)}.`);
    });
  }

  async close(): Promise<void> {
    const view = this.#view;
    this.#view = undefined;
    await view?.close();
  }
}
