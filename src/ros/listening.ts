import type { Topic } from "../config/topic.ts";
import type { InputSeen } from "./input-watch.ts";
import { nodeOf } from "./qos.ts";
import type { RclEndpoint, RclNode } from "./rclnodejs.ts";
import type { RawSubscription } from "./topics.ts";

/** An input topic and when it last spoke. */
export interface Listening {
  readonly what: string;
  readonly topic: Topic;
  readonly subscription: RawSubscription;
  /** Milliseconds of the monotonic clock. */
  readonly sinceMs: number;
  lastMs: number | undefined;
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
