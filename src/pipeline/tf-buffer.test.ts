import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { StampedTransform } from "../core/ports.ts";
import { compose, fromQuaternion, isRigid, type Transform, toQuaternion } from "../core/transform.ts";
import { poseFrame, TfBuffer } from "./tf-buffer.ts";
import { interpolate } from "./tf-buffer-edge.ts";

const ms = 1_000_000n;

function at(x: number, y = 0, yawRad = 0): Transform {
  return fromQuaternion({ x: 0, y: 0, z: Math.sin(yawRad / 2), w: Math.cos(yawRad / 2) }, { x, y, z: 0 });
}

function dynamic(
  parent: string,
  child: string,
  stampMs: number,
  T_parent_child = at(stampMs / 1000),
): StampedTransform {
  return { stampNs: BigInt(stampMs) * ms, parent, child, T_parent_child, isStatic: false };
}

function fixed(parent: string, child: string, T_parent_child = at(0)): StampedTransform {
  return { stampNs: 0n, parent, child, T_parent_child, isStatic: true };
}

function bufferOf(...transforms: readonly StampedTransform[]): TfBuffer {
  const buffer = new TfBuffer();
  for (const transform of transforms) buffer.add(transform);
  return buffer;
}

const reasonOf = (buffer: TfBuffer, target: string, source: string, stampMs = 1000) => {
  const found = buffer.lookup(target, source, BigInt(stampMs) * ms);
  return found.kind === "missing" ? found.reason : "";
};

/** A robot that drives 1 m/s along x of odom, turning half a turn a second; a camera 0.3 m ahead. */
const robot = bufferOf(
  fixed("base_link", "camera_link", at(0.3)),
  dynamic("odom", "base_link", 1000, at(1, 0, 0)),
  dynamic("odom", "base_link", 1500, at(1.5, 0, Math.PI / 2)),
  dynamic("odom", "base_link", 2000, at(2, 0, Math.PI)),
);

describe("lookup", () => {
  test("composes static and dynamic links and interpolates between stamps", () => {
    const found = robot.lookup("odom", "camera_link", 1250n * ms);
    if (found.kind === "missing") throw new Error(found.reason);
    const half = Math.SQRT1_2;
    expect(found.ageNs).toBe(0n);
    const wanted = [half, -half, 0, 1.25 + 0.3 * half, half, half, 0, 0.3 * half, 0, 0, 1, 0];
    wanted.forEach((number, i) => {
      expect(found.T_target_source[i]).toBeCloseTo(number, 12);
    });
  });

  test("goes down the tree as well as up, and across", () => {
    const buffer = bufferOf(fixed("base", "left", at(1)), fixed("base", "right", at(0, 2)));
    const found = buffer.lookup("left", "right", 0n);
    if (found.kind === "missing") throw new Error(found.reason);
    expect([found.T_target_source[3], found.T_target_source[7]]).toEqual([-1, 2]);
  });

  test("there and back is the identity", () => {
    const [to, from] = [
      robot.lookup("odom", "camera_link", 1333n * ms),
      robot.lookup("camera_link", "odom", 1333n * ms),
    ];
    if (to.kind === "missing" || from.kind === "missing") throw new Error("missing");
    at(0).forEach((number, i) => {
      expect(compose(to.T_target_source, from.T_target_source)[i]).toBeCloseTo(number, 12);
    });
  });

  test("stands still within the tolerance and says how old it is", () => {
    const later = robot.lookup("odom", "base_link", 2080n * ms);
    expect(later).toMatchObject({ kind: "ok", ageNs: 80n * ms });
    expect(later.kind === "ok" && later.T_target_source[3]).toBe(2);
    expect(robot.lookup("odom", "base_link", 950n * ms)).toMatchObject({ kind: "ok", ageNs: -50n * ms });
  });

  test("a leading slash does not matter", () => {
    expect(robot.lookup("/odom", "/camera_link", 1500n * ms).kind).toBe("ok");
  });
});

describe("a missing transform is told in words", () => {
  test("unknown frame", () => {
    const buffer = bufferOf(dynamic("odom", "base_link", 1000));
    expect(reasonOf(buffer, "odom", "cam0")).toBe(
      "no transform connects odom with cam0: odom knows base_link; cam0 is unknown",
    );
  });

  test("two trees", () => {
    const buffer = bufferOf(dynamic("odom", "base_link", 1000), fixed("rig", "cam0"), fixed("rig", "cam1"));
    expect(reasonOf(buffer, "odom", "cam0")).toBe(
      "no transform connects odom with cam0: odom knows base_link; cam0 knows cam1, rig",
    );
  });

  test("nothing at all", () => {
    expect(reasonOf(new TfBuffer(), "odom", "cam0")).toBe(
      "no transform connects odom with cam0: none has been received",
    );
  });

  test("too late and too early: the nearest stamp and how far off", () => {
    expect(reasonOf(robot, "odom", "camera_link", 2450)).toBe(
      "odom -> base_link is known until 2.000 s, 450 ms before the asked 2.450 s; at most 100 ms is bridged",
    );
    expect(reasonOf(robot, "odom", "camera_link", 500)).toBe(
      "odom -> base_link is known from 1.000 s, 500 ms after the asked 0.500 s; at most 100 ms is bridged",
    );
  });
});

