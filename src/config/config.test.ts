import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import { parse as parseYaml } from "yaml";
import { Fault } from "../core/fault.ts";
import { cliOptions } from "./cli-options.ts";
import { markdownTable } from "./markdown.ts";
import { editDistance, nearest } from "./nearest.ts";
import { defaultsOf, parseConfig } from "./parse.ts";
import { rosYaml } from "./ros-yaml.ts";
import type { Config, Schema } from "./schema.ts";
import { type StereoConfig, stereoSchema } from "./stereo-schema.ts";

const schema = {
  size: { kind: "double", unit: "m", min: 0.1, max: 2, fallback: 1, doc: "Edge." },
  "group.count": { kind: "integer", min: 1, max: 9, fallback: 3, doc: "How many." },
  "group.on": { kind: "boolean", fallback: false, live: true, doc: "Whether." },
  mode: { kind: "choice", choices: ["fast", "fine"], fallback: "fast", doc: "How | what." },
  label: { kind: "string", fallback: "a: b", doc: "Text." },
} as const satisfies Schema;

function faultOf(raw: unknown, source?: string): Fault {
  try {
    parseConfig(schema, raw, source);
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
    throw thrown;
  }
  throw new Error("no fault");
}

describe("parseConfig", () => {
  it("fills in the fallbacks and reads nested and dotted groups", () => {
    expect(parseConfig(schema, {})).toEqual({
      size: 1,
      "group.count": 3,
      "group.on": false,
      mode: "fast",
      label: "a: b",
    });
    expect(parseConfig(schema, { group: { count: 4, on: true } })).toMatchObject({
      "group.count": 4,
      "group.on": true,
    });
    expect(parseConfig(schema, { "group.count": 5, size: 0.1 })).toMatchObject({ "group.count": 5, size: 0.1 });
    expect(parseConfig(schema, undefined)).toEqual(defaultsOf(schema));
  });

  it("lists every problem in one fault, with what was seen and wanted", () => {
    const raw = { size: 5, group: { count: 2.5, on: "yes" }, mode: "slow", labl: "x" };
    const fault = faultOf(raw, "drive.yaml");
    expect(fault.code).toBe("CONFIG_INVALID");
    expect(fault.message.split("\n")).toEqual([
      "In drive.yaml, 5 values are wrong:",
      "  size is 5, wanted a number from 0.1 to 2 m",
      "  group.count is 2.5, wanted a whole number from 1 to 9",
      '  group.on is "yes", wanted true or false',
      '  mode is "slow", wanted one of fast, fine',
      "  labl is not a parameter; did you mean label?",
    ]);
    expect(fault.remedy).toContain("docs/parameters.md");
  });

  it.each([
    [{ size: Number.NaN }, "size is NaN"],
    [{ size: Number.POSITIVE_INFINITY }, "size is Infinity"],
    [{ size: "1" }, 'size is "1"'],
    [{ group: 3 }, "group is 3, wanted parameters by name"],
    [{ label: { deep: 1 } }, 'label is {"deep":1}'],
    [["a"], '(all) is ["a"]'],
    [{ unrelated: 1 }, "unrelated is not a parameter."],
    [{ __proto__x: 1, constructor: 2 }, "constructor is not a parameter"],
  ])("refuses %j", (raw, message) => {
    expect(faultOf(raw).message).toContain(message);
  });

  it("accepts exactly the numbers within the range", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -3, max: 5 }), (size) => {
        const inside = size >= 0.1 && size <= 2;
        if (inside) expect(parseConfig(schema, { size }).size).toBe(size);
        else expect(faultOf({ size }).code).toBe("CONFIG_INVALID");
      }),
    );
  });

  it("knows the types", () => {
    expectTypeOf<Config<typeof schema>["mode"]>().toEqualTypeOf<"fast" | "fine">();
    expectTypeOf<StereoConfig["voxel_size"]>().toEqualTypeOf<number>();
    expectTypeOf<StereoConfig["rectify"]>().toEqualTypeOf<"auto" | "on" | "off">();
    expectTypeOf<StereoConfig["approximate_sync"]>().toEqualTypeOf<boolean>();
  });
});

describe("what is generated", () => {
  it("the YAML reads back to the fallbacks", () => {
    for (const each of [schema, stereoSchema]) {
      const document = parseYaml(rosYaml(each, ["head"])) as { "/**": { ros__parameters: unknown } };
      expect(parseConfig(each, document["/**"].ros__parameters)).toEqual(defaultsOf(each));
    }
  });

  it("the YAML writes whole doubles with their point and each group once", () => {
    const text = rosYaml(schema, ["head"]);
    expect(text).toMatch(/^# head\n\/\*\*:\n {2}ros__parameters:\n/);
    expect(text).toContain("\n    size: 1.0\n");
    expect(text).toContain('\n    label: "a: b"\n');
    expect(text.match(/^ {4}group:$/gm)).toHaveLength(1);
    expect(text).toContain("\n      count: 3\n");
    expect(text).toContain("# a number from 0.1 to 2 m; read at the start");
    expect(text).toContain("# true or false; may change while running");
  });

  it("the table has a row a parameter and escapes bars", () => {
    const lines = markdownTable(schema).trimEnd().split("\n");
    expect(lines).toHaveLength(2 + Object.keys(schema).length);
    expect(lines.find((line) => line.includes("`mode`"))).toBe(
      '| `mode` | `"fast"` | one of fast, fine | no | How \\| what. |',
    );
  });

  it("the options parse numbers and leave nonsense for parseConfig", () => {
    const options = cliOptions(schema);
    expect(options.flatMap(({ flags }) => flags)).toEqual([
      "--size <m>",
      "--group-count <n>",
      "--group-on",
      "--no-group-on",
      "--mode <fast|fine>",
      "--label <text>",
    ]);
    const size = options[0]!;
    expect(size.parse("0.5")).toBe(0.5);
    expect(faultOf({ [size.path]: size.parse("big") }).message).toContain('size is "big"');
    expect(faultOf({ [size.path]: size.parse("") }).message).toContain('size is ""');
    expect(cliOptions(schema, ["mode"]).map(({ path }) => path)).toEqual(["mode"]);
  });

  it("every fallback of the stereo schema is within its own range", () => {
    const fallbacks = Object.fromEntries(Object.entries(stereoSchema).map(([path, { fallback }]) => [path, fallback]));
    expect(parseConfig(stereoSchema, fallbacks)).toEqual(fallbacks);
  });
});

describe("nearest", () => {
  it("finds the misspelt name and leaves strangers alone", () => {
    expect(nearest("voxel_sise", Object.keys(stereoSchema))).toBe("voxel_size");
    expect(nearest("foo", Object.keys(stereoSchema))).toBeUndefined();
  });

  it("is a distance", () => {
    const word = fc.string({ maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, b)).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
    expect(editDistance("kitten", "sitting")).toBe(3);
  });
});
