import { Fault, messageOf } from "../core/fault.ts";
import type { RclLifecycleNode, Rclnodejs, RclResponse, RclState } from "./rclnodejs.ts";

/** What a node does in its transitions. A step that rejects refuses configure and activate; the others go on. */
export interface LifecycleSteps {
  configure(): Promise<void>;
  activate(): Promise<void>;
  deactivate(): Promise<void>;
  cleanup(): Promise<void>;
}

/** A lifecycle node whose transitions may wait. */
export interface LifecycleHandle {
  readonly node: RclLifecycleNode;
  /** By label (`configure`, `activate`, ...); whether it was made. Never rejects. */
  change(label: string): Promise<boolean>;
}

/**
 * rclnodejs calls transition callbacks synchronously and ends the process when a transition is not possible. Here a
 * request waits in line, its work is done first (loading a model takes seconds, and the node keeps answering), and then
 * the state machine is moved by what came of it.
 */
export function makeLifecycleNode(rcl: Rclnodejs, name: string, steps: LifecycleSteps): LifecycleHandle {
  const { SUCCESS, FAILURE } = rcl.lifecycle.CallbackReturnCode;
  let line: Promise<unknown> = Promise.resolve();
  let outcome = SUCCESS;

  class WaitingNode extends rcl.lifecycle.LifecycleNode {
    override _onChangeState({ transition }: { transition: RclState }, response: RclResponse): void {
      const asked = transition.label === "" ? transition.id : transition.label;
      void enqueue(asked).then((success) => {
        if (!rcl.isShutdown()) response.send({ ...response.template, success });
      });
    }
  }
  const node = new WaitingNode(name);
  const settled = () => outcome;
  node.registerOnConfigure(settled);
  node.registerOnActivate(settled);
  node.registerOnDeactivate(settled);
  node.registerOnCleanup(settled);
  node.registerOnShutdown(settled);
  node.registerOnError(() => SUCCESS);

  function enqueue(asked: number | string): Promise<boolean> {
    const result = line.then(() => change(asked)).catch((thrown) => refuse(`${asked} failed: ${messageOf(thrown)}`));
    line = result;
    return result;
  }

  async function change(asked: number | string): Promise<boolean> {
    const found = node.availableTransitions.find(({ transition: { id, label } }) => id === asked || label === asked);
    if (found === undefined) return refuse(`no transition ${asked} from the state ${node.currentState.label}`);
    const { id, label } = found.transition;
    try {
      await work(label, node.currentState.label);
      outcome = SUCCESS;
    } catch (thrown) {
      const isUp = label === "configure" || label === "activate";
      const remedy = thrown instanceof Fault ? ` ${thrown.remedy}` : "";
      node.getLogger().error(`${label}: ${messageOf(thrown)}${remedy}`);
      outcome = isUp ? FAILURE : SUCCESS;
    }
    const value = new rcl.lifecycle.CallbackReturnValue();
    node._changeState(id, value);
    return value.isSuccess();
  }

  async function work(label: string, from: string): Promise<void> {
    if (label === "configure") await steps.configure();
    if (label === "activate") await steps.activate();
    if (label === "deactivate" || (label === "shutdown" && from === "active")) await steps.deactivate();
    if (label === "cleanup" || (label === "shutdown" && from !== "unconfigured")) await steps.cleanup();
  }

  function refuse(why: string): false {
    node.getLogger().warn(`change_state refused: ${why}`);
    return false;
  }

  return { node, change: enqueue };
}
