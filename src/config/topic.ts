/** A quality of service, by the policies that a user of the topic has to match. */
export interface Qos {
  readonly reliability: "reliable" | "best_effort";
  readonly durability: "volatile" | "transient_local";
  readonly depth: number;
}

/** A topic of a node. */
export interface Topic {
  /** Relative names take the node's namespace; `~/` stands for the node's own name. Both can be remapped. */
  readonly name: string;
  readonly type: string;
  readonly qos: Qos;
  /** True: `qos_overrides.<topic>.{publisher,subscription}.*` parameters may change depth, reliability, durability. */
  readonly overridable: boolean;
  readonly doc: string;
}

export const sensor: Qos = { reliability: "best_effort", durability: "volatile", depth: 5 };
export const results: Qos = { reliability: "reliable", durability: "volatile", depth: 5 };
export const latched: Qos = { reliability: "reliable", durability: "transient_local", depth: 1 };

export const diagnosticsTopic = {
  name: "/diagnostics",
  type: "diagnostic_msgs/msg/DiagnosticArray",
  qos: { reliability: "reliable", durability: "volatile", depth: 10 },
  overridable: false,
  doc: "Health and figures, once a second.",
} as const satisfies Topic;

/** Name and type of an image topic for its base name (`left/image_rect`) and transport. */
export function transported(base: string, transport: string): { name: string; type: string } {
  return transport === "compressed"
    ? { name: `${base}/compressed`, type: "sensor_msgs/msg/CompressedImage" }
    : { name: base, type: "sensor_msgs/msg/Image" };
}

/** What a node subscribes to, in sensor QoS. */
export function input<N extends string, T extends string>(name: N, type: T, doc: string) {
  return { name, type, qos: sensor, overridable: true, doc } as const;
}

/** What a node publishes. */
export function output<N extends string, T extends string>(name: N, type: T, qos: Qos, doc: string) {
  return { name, type, qos, overridable: true, doc } as const;
}
