import type { Qos } from "../config/topic.ts";
import type { RclEndpoint, Rclnodejs, RclQos } from "./rclnodejs.ts";

/** rmw's numbers. */
const RELIABLE = 1;
const BEST_EFFORT = 2;
const TRANSIENT_LOCAL = 1;
const VOLATILE = 2;
const KEEP_LAST = 1;

export type EndpointQos = RclEndpoint["qos_profile"];

export function rclQos(rcl: Rclnodejs, { reliability, durability, depth }: Qos): RclQos {
  return new rcl.QoS(
    KEEP_LAST,
    depth,
    reliability === "reliable" ? RELIABLE : BEST_EFFORT,
    durability === "transient_local" ? TRANSIENT_LOCAL : VOLATILE,
  );
}

/** Why a subscriber gets nothing from a publisher; undefined where they match. */
export function qosConflict(offered: EndpointQos, asked: EndpointQos): string | undefined {
  if (asked.reliability === RELIABLE && offered.reliability === BEST_EFFORT) {
    return "the publisher is BEST_EFFORT and the subscriber asks for RELIABLE";
  }
  if (asked.durability === TRANSIENT_LOCAL && offered.durability === VOLATILE) {
    return "the publisher is VOLATILE and the subscriber asks for TRANSIENT_LOCAL";
  }
  return undefined;
}

export function reliabilityText({ reliability }: EndpointQos): string {
  return reliability === RELIABLE ? "RELIABLE" : reliability === BEST_EFFORT ? "BEST_EFFORT" : "unknown";
}

/** `/ns/name` of an endpoint's node. */
export function nodeOf({ node_namespace, node_name }: RclEndpoint): string {
  return `${node_namespace.replace(/\/$/, "")}/${node_name}`;
}
