import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeCdr } from "../../test/support/encode-cdr.ts";
import { imageEncodings } from "./image-encodings.ts";
import { lumaOf } from "./image-layout.ts";
import { decodeImage, type ImageMessage, makeImageScratch, parseImage, readImage } from "./read-image.ts";

const header = { stamp: { sec: 1_700_000_000, nanosec: 250_000_000 }, frame_id: "/left_optical" };

/** Rows given as bytes; each gets `padding` bytes of 0xee behind it. */
function message(encoding: string, width: number, rows: readonly number[][], padding = 3, bigEndian = 0): ImageMessage {
  const step = rows[0]!.length + padding;
  const data = new Uint8Array(step * rows.length).fill(0xee);
  for (const [y, row] of rows.entries()) data.set(row, y * step);
  const height = encoding === "nv12" ? (rows.length * 2) / 3 : rows.length;
  return { header, height, width, encoding, is_bigendian: bigEndian, step, data };
}

function grey(given: ImageMessage): number[] {
  return [...decodeImage(given, "grey").image.data];
}

function rgb(given: ImageMessage): number[] {
  return [...decodeImage(given, "rgb").image.data];
}

describe("values by hand, rows padded with junk", () => {
  it("mono8 and 8UC1", () => {
    for (const encoding of ["mono8", "8UC1"]) {
      const given = message(encoding, 2, [
        [1, 2],
        [3, 4],
      ]);
      expect(grey(given)).toEqual([1, 2, 3, 4]);
      expect(rgb(given)).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
    }
  });

  it("mono16 and 16UC1 keep the high byte, in both byte orders", () => {
    for (const encoding of ["mono16", "16UC1"]) {
      expect(grey(message(encoding, 2, [[0xff, 0x12, 0x00, 0x80]]))).toEqual([0x12, 0x80]);
      expect(grey(message(encoding, 2, [[0x12, 0xff, 0x80, 0x00]], 3, 1))).toEqual([0x12, 0x80]);
      expect(rgb(message(encoding, 1, [[0xff, 0x12]]))).toEqual([0x12, 0x12, 0x12]);
    }
  });

  it.each([
    ["rgb8", [10, 20, 30]],
    ["bgr8", [30, 20, 10]],
    ["8UC3", [30, 20, 10]],
    ["rgba8", [10, 20, 30, 99]],
    ["bgra8", [30, 20, 10, 99]],
  ])("%s", (encoding, pixel) => {
    const given = message(encoding, 2, [
      [...pixel, ...pixel],
      [...pixel, ...pixel],
    ]);
    expect(rgb(given)).toEqual([10, 20, 30, 10, 20, 30, 10, 20, 30, 10, 20, 30]);
    expect(grey(given)).toEqual(Array(4).fill((77 * 10 + 150 * 20 + 29 * 30 + 128) >> 8));
  });

  it.each([
    // One colour: the samples of red are 200, of green 100, of blue 50, wherever they lie.
    ["bayer_rggb8", [200, 100], [100, 50]],
    ["bayer_bggr8", [50, 100], [100, 200]],
    ["bayer_gbrg8", [100, 50], [200, 100]],
    ["bayer_grbg8", [100, 200], [50, 100]],
  ])("%s of one colour, borders included", (encoding, even, odd) => {
    const rows = [0, 1, 2, 3].map((y) => [0, 1, 2].flatMap(() => (y % 2 === 0 ? even : odd)));
    expect(rgb(message(encoding, 6, rows))).toEqual(Array(24).fill([200, 100, 50]).flat());
    expect(grey(message(encoding, 6, rows))).toEqual(Array(24).fill(lumaOf(200, 100, 50)));
  });

  it.each([
    ["yuv422", [128, 16, 128, 235]],
    ["uyvy", [128, 16, 128, 235]],
    ["yuv422_yuy2", [16, 128, 235, 128]],
    ["yuyv", [16, 128, 235, 128]],
  ])("%s: black and white of limited range", (encoding, bytes) => {
    expect(rgb(message(encoding, 2, [bytes]))).toEqual([0, 0, 0, 255, 255, 255]);
    expect(grey(message(encoding, 2, [bytes]))).toEqual([16, 235]);
  });

  it("nv12: colour of 2 x 2 blocks behind the luma", () => {
    // BT.601 red is Y 81, U 90, V 240.
    const given = message("nv12", 2, [
      [81, 81],
      [81, 16],
      [90, 240],
    ]);
    expect(
      rgb(given)
        .slice(0, 3)
        .map((v, c) => Math.abs(v - [255, 0, 0][c]!) <= 2),
    ).toEqual([true, true, true]);
    expect(grey(given)).toEqual([81, 81, 81, 16]);
    expect(decodeImage(given, "native").image).toMatchObject({ width: 2, height: 2, channels: 3 });
  });
});

