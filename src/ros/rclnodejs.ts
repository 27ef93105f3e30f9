/**
 * The part of rclnodejs that this folder uses. Its own type files are only complete after its install has generated
 * them from the messages of a ROS, so that the project could not be compiled without one.
 */
export interface Rclnodejs {
  init(): Promise<void>;
  shutdown(): void;
  isShutdown(): boolean;
  removeSignalHandlers(): void;
  readonly QoS: new (history: number, depth: number, reliability: number, durability: number) => RclQos;
  readonly QoSOverridingOptions: new (policies: Iterable<number>) => object;
  readonly QoSPolicyKind: Readonly<Record<"HISTORY" | "DEPTH" | "RELIABILITY" | "DURABILITY", number>>;
  readonly Parameter: new (name: string, type: number, value: unknown) => RclParameter;
  readonly ParameterType: Readonly<
    Record<"PARAMETER_BOOL" | "PARAMETER_INTEGER" | "PARAMETER_DOUBLE" | "PARAMETER_STRING", number>
  >;
  readonly ParameterDescriptor: new (
    name: string,
    type: number,
    doc: string,
    readOnly: boolean,
    range?: object,
  ) => RclDescriptor;
  readonly FloatingPointRange: new (from: number, to: number, step: number) => object;
  readonly IntegerRange: new (from: bigint, to: bigint, step: bigint) => object;
  readonly lifecycle: {
    readonly LifecycleNode: new (name: string) => RclLifecycleNode;
    readonly CallbackReturnCode: { readonly SUCCESS: number; readonly FAILURE: number; readonly ERROR: number };
    readonly CallbackReturnValue: new () => { isSuccess(): boolean };
  };
}

export type RclQos = object;

export interface RclParameter {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

export interface RclDescriptor {
  additionalConstraints: string;
  toMessage(): Record<string, unknown>;
}

export interface RclPublisher {
  /** Fully resolved name. */
  readonly topic: string;
  readonly subscriptionCount: number;
  publish(message: object): void;
}

export interface RclSubscription {
  readonly topic: string;
}

/** One publisher or subscriber of a topic, as the graph knows it. */
export interface RclEndpoint {
  readonly node_name: string;
  readonly node_namespace: string;
  readonly topic_type: string;
  readonly qos_profile: { readonly reliability: number; readonly durability: number };
}

export interface SetResult {
  readonly successful: boolean;
  readonly reason: string;
}

export interface RclNode {
  name(): string;
  getFullyQualifiedName(): string;
  resolveTopicName(name: string): string;
  now(): { readonly nanoseconds: bigint };
  getLogger(): Readonly<Record<"debug" | "info" | "warn" | "error", (text: string) => void>>;
  createPublisher(type: string, topic: string, options: object): RclPublisher;
  createSubscription(type: string, topic: string, options: object, callback: (message: never) => void): RclSubscription;
  createService(type: string, name: string, callback: (request: never, response: RclResponse) => void): object;
  destroyPublisher(publisher: RclPublisher): void;
  destroySubscription(subscription: RclSubscription): void;
  declareParameter(parameter: RclParameter, descriptor: RclDescriptor): RclParameter;
  hasParameter(name: string): boolean;
  getParameter(name: string): RclParameter;
  addOnSetParametersCallback(callback: (parameters: readonly RclParameter[]) => SetResult): void;
  _validateParameters(parameters: readonly RclParameter[], isDeclaration: boolean): SetResult;
  getPublishersInfoByTopic(topic: string): readonly RclEndpoint[];
  getSubscriptionsInfoByTopic(topic: string): readonly RclEndpoint[];
  spin(): void;
  destroy(): void;
}

export interface RclResponse {
  readonly template: Record<string, unknown>;
  send(response: object): void;
}

export interface RclState {
  readonly id: number;
  readonly label: string;
}

export interface RclLifecycleNode extends RclNode {
  readonly currentState: RclState;
  readonly availableTransitions: readonly { readonly transition: RclState }[];
  registerOnConfigure(callback: () => number): void;
  registerOnActivate(callback: () => number): void;
  registerOnDeactivate(callback: () => number): void;
  registerOnCleanup(callback: () => number): void;
  registerOnShutdown(callback: () => number): void;
  registerOnError(callback: () => number): void;
  _changeState(transition: number | string, outcome: object): RclState;
  _onChangeState(request: { transition: RclState }, response: RclResponse): unknown;
}
