import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { referenceEvidence } from "../../test/reference/matcher.ts";
import { kernelOf } from "../../test/support/compile-kernel.ts";
import type { Fault } from "../core/fault.ts";
import { BASE, compileKernel, startKernel } from "./kernel-module.ts";
import { CONTROL_BYTES, giveUp, openRun, waitUntilDone } from "./kernel-schedule.ts";
import { KernelThreads } from "./kernel-threads.ts";
import { type Evidence, type Matcher, type MatcherKernel, makeMatcher, makeRoom, padded } from "./matcher.ts";

let wasm: Uint8Array;
let one: Matcher;

beforeAll(async () => {
  wasm = await kernelOf("matcher");
  one = makeMatcher(wasm);
});

describe("against the slow reference", () => {
  it.each([
    ["noise", 64, 32],
    ["wall", 96, 64],
    ["ramp", 96, 32],
    ["stairs", 224, 32],
    ["flat", 32, 32],
    ["extremes", 64, 64],
    ["board", 288, 32],
  ] as const)("gives the same 128 bytes for each cell: %s, %ix%i", (kind, w, h) => {
    const [left, right] = pair(kind, w, h);
    const { cells } = one(left, right, w, h);
    const wanted = referenceEvidence(left, right, w, h).cells;
    for (let cell = 0; cell < cells.length / 128; cell += 1) {
      const at = `cell ${cell % (w / 4)}, ${Math.floor(cell / (w / 4))}`;
      expect([at, ...cells.subarray(cell * 128, cell * 128 + 128)]).toEqual([
        at,
        ...wanted.subarray(cell * 128, cell * 128 + 128),
      ]);
    }
  });

  it("keeps parts of the evidence in planes", () => {
    const [left, right] = pair("wall", 96, 64);
    const { cells, match, prior, rows, columns } = one(left, right, 96, 64);
    const cell = (y: number, x: number, k: number) => cells[(y * columns + x) * 128 + k]!;
    for (let y = 0; y < rows; y += 1) {
      for (let x = 0; x < columns; x += 1) {
        for (let k = 0; k < 16; k += 1) expect(match[(k * rows + y) * columns + x]).toBe(cell(y, x, 112 + k));
        if (y % 2 === 1 || x % 2 === 1) continue;
        for (let k = 0; k < 48; k += 1) {
          const mean = (cell(y, x, k) + cell(y, x + 1, k) + cell(y + 1, x, k) + cell(y + 1, x + 1, k) + 2) >> 2;
          expect(prior[((k * rows) / 2 + y / 2) * (columns / 2) + x / 2]).toBe(mean);
        }
      }
    }
  });
});

it("finds the disparity of a wall everywhere that both eyes see", () => {
  const shift = 26;
  const [left, right] = shifted(224, 96, shift);
  const { cells, columns } = one(left, right, 224, 96);
  let seen = 0;
  for (let at = 0; at < cells.length; at += 128) {
    const x = 4 * ((at / 128) % columns);
    if (x < shift + 12 || x > 224 - 12) continue; // no right pixel, or the surroundings of one are not the wall
    seen += 1;
    expect(cells[at + 112]! + (cells[at + 113]! - 128) / 32).toBeCloseTo(shift, 0);
    expect(cells[at + 122]).toBe(0); // an even shift fits the half-resolution pixels: no bit differs
    expect(cells[at + 119]).toBe(0);
  }
  expect(seen).toBeGreaterThan(1000);
});

it("tells of what lies behind where only the left eye sees it, and beyond the right image's rim", () => {
  const [left, right] = pair("board", 288, 96);
  const { cells, columns } = one(left, right, 288, 96);
  const hidden = BOARD_PX - WALL_PX; // columns of the wall that the board hides, left of it
  let seen = 0;
  for (let at = 0; at < cells.length; at += 128) {
    const x = 4 * ((at / 128) % columns);
    const [covered, behind] = [cells[at + 126]!, cells[at + 127]!];
    if (x < WALL_PX) expect([x, behind, covered]).toEqual([x, WALL_PX, WALL_PX - x]);
    else if (x > BOARD_LEFT - hidden + 8 && x < BOARD_LEFT - 8) {
      expect([x, behind]).toEqual([x, WALL_PX]);
      expect(covered).toBeGreaterThan(2);
      expect(covered).toBeLessThanOrEqual(hidden);
      seen += 1;
    } else if (x < BOARD_LEFT - hidden - 8) expect([x, behind, covered]).toEqual([x, WALL_PX, 0]);
  }
  expect(seen).toBeGreaterThan(100);
});

it("pads images to multiples of 32", () => {
  expect([1, 32, 33, 896, 375].map(padded)).toEqual([32, 32, 64, 896, 384]);
  const [left, right] = pair("wall", 64, 64);
  const at = (x: number, y: number) => Math.min(y, 40) * 64 + Math.min(x, 49);
  const enlarged = (image: Uint8Array) => image.map((_, i) => image[at(i % 64, Math.floor(i / 64))]!);
  const cut = (image: Uint8Array) =>
    Uint8Array.from({ length: 50 * 41 }, (_, i) => image[at(i % 50, Math.floor(i / 50))]!);
  const small = copyOf(one(cut(left), cut(right), 50, 41));
  expectSame(small, one(enlarged(left), enlarged(right), 64, 64));
});

