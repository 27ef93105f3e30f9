import { nearest } from "../config/nearest.ts";
import { parseConfig } from "../config/parse.ts";
import { type Config, type Parameter, type Schema, wanted } from "../config/schema.ts";
import { Fault, messageOf } from "../core/fault.ts";
import type { RclNode, Rclnodejs, RclParameter, SetResult } from "./rclnodejs.ts";

/**
 * Declares the parameters of a schema on a node, with their text, ranges and whether they may change, and keeps their
 * values: a request that is not as the schema says is refused with a reason that says what is wanted.
 */
export class NodeParameters<S extends Schema> {
  readonly #schema: S;
  readonly #node: RclNode;
  #config: Config<S>;

  /** Throws `Fault` CONFIG_INVALID where a parameter file or the command line holds a wrong value. */
  constructor(rcl: Rclnodejs, node: RclNode, schema: S, onChange: (config: Config<S>) => void) {
    this.#schema = schema;
    this.#node = node;
    // rclnodejs' own check comes before every callback and cannot say what is wrong.
    const theirs = node._validateParameters.bind(node);
    node._validateParameters = (parameters, isDeclaration) => {
      for (const parameter of parameters) {
        const reason = this.#refusal(parameter, isDeclaration);
        if (reason !== undefined) return { successful: false, reason };
      }
      return theirs(parameters, isDeclaration);
    };
    for (const [name, parameter] of Object.entries(schema)) declare(rcl, node, name, parameter);
    this.#config = this.#read();
    node.addOnSetParametersCallback((parameters) => {
      const result = this.#accept(parameters);
      if (result.successful) onChange(this.#config);
      return result;
    });
  }

  get config(): Config<S> {
    return this.#config;
  }

  #accept(parameters: readonly RclParameter[]): SetResult {
    const ours = parameters.filter(({ name }) => Object.hasOwn(this.#schema, name));
    const given = Object.fromEntries(ours.map(({ name, value }) => [name, plain(value)]));
    try {
      this.#config = parseConfig(this.#schema, { ...this.#config, ...given }, "the request");
      return { successful: true, reason: "" };
    } catch (thrown) {
      return { successful: false, reason: messageOf(thrown) };
    }
  }

  #refusal({ name, value }: RclParameter, isDeclaration: boolean): string | undefined {
    const parameter = this.#schema[name];
    if (parameter === undefined) {
      if (isDeclaration || this.#node.hasParameter(name)) return undefined;
      const near = nearest(name, Object.keys(this.#schema));
      return `${name} is not a parameter of this node${near === undefined ? "" : `; did you mean ${near}?`}`;
    }
    if (!isDeclaration && parameter.live !== true) {
      return `${name} is read at the start only: set it in the parameter file and start the node again`;
    }
    if (parameter.kind === "double" && typeof value === "bigint") {
      return `${name} is the integer ${value}, wanted a double: write ${value}.0`;
    }
    try {
      parseConfig({ [name]: parameter }, { [name]: plain(value) });
      return undefined;
    } catch {
      return `${name} is ${JSON.stringify(plain(value)) ?? "not set"}, wanted ${wanted(parameter)}`;
    }
  }

  #read(): Config<S> {
    const names = Object.keys(this.#schema);
    const values = Object.fromEntries(names.map((name) => [name, plain(this.#node.getParameter(name).value)]));
    return parseConfig(this.#schema, values, "the parameters of the node");
  }
}

function declare(rcl: Rclnodejs, node: RclNode, name: string, parameter: Parameter): void {
  const { PARAMETER_BOOL, PARAMETER_DOUBLE, PARAMETER_INTEGER, PARAMETER_STRING } = rcl.ParameterType;
  const text = `${parameter.doc} ${capital(wanted(parameter))}.`;
  const readOnly = parameter.live !== true;
  const make = (type: number, value: unknown, range?: object) => {
    try {
      const descriptor = new rcl.ParameterDescriptor(name, type, text, readOnly, range);
      descriptor.additionalConstraints = parameter.kind === "choice" ? wanted(parameter) : "";
      const plainMessage = descriptor.toMessage.bind(descriptor);
      // It leaves the range out of what DescribeParameters answers.
      descriptor.toMessage = () => ({ ...plainMessage(), ...rangeMessage(parameter) });
      node.declareParameter(new rcl.Parameter(name, type, value), descriptor);
    } catch (thrown) {
      throw new Fault(messageOf(thrown), {
        code: "CONFIG_INVALID",
        remedy: "Correct it in the parameter file or on the command line; docs/parameters.md lists the parameters.",
        cause: thrown,
      });
    }
  };
  switch (parameter.kind) {
    case "boolean":
      make(PARAMETER_BOOL, parameter.fallback);
      break;
    case "string":
    case "choice":
      make(PARAMETER_STRING, parameter.fallback);
      break;
    case "double":
      // Step 0: any number within the range.
      make(PARAMETER_DOUBLE, parameter.fallback, new rcl.FloatingPointRange(parameter.min, parameter.max, 0));
      break;
    case "integer": {
      const { min, max, fallback } = parameter;
      make(PARAMETER_INTEGER, BigInt(fallback), new rcl.IntegerRange(BigInt(min), BigInt(max), 1n));
    }
  }
}

function rangeMessage(parameter: Parameter): object {
  if (parameter.kind === "double") {
    return { floating_point_range: [{ from_value: parameter.min, to_value: parameter.max, step: 0 }] };
  }
  if (parameter.kind === "integer") {
    const { min, max } = parameter;
    return { integer_range: [{ from_value: BigInt(min), to_value: BigInt(max), step: 1n }] };
  }
  return {};
}

/** rclnodejs' integers are BigInt. */
function plain(value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