describe("add", () => {
  test.each([
    ["NaN in the position", at(Number.NaN), "odom", "base_link"],
    ["a rotation of length 0", fromQuaternion({ x: 0, y: 0, z: 0, w: 0 }, { x: 0, y: 0, z: 0 }), "odom", "base_link"],
    ["infinity", at(Number.POSITIVE_INFINITY), "odom", "base_link"],
    ["a frame linked to itself", at(0), "odom", "odom"],
    ["no name", at(0), "", "base_link"],
  ])("refuses %s and keeps what it has", (_, T, parent, child) => {
    const buffer = bufferOf(dynamic("odom", "base_link", 1000));
    const added = buffer.add(dynamic(parent, child, 1010, T));
    expect(added).toMatchObject({ kind: "rejected", reason: { code: "TF_INVALID" } });
    expect(buffer.lookup("odom", "base_link", 1010n * ms)).toMatchObject({ kind: "ok", ageNs: 10n * ms });
  });

  test("refuses a loop and says which", () => {
    const buffer = bufferOf(fixed("a", "b"), fixed("b", "c"));
    const added = buffer.add(fixed("c", "a"));
    expect(added.kind === "rejected" && added.reason.message).toContain("a -> b -> c -> a");
    expect(buffer.lookup("a", "c", 0n).kind).toBe("ok");
  });

  test("keeps a limited history, in order of stamps however they come", () => {
    const buffer = new TfBuffer({ historyNs: 1000n * ms });
    for (const stampMs of [1000, 1200, 1100, 1300, 2200]) buffer.add(dynamic("odom", "base_link", stampMs));
    const found = buffer.lookup("odom", "base_link", 1250n * ms);
    expect(found.kind === "ok" && found.T_target_source[3]).toBeCloseTo(1.25, 12);
    expect(buffer.lookup("odom", "base_link", 1050n * ms).kind).toBe("missing");
  });

  test("time that is set back clears what moves and keeps what is fixed", () => {
    const buffer = bufferOf(
      fixed("base_link", "cam"),
      dynamic("map", "odom", 9000),
      dynamic("odom", "base_link", 9000),
    );
    expect(buffer.goesBack(dynamic("odom", "base_link", 8900))).toBe(false);
    expect(buffer.goesBack(dynamic("odom", "base_link", 1000))).toBe(true);
    buffer.add(dynamic("odom", "base_link", 1000));
    expect(buffer.lookup("odom", "cam", 1000n * ms)).toMatchObject({ kind: "ok" });
    expect(reasonOf(buffer, "map", "cam")).toContain("map is unknown");
  });
});

describe("poseFrame", () => {
  const odometry = [fixed("base_link", "cam"), dynamic("odom", "base_link", 0)];
  test.each([
    ["map", [...odometry, dynamic("map", "odom", 0), fixed("earth", "map")]],
    ["odom", odometry],
    ["odom", [...odometry, dynamic("utm", "odom", 0)]],
    ["vicon", [fixed("body", "cam"), dynamic("vicon", "body", 0)]],
    ["world", [fixed("world", "cam")]],
    [undefined, [fixed("base_link", "cam")]],
    [undefined, [fixed("camera_link", "cam")]],
    [undefined, [dynamic("base_link", "cam", 0)]],
    [undefined, [dynamic("odom", "base_link", 0)]],
    [undefined, []],
  ])("%s", (wanted, transforms) => {
    expect(poseFrame(bufferOf(...transforms), "cam")).toBe(wanted);
  });
});

describe("interpolation", () => {
  // Whole hundredths: fast-check spreads doubles by exponent, so most would be next to 0.
  const part = fc.integer({ min: -100, max: 100 }).map((hundredths) => hundredths / 100);
  const pose = fc
    .record({ x: part, y: part, z: part, w: part })
    .filter((q) => Math.hypot(q.x, q.y, q.z, q.w) > 0.1)
    .chain((q) => fc.tuple(part, part, part).map(([x, y, z]) => fromQuaternion(q, { x, y, z })));

  test("stays rigid, meets both ends and turns at an even rate", () => {
    fc.assert(
      fc.property(
        pose,
        pose,
        fc.integer({ min: 0, max: 100 }).map((hundredths) => hundredths / 100),
        (a, b, share) => {
          const T = interpolate(a, b, share);
          expect(isRigid(T)).toBe(true);
          const whole = angleBetween(a, b);
          if (whole < 3.1) expect(angleBetween(a, T)).toBeCloseTo(whole * share, 5);
          for (let i = 0; i < 12; i += 1) {
            expect(interpolate(a, b, 0)[i]).toBeCloseTo(a[i]!, 9);
            expect(interpolate(a, b, 1)[i]).toBeCloseTo(b[i]!, 9);
          }
        },
      ),
    );
  });

  function angleBetween(a: Transform, b: Transform): number {
    const [p, q] = [toQuaternion(a), toQuaternion(b)];
    const d = [
      p.w * q.x - p.x * q.w - p.y * q.z + p.z * q.y,
      p.w * q.y - p.y * q.w - p.z * q.x + p.x * q.z,
      p.w * q.z - p.z * q.w - p.x * q.y + p.y * q.x,
    ];
    const w = p.x * q.x + p.y * q.y + p.z * q.z + p.w * q.w;
    return 2 * Math.atan2(Math.hypot(...d), Math.abs(w));
  }
});
