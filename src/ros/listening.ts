import type { Topic } from "../config/topic.ts";
import type { InputSeen } from "./input-watch.ts";
import { nodeOf } from "./qos.ts";
import type { RclEndpoint, RclNode } from "./rclnodejs.ts";
import type { NodeTopics, RawSubscription } from "./topics.ts";

/** An input topic and when it last spoke. */
export interface Listening {
  readonly what: string;
  readonly topic: Topic;
  readonly subscription: RawSubscription;
  /** Milliseconds of the monotonic clock. */
  readonly sinceMs: number;
  lastMs: number | undefined;
}

/** Subscribes to an input, and notes when it speaks. */
export function listenTo(
  topics: NodeTopics,
  what: string,
  topic: Topic,
  hear: (data: Uint8Array) => void | Promise<void>,
): Listening {
  const subscription = topics.subscribe(topic, (data) => {
    listening.lastMs = performance.now();
    return hear(data);
  });
  const listening: Listening = { what, topic, subscription, sinceMs: performance.now(), lastMs: undefined };
  return listening;
}

/** What the graph shows of an input. */
export function seenOf(node: RclNode, { topic, subscription, lastMs }: Listening): InputSeen {
  const name = subscription.topic;
  return {
    topic: name,
    type: topic.type,
    publishers: node.getPublishersInfoByTopic(name),
    own: node.getSubscriptionsInfoByTopic(name).find((each) => isOwn(node, each)),
    silentS: lastMs === undefined ? undefined : (performance.now() - lastMs) / 1e3,
  };
}

export function isOwn(node: RclNode, endpoint: RclEndpoint): boolean {
  return nodeOf(endpoint) === node.getFullyQualifiedName();
}