describe("on threads", () => {
  it("gives the same bytes whatever the order of items within a phase, and whoever runs them", () => {
    const [left, right] = pair("wall", 160, 192);
    const wanted = copyOf(one(left, right, 160, 192));
    const kernel = startKernel<MatcherKernel>(compileKernel(wasm, false));
    makeRoom(kernel, 160, 192);
    const memory = new Uint8Array(kernel.memory.buffer);
    memory.set(left, kernel.leftAt(BASE));
    memory.set(right, kernel.rightAt(BASE, 160, 192));
    for (let phase = 0; kernel.items(192, phase) > 0; phase += 1) {
      const count = kernel.items(192, phase);
      for (let i = 0; i < count; i += 1) {
        // 5 has no factor in common with the 12 or 2 items of a phase: every item runs once
        kernel.runItem(BASE, 160, 192, phase, (5 * i + 3) % count, i % kernel.PARTS.value);
      }
    }
    const at = kernel.evidenceAt(BASE, 160, 192);
    expect(Buffer.compare(memory.subarray(at, at + wanted.cells.length), wanted.cells)).toBe(0);
  });

  it.each([2, 3, 9])("gives the same bytes with %i threads, from size to size", async (threads) => {
    const many = makeMatcher(wasm, threads);
    try {
      for (let round = 0; round < 6; round += 1) {
        for (const [kind, w, h] of [
          ["noise", 32, 32],
          ["wall", 353, 201],
          ["ramp", 64, 256],
          ["extremes", 33, 31],
          ["stairs", 320, 192],
          ["noise", 896, 416],
        ] as const) {
          const [left, right] = pair(kind, w, h);
          expectSame(many(left, right, w, h), one(left, right, w, h));
        }
        await sleep(100); // helpers come up meanwhile, and fall asleep
      }
    } finally {
      await many.close();
    }
  });

  it("stays the same over many short runs, in which helpers are late and phases are over in no time", async () => {
    const two = await helpingThreads();
    const before = two.itemsOfHelpers;
    const pairs = (
      [
        [32, 32],
        [64, 96],
        [32, 64],
      ] as const
    ).map(([w, h]) => {
      const [left, right] = pair("wall", w, h);
      return { w, h, left, right, wanted: Buffer.from(one(left, right, w, h).cells) };
    });
    for (let run = 0; run < 3000; run += 1) {
      const { w, h, left, right, wanted } = pairs[run % 3]!;
      runThreads(two, left, right, w, h);
      const at = two.kernel.evidenceAt(BASE, w, h);
      const cells = Buffer.from(two.kernel.memory.buffer, at, wanted.length);
      if (cells.compare(wanted) !== 0) expect.fail(`run ${run}, ${w}x${h}: other bytes than on one thread`);
    }
    expect(two.itemsOfHelpers).toBeGreaterThan(before);
    await two.close();
  });

  it("reports a helper that died, and starts afresh", async () => {
    const [left, right] = pair("wall", 64, 32);
    const two = await helpingThreads();
    await two.helpers[0]!.terminate();
    expect(() => runThreads(two, left, right, 64, 32)).toThrow(fault("WORKER_DIED", /exit code 1/));
    await helping(two);
    runThreads(two, left, right, 64, 32);
    const at = two.kernel.evidenceAt(BASE, 64, 32);
    const cells = new Uint8Array(two.kernel.memory.buffer, at, 16 * 8 * 128);
    expect(Buffer.compare(cells, one(left, right, 64, 32).cells)).toBe(0);
    await two.close();
  });

  it("does not wait for ever: neither for an item that nobody ends nor for a helper that gave up", () => {
    const control = new Int32Array(new SharedArrayBuffer(CONTROL_BYTES));
    openRun(control, 32, 32);
    expect(waitUntilDone(control, 0, 50)).toBe(true);
    expect(waitUntilDone(control, 1, 50)).toBe(false);
    giveUp(control);
    expect(waitUntilDone(control, 1, 1e9)).toBe(false);
  });

  it("does not run any more once it is closed", async () => {
    const two = makeMatcher(wasm, 2);
    await two.close();
    const [left, right] = pair("flat", 32, 32);
    expect(() => two(left, right, 32, 32)).toThrow(fault("WORKER_DIED", /closed/));
  });
});

describe("refuses", () => {
  it.each([1, 2])("bytes that are no module, with %i threads", (threads) => {
    expect(() => makeMatcher(wasm.subarray(0, 1000), threads)).toThrow(fault("MODEL_CORRUPT", /WebAssembly/));
    expect(() => makeMatcher(new Uint8Array(0), threads)).toThrow(fault("MODEL_CORRUPT", /WebAssembly/));
  });

  it("to run a kernel on threads that knows none", () => {
    const empty = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 5, 3, 1, 0, 1];
    expect(() => makeMatcher(Uint8Array.from(empty), 2)).toThrow(fault("MODEL_MISMATCH", /one thread/));
  });

  it("images that no memory holds", () => {
    const none = new Uint8Array(0);
    expect(() => one(none, none, 8192, 8192)).toThrow(fault("IMAGE_SHAPE", /8192x8192/));
    expect(() => one(none, none, 32, 20_000)).toThrow(fault("IMAGE_SHAPE", /32x20000/));
  });
});

