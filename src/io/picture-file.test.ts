import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, describe, expect, it } from "vitest";
import { readPicture } from "./picture-file.ts";

const folder = mkdtempSync(join(tmpdir(), "voxelguard-picture-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const size = { width: 16, height: 8 };
const grey = Uint8Array.from({ length: 128 }, (_, i) => i * 2);
const colour = Uint8Array.from({ length: 384 }, (_, i) => (i % 3 === 0 ? 200 : i % 3 === 1 ? 100 : 50));

describe("readPicture", () => {
  it.each(["png", "tiff"] as const)("reads a grey %s as it is", async (format) => {
    const path = join(folder, `grey.${format}`);
    await sharp(grey, { raw: { ...size, channels: 1 } })
      .toColourspace("b-w")
      .toFormat(format, { compression: "lzw" })
      .toFile(path);
    const image = await readPicture(path);
    expect(image).toMatchObject({ ...size, channels: 1 });
    expect([...image.data]).toEqual([...grey]);
  });

  it.each(["jpeg", "png", "webp", "tiff"] as const)("reads a colour %s", async (format) => {
    const path = join(folder, `colour.${format}`);
    await sharp(colour, { raw: { ...size, channels: 3 } })
      .toFormat(format)
      .toFile(path);
    const image = await readPicture(path);
    expect(image).toMatchObject({ ...size, channels: 3 });
    for (let c = 0; c < 3; c += 1) expect(Math.abs(image.data[c]! - colour[c]!)).toBeLessThanOrEqual(8);
    expect(await readPicture(path, "grey")).toMatchObject({ channels: 1 });
  });

  it("keeps the upper byte of 16 bits", async () => {
    const path = join(folder, "deep.png");
    const deep = Uint16Array.from(grey, (value) => value * 256 + 77);
    await sharp(deep, { raw: { ...size, channels: 1 } })
      .toColourspace("grey16")
      .png()
      .toFile(path);
    expect([...(await readPicture(path)).data]).toEqual([...grey]);
  });

  it("refuses float samples: what is white in them is anyone's guess", async () => {
    const path = join(folder, "float.tiff");
    writeFileSync(path, floatTiff(16, 8));
    await expect(readPicture(path)).rejects.toMatchObject({
      code: "IMAGE_ENCODING",
      message: expect.stringContaining("type float, wanted 8 or 16 bits"),
    });
  });

  it("names a file that is missing, and one that is no picture", async () => {
    await expect(readPicture(join(folder, "nowhere.png"))).rejects.toMatchObject({ code: "IMAGE_MISSING" });
    writeFileSync(join(folder, "text.png"), "not a picture");
    await expect(readPicture(join(folder, "text.png"))).rejects.toMatchObject({
      code: "IMAGE_CORRUPT",
      message: expect.stringContaining("text.png"),
    });
  });

  it("refuses a picture that is cut off, whole", async () => {
    const noise = Uint8Array.from({ length: 64 * 64 }, (_, i) => (i * 7919) % 251);
    const image = sharp(noise, { raw: { width: 64, height: 64, channels: 1 } });
    for (const format of ["jpeg", "png", "webp", "tiff"] as const) {
      const bytes = await image.clone().toFormat(format).toBuffer();
      const path = join(folder, `cut.${format}`);
      writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length * 0.6)));
      await expect(readPicture(path), format).rejects.toMatchObject({ code: "IMAGE_CORRUPT" });
    }
  });
});

/** A grey TIFF (6.0) of 32-bit float zeros: header, one directory, one strip. */
function floatTiff(width: number, height: number): Buffer {
  const short = 3;
  const long = 4;
  const entries = [
    [256, short, width],
    [257, short, height],
    [258, short, 32],
    [259, short, 1],
    [262, short, 1],
    [273, long, 8 + 2 + 10 * 12 + 4],
    [277, short, 1],
    [278, short, height],
    [279, long, width * height * 4],
    [339, short, 3],
  ] as const;
  const bytes = Buffer.alloc(8 + 2 + entries.length * 12 + 4 + width * height * 4);
  bytes.write("II*");
  bytes.writeUInt32LE(8, 4);
  bytes.writeUInt16LE(entries.length, 8);
  for (const [i, [tag, type, value]] of entries.entries()) {
    const at = 10 + i * 12;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(type, at + 2);
    bytes.writeUInt32LE(1, at + 4);
    bytes.writeUInt32LE(value, at + 8);
  }
  return bytes;
}
