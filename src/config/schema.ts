/**
 * The kinds of parameter. A schema is written once; the ROS parameter file, the command-line options, the table of the
 * docs and the checks all come from it.
 */
interface Described {
  /** One sentence or two, for every place where the parameter is shown. */
  readonly doc: string;
  /** True: may be changed while the node runs. Otherwise read once at the start. */
  readonly live?: boolean;
}

export interface DoubleParameter extends Described {
  readonly kind: "double";
  /** SI symbol, such as `m` or `s`; absent for a plain number. */
  readonly unit?: string;
  /** Inclusive. */
  readonly min: number;
  /** Inclusive. */
  readonly max: number;
  readonly fallback: number;
}

export interface IntegerParameter extends Described {
  readonly kind: "integer";
  readonly unit?: string;
  /** Inclusive. */
  readonly min: number;
  /** Inclusive. */
  readonly max: number;
  readonly fallback: number;
}

export interface BooleanParameter extends Described {
  readonly kind: "boolean";
  readonly fallback: boolean;
}

export interface StringParameter extends Described {
  readonly kind: "string";
  readonly fallback: string;
}

export interface ChoiceParameter extends Described {
  readonly kind: "choice";
  readonly choices: readonly string[];
  readonly fallback: string;
}

export type Parameter = DoubleParameter | IntegerParameter | BooleanParameter | StringParameter | ChoiceParameter;

/** Parameters by their ROS names: snake_case, dots between groups. */
export type Schema = Readonly<Record<string, Parameter>>;

type ValueOf<P> = P extends { readonly kind: "double" | "integer" }
  ? number
  : P extends { readonly kind: "boolean" }
    ? boolean
    : P extends { readonly kind: "choice"; readonly choices: readonly (infer C)[] }
      ? C
      : string;

/** The checked values of a schema, under the names of the schema. */
export type Config<S extends Schema> = { readonly [K in keyof S]: ValueOf<S[K]> };

/** What the parameter accepts, in words: "a number from 0.02 to 2 m". */
export function wanted(parameter: Parameter): string {
  switch (parameter.kind) {
    case "double":
    case "integer": {
      const what = parameter.kind === "double" ? "a number" : "a whole number";
      return `${what} from ${parameter.min} to ${parameter.max}${parameter.unit === undefined ? "" : ` ${parameter.unit}`}`;
    }
    case "boolean":
      return "true or false";
    case "string":
      return "a text";
    case "choice":
      return `one of ${parameter.choices.join(", ")}`;
  }
}
