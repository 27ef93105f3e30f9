import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { decodeCompressed } from "./decode-compressed.ts";

const [width, height] = [40, 30];
const message = { stampNs: 5n, frameId: "left", format: "png" };
const ramp = (channels: number): Uint8Array =>
  Uint8Array.from({ length: width * height * channels }, (_, at) => (at * 7) % 256);

async function png(data: Uint8Array | Uint16Array, channels: 1 | 2 | 3 | 4, space: string): Promise<Uint8Array> {
  return sharp(data, { raw: { width, height, channels } }).toColourspace(space).png().toBuffer();
}

describe("PNG comes back as it was", () => {
  it("grey", async () => {
    const { image, stampNs, frameId } = await decodeCompressed(
      { ...message, data: await png(ramp(1), 1, "b-w") },
      "native",
    );
    expect([image.width, image.height, image.channels, stampNs, frameId]).toEqual([width, height, 1, 5n, "left"]);
    expect(Buffer.compare(image.data, ramp(1))).toBe(0);
  });

  it("colour, and its luma", async () => {
    const data = await png(ramp(3), 3, "srgb");
    const { image } = await decodeCompressed({ ...message, data }, "rgb");
    expect(Buffer.compare(image.data, ramp(3))).toBe(0);
    const grey = (await decodeCompressed({ ...message, data }, "grey")).image;
    const [r, g, b] = ramp(3);
    expect([grey.channels, grey.data.length, grey.data[0]]).toEqual([
      1,
      width * height,
      (77 * r! + 150 * g! + 29 * b! + 128) >> 8,
    ]);
  });

  it("grey asked for as RGB", async () => {
    const { image } = await decodeCompressed({ ...message, data: await png(ramp(1), 1, "b-w") }, "rgb");
    expect([image.channels, ...image.data.subarray(3, 6)]).toEqual([3, 7, 7, 7]);
  });

  it("16 bits by >> 8, not rounded", async () => {
    const deep = Uint16Array.from({ length: width * height }, (_, at) => (at * 257 + 255) & 0xffff);
    const { image } = await decodeCompressed({ ...message, data: await png(deep, 1, "grey16") }, "native");
    expect(image.channels).toBe(1);
    expect(
      Buffer.compare(
        image.data,
        Uint8Array.from(deep, (value) => value >> 8),
      ),
    ).toBe(0);
  });

  it("16 bits in colour", async () => {
    const deep = Uint16Array.from({ length: 3 * width * height }, (_, at) => (at * 769 + 255) & 0xffff);
    const { image } = await decodeCompressed({ ...message, data: await png(deep, 3, "rgb16") }, "native");
    expect(image.channels).toBe(3);
    expect(
      Buffer.compare(
        image.data,
        Uint8Array.from(deep, (value) => value >> 8),
      ),
    ).toBe(0);
  });

  it("without its alpha", async () => {
    const rgba = Uint8Array.from({ length: 4 * width * height }, (_, at) => (at % 4 === 3 ? 255 : at % 251));
    const { image } = await decodeCompressed({ ...message, data: await png(rgba, 4, "srgb") }, "native");
    expect(image.channels).toBe(3);
    expect(
      Buffer.compare(
        image.data,
        rgba.filter((_, at) => at % 4 !== 3),
      ),
    ).toBe(0);
  });

  it("as a mosaic where the format says so", async () => {
    const mosaic = Uint8Array.from({ length: width * height }, (_, at) => {
      const [x, y] = [at % width, Math.floor(at / width)];
      return y % 2 === 0 ? (x % 2 === 0 ? 200 : 100) : x % 2 === 0 ? 100 : 50;
    });
    const data = await png(mosaic, 1, "b-w");
    const { image } = await decodeCompressed({ ...message, format: "bayer_rggb8; png compressed ", data }, "rgb");
    expect([...image.data.subarray(0, 3)]).toEqual([200, 100, 50]);
  });
});

describe("what is refused", () => {
  it.each([
    ["nothing", Buffer.alloc(0)],
    ["text", Buffer.from("no picture")],
    ["half a PNG", undefined],
  ])("%s", async (_name, data) => {
    const whole = await png(ramp(1), 1, "b-w");
    const bad = data ?? whole.subarray(0, Math.floor(whole.length * 0.6));
    await expect(decodeCompressed({ ...message, data: bad }, "grey")).rejects.toMatchObject({
      code: "IMAGE_CORRUPT",
      message: expect.stringMatching(/"png", \d+ bytes/),
    });
  });

  it("a JPEG cut anywhere", async () => {
    const jpeg = await sharp(ramp(3), { raw: { width, height, channels: 3 } })
      .jpeg()
      .toBuffer();
    for (let size = 0; size < jpeg.length - 8; size += 23) {
      const given = { ...message, format: "jpeg", data: jpeg.subarray(0, size) };
      await expect(decodeCompressed(given, "grey"), `${size} bytes`).rejects.toMatchObject({ code: "IMAGE_CORRUPT" });
    }
  });

  it("depth", async () => {
    const given = { ...message, format: "16UC1; compressedDepth png", data: Buffer.alloc(9) };
    await expect(decodeCompressed(given, "grey")).rejects.toMatchObject({ code: "IMAGE_ENCODING" });
  });
});
