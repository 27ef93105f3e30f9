import type { Topic } from "../config/topic.ts";
import { asFault, Fault, messageOf } from "../core/fault.ts";
import type { Health } from "../core/health.ts";
import { rclQos } from "./qos.ts";
import type { RclNode, Rclnodejs } from "./rclnodejs.ts";

/** A publisher of finished CDR. */
export interface RawPublisher {
  /** Resolved: with namespace and remaps. */
  readonly topic: string;
  readonly subscribers: number;
  /** `data` must lie alone in its ArrayBuffer. */
  publish(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

export interface RawSubscription {
  readonly topic: string;
  close(): void;
}

/**
 * Wraps a callback for rclnodejs, where a throw, or the rejection of what it returns, would end the process: it becomes a
 * standing fault, which the next call that goes well clears.
 */
export function guarded<T>(
  health: Health,
  where: string,
  run: (message: T) => void | Promise<void>,
): (message: T) => void {
  let raised: ReturnType<typeof asFault> | undefined;
  const well = () => {
    if (raised !== undefined) health.clear(where, raised.code);
    raised = undefined;
  };
  const failed = (thrown: unknown) => {
    raised = asFault(thrown, `A callback of ${where} failed.`, {
      code: "ROS_CALLBACK",
      remedy: "Report this: it is a defect.",
    });
    health.raise(where, raised.code, `${raised.message} ${raised.remedy}`, "error");
  };
  // Exactly one parameter: rclnodejs counts them.
  return (message: T): void => {
    try {
      const done = run(message);
      if (done instanceof Promise) done.then(well, failed);
      else well();
    } catch (thrown) {
      failed(thrown);
    }
  };
}

/** Publishers and subscriptions of raw CDR on a node: one reader and one writer for bags and live topics. */
export class NodeTopics {
  readonly #rcl: Rclnodejs;
  readonly #node: RclNode;
  readonly #health: Health;

  constructor(rcl: Rclnodejs, node: RclNode, health: Health) {
    this.#rcl = rcl;
    this.#node = node;
    this.#health = health;
  }

  publisher(topic: Topic): RawPublisher {
    const publisher = this.#open(topic, () => this.#node.createPublisher(topic.type, topic.name, this.#options(topic)));
    return {
      topic: publisher.topic,
      get subscribers() {
        return publisher.subscriptionCount;
      },
      publish: (data) => publisher.publish(Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
      close: () => this.#node.destroyPublisher(publisher),
    };
  }

  /** The bytes are the callback's to keep. */
  subscribe(topic: Topic, hear: (data: Uint8Array) => void | Promise<void>): RawSubscription {
    const name = this.#node.resolveTopicName(topic.name);
    const options = { ...this.#options(topic), isRaw: true };
    const callback = guarded(this.#health, name, (data: Buffer) => hear(data));
    const subscription = this.#open(topic, () =>
      this.#node.createSubscription(topic.type, topic.name, options, callback),
    );
    return { topic: subscription.topic, close: () => this.#node.destroySubscription(subscription) };
  }

  /** rclnodejs does not say of which topic the QoS is that it refuses. */
  #open<T>({ name }: Topic, make: () => T): T {
    try {
      return make();
    } catch (thrown) {
      const topic = this.#node.resolveTopicName(name);
      throw new Fault(`${topic} cannot be opened: ${messageOf(thrown)}.`, {
        code: "CONFIG_INVALID",
        remedy: `Correct the parameters qos_overrides.${topic}.* and start the node again.`,
        cause: thrown,
      });
    }
  }

  /** With `qos_overrides.<topic>.*` parameters where the topic has them. */
  #options({ qos, overridable }: Topic): object {
    const { HISTORY, DEPTH, RELIABILITY, DURABILITY } = this.#rcl.QoSPolicyKind;
    const overrides = new this.#rcl.QoSOverridingOptions([HISTORY, DEPTH, RELIABILITY, DURABILITY]);
    return { qos: rclQos(this.#rcl, qos), ...(overridable ? { qosOverridingOptions: overrides } : {}) };
  }
}
