/** Where the ROS graph of the tests lives, and the variables that a process in it needs. */
export interface RosEnvironment {
  /** `sourced`: the ROS that this shell has; `built`: the one of tools/ros. */
  readonly kind: "sourced" | "built";
  /** To be put into the child's environment. */
  readonly variables: Readonly<Record<string, string>>;
  readonly python: string;
}

export function rosFolder(): string;

/** A string says why there is none. */
export function rosEnvironment(): RosEnvironment | string;