describe("whose the pixels are", () => {
  it("lends mono8 and rgb8 without padding", () => {
    for (const [encoding, row, want] of [
      ["mono8", [1, 2], "grey"],
      ["rgb8", [1, 2, 3, 4, 5, 6], "rgb"],
    ] as const) {
      const cdr = encodeCdr("sensor_msgs/Image", message(encoding, 2, [[...row], [...row]], 0));
      const { image } = readImage(cdr, want);
      expect(image.data.buffer).toBe(cdr.buffer);
      expect([...image.data]).toEqual([...row, ...row]);
      expect(readImage(cdr).image.data.buffer).toBe(cdr.buffer);
    }
  });

  it("uses the scratch it is given, again and again", () => {
    const scratch = makeImageScratch();
    const first = decodeImage(message("mono8", 2, [[1, 2]]), "grey", scratch).image.data;
    const second = decodeImage(message("mono8", 2, [[3, 4]]), "grey", scratch).image.data;
    expect(second.buffer).toBe(first.buffer);
    expect([...first]).toEqual([3, 4]);
  });

  it("gives a new array otherwise", () => {
    const given = message("mono8", 2, [[1, 2]]);
    const { data } = decodeImage(given, "grey").image;
    given.data.fill(0xff);
    expect([...data]).toEqual([1, 2]);
  });
});

it("keeps stamp and frame, without tf2's leading slash", () => {
  const { stampNs, frameId } = readImage(encodeCdr("sensor_msgs/Image", message("mono8", 1, [[1]])));
  expect([stampNs, frameId]).toEqual([1_700_000_000_250_000_000n, "left_optical"]);
});

describe("what is wrong", () => {
  const good = message("rgb8", 2, [
    [1, 2, 3, 4, 5, 6],
    [1, 2, 3, 4, 5, 6],
  ]);

  it.each([
    [
      "data shorter than step x height",
      { data: good.data.subarray(1) },
      "IMAGE_SHAPE",
      /step 9 and 17 bytes.*at least 18 bytes/,
    ],
    ["a step below the row", { step: 5 }, "IMAGE_SHAPE", /step of at least 6/],
    ["no rows", { height: 0 }, "IMAGE_SHAPE", /at least one pixel/],
    ["an odd mosaic", { encoding: "bayer_rggb8", width: 3 }, "IMAGE_SHAPE", /multiple of 2 x 2/],
    ["nv12 without its colour", { encoding: "nv12", width: 8 }, "IMAGE_SHAPE", /at least 27 bytes/],
    ["an encoding that is not known", { encoding: "32FC1" }, "IMAGE_ENCODING", /"32FC1", wanted one of mono8, .*nv12/],
    ["an encoding named like a method", { encoding: "constructor" }, "IMAGE_ENCODING", /"constructor"/],
  ])("%s", (_name, change, code, pattern) => {
    const wanted = expect.objectContaining({ code, message: expect.stringMatching(pattern) });
    expect(() => decodeImage({ ...good, ...change }, "grey")).toThrow(wanted);
  });

  it("bytes that are no Image: cut anywhere, it says so or finds the image too small", () => {
    const cdr = encodeCdr("sensor_msgs/Image", good);
    for (let size = 0; size < cdr.length; size += 1) {
      // The rest of the buffer is other people's; a length that reaches into it must not be believed.
      const lent = new Uint8Array(cdr.length + 64).fill(0x31);
      lent.set(cdr.subarray(0, size));
      expect(() => readImage(lent.subarray(0, size)), `${size} bytes`).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/MESSAGE_CORRUPT|IMAGE_SHAPE/) }),
      );
    }
  });

  it("a length that runs past the message", () => {
    const lent = new Uint8Array(4096);
    const cdr = encodeCdr("sensor_msgs/Image", good);
    lent.set(cdr);
    new DataView(lent.buffer).setUint32(cdr.length - 18 - 4, 1000, true);
    expect(() => parseImage(lent.subarray(0, cdr.length))).toThrow(
      expect.objectContaining({ code: "MESSAGE_CORRUPT" }),
    );
  });
});

it("property: what any encoding makes of random bytes has the right size, and padding never shows", () => {
  const names = fc.constantFrom(...Object.keys(imageEncodings));
  fc.assert(
    fc.property(
      names,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(9),
      fc.infiniteStream(fc.nat(255)),
      (encoding, w, h, padding, bytes) => {
        const { pixelBytes, rowsPerRow } = imageEncodings[encoding]!;
        const [width, height] = [2 * w, 2 * h];
        const rows = Array.from({ length: height * rowsPerRow }, () =>
          Array.from({ length: width * pixelBytes }, () => bytes.next().value as number),
        );
        for (const want of ["grey", "rgb"] as const) {
          const packed = decodeImage(message(encoding, width, rows, 0), want).image;
          expect(packed.data.length).toBe(width * height * packed.channels);
          expect(decodeImage(message(encoding, width, rows, padding), want).image.data).toEqual(packed.data);
        }
      },
    ),
  );
});