it("is the kernel that the shipped model holds, to the byte of its evidence", () => {
  const shipped = readFileSync(new URL("../../models/octree-stereo/matcher.wasm", import.meta.url));
  for (const [kind, w, h] of [
    ["noise", 352, 96],
    ["wall", 896, 416],
    ["ramp", 320, 200],
  ] as const) {
    const [left, right] = pair(kind, w, h);
    // Started anew each time: before its first release, the kernel let the last size show in the next.
    expectSame(makeMatcher(shipped)(left, right, w, h), one(left, right, w, h));
  }
});

type Kind = "noise" | "wall" | "board" | "ramp" | "stairs" | "flat" | "extremes";

/** Disparities of a wall of noise and of a board of noise before it, and the board's columns in the left image. */
const [WALL_PX, BOARD_PX, BOARD_LEFT, BOARD_RIGHT] = [14, 54, 132, 220];

/** Two grey images, the same ones each time. */
function pair(kind: Kind, w: number, h: number): [left: Uint8Array, right: Uint8Array] {
  if (kind === "wall") return shifted(w, h, WALL_PX);
  if (kind === "board") return board(w, h);
  const random = randomBytes(w + h);
  const make: Record<Exclude<Kind, "wall" | "board">, (x: number, y: number, eye: number) => number> = {
    noise: random,
    ramp: (x, y, eye) => 20 + 2 * (x + eye * 9) + 3 * y + (random() & 7),
    stairs: (x, y, eye) => ((x + 11 * eye) >> 4) * 37 + (y >> 3) * 11,
    flat: () => 77,
    extremes: () => (random() & 1) * 255,
  };
  const image = (eye: number) =>
    Uint8Array.from({ length: w * h }, (_, at) => make[kind as "noise"](at % w, Math.floor(at / w), eye));
  return [image(0), image(1)];
}

/** A wall of noise, `shift` pixels of disparity. */
function shifted(w: number, h: number, shift: number): [left: Uint8Array, right: Uint8Array] {
  const left = Uint8Array.from({ length: w * h }, randomBytes(1));
  const right = left.map((_, at) => left[at - (at % w) + Math.min(w - 1, (at % w) + shift)]!);
  return [left, right];
}

/** The wall, and the board before it. */
function board(w: number, h: number): [left: Uint8Array, right: Uint8Array] {
  const [wall, wallRight] = shifted(w, h, WALL_PX);
  const front = Uint8Array.from({ length: w * h }, randomBytes(2));
  const isBoard = (x: number) => x >= BOARD_LEFT && x < BOARD_RIGHT;
  const left = wall.map((grey, at) => (isBoard(at % w) ? front[at]! : grey));
  const right = wallRight.map((grey, at) => (isBoard((at % w) + BOARD_PX) ? front[at + BOARD_PX]! : grey));
  return [left, right];
}

function randomBytes(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  };
}

function copyOf({ rows, columns, cells, match, prior }: Evidence): Evidence {
  return { rows, columns, cells: cells.slice(), match: match.slice(), prior: prior.slice() };
}

function expectSame(seen: Evidence, wanted: Evidence): void {
  expect([seen.rows, seen.columns]).toEqual([wanted.rows, wanted.columns]);
  for (const part of ["cells", "match", "prior"] as const) {
    expect(seen[part].length).toBe(wanted[part].length);
    expect(`${part} ${Buffer.compare(seen[part], wanted[part])}`).toBe(`${part} 0`);
  }
}

/** Two threads of which the second is up. */
async function helpingThreads(): Promise<KernelThreads<MatcherKernel>> {
  const two = new KernelThreads<MatcherKernel>("matching kernel", wasm, 2);
  await helping(two);
  return two;
}

async function helping(threads: KernelThreads<MatcherKernel>): Promise<void> {
  const [left, right] = pair("noise", 64, 256);
  while (threads.itemsOfHelpers === 0) {
    runThreads(threads, left, right, 64, 256);
    await sleep(5);
  }
}

function runThreads(
  threads: KernelThreads<MatcherKernel>,
  left: Uint8Array,
  right: Uint8Array,
  w: number,
  h: number,
): void {
  makeRoom(threads.kernel, w, h);
  const memory = new Uint8Array(threads.kernel.memory.buffer);
  memory.set(left, threads.kernel.leftAt(BASE));
  memory.set(right, threads.kernel.rightAt(BASE, w, h));
  threads.run(w, h);
}

function fault(code: Fault["code"], message: RegExp) {
  return expect.objectContaining({ code, message: expect.stringMatching(message) });
}
