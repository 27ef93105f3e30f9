import { join } from "node:path";
import sharp from "sharp";
import { afterEach, describe, expect, it } from "vitest";
import { stereoOutputs } from "../../src/config/stereo-topics.ts";
import type { CameraInfo } from "../../src/core/calibration.ts";
import type { StampedImage } from "../../src/core/image.ts";
import type { Side } from "../../src/core/ports.ts";
import { makeRectifier, type Rectifier } from "../../src/stereo/rectify.ts";
import { tempFolder } from "../support/temp.ts";
import { NodeProcess, Peer, rosGraph } from "./graph.ts";
import { type RawDriveOptions, writeRawDrive } from "./raw-drive.ts";
import { replayedMap } from "./replayed-map.ts";

const graph = rosGraph();
const name = "/stereo_voxel_node";
const octomap = `${name}/octomap_binary`;
const frames = 3;
const lens = [-0.28, 0.07, 0.0002, 0.00002, 0];
const big = { width: 1600, height: 1050 };

describe.skipIf(graph === undefined)("images of other cameras", () => {
  const folder = tempFolder();
  let peer: Peer;
  let node: NodeProcess | undefined;

  /** The map after all frames of a drive that is played to a node; each of them must be answered. */
  const liveMap = async (path: string, parameters: object, base: string): Promise<Buffer> => {
    node = new NodeProcess(graph!, { max_input_age: "20.0", ...parameters });
    peer = new Peer(graph!);
    await peer.do("load", { path, left: `/left/${base}` });
    await peer.do("advertise");
    await peer.do("subscribe", { topic: octomap, type: stereoOutputs.octomapBinary.type, latched: true });
    const topics = [`/left/${base}`, `/right/${base}`, "/left/camera_info", "/right/camera_info", "/tf"];
    expect(await peer.do("matched", { topics, within: 60 }), node.said).toBe(true);
    const { answers } = await peer.do("play", { first: 0, count: frames, await_topic: octomap });
    expect(
      answers.filter((ms: number | null) => ms === null),
      node.said,
    ).toEqual([]);
    return Buffer.from((await peer.do("last", { topic: octomap })).data.hex, "hex");
  };

  const drive = async (file: string, options: RawDriveOptions = {}): Promise<string> => {
    const path = join(folder, file);
    await writeRawDrive(path, frames, options);
    return path;
  };

  afterEach(async () => {
    peer?.close();
    await node?.stop("SIGKILL");
  });

  it("rectifies image_raw by CameraInfo, as is done without it", async () => {
    const bent = (info: CameraInfo): CameraInfo => ({ ...info, d: lens });
    const raw = await drive("raw.mcap", { imageTopic: "image_raw", info: bent });
    const rectifiers: Partial<Record<Side, Rectifier>> = {};
    const rectified = await drive("rectified.mcap", {
      info: (info, side) => {
        rectifiers[side] ??= makeRectifier(bent(info));
        return info;
      },
      image: (stamped, side) => {
        const data = new Uint8Array(stamped.image.data.length);
        rectifiers[side]!.run(data, stamped.image);
        return { ...stamped, image: { ...stamped.image, data } };
      },
    });
    const live = await liveMap(raw, { image_topic: "image_raw" }, "image_raw");
    expect(live.length).toBeGreaterThan(1000);
    expect(live.equals(await replayedMap(rectified))).toBe(true);
    expect(live.equals(await replayedMap(await drive("as-it-is.mcap")))).toBe(false);
  });

  // Again where others took the machine for so long that a best-effort image was lost.
  it("answers 5 MB images", { retry: 2 }, async () => {
    const path = await drive("big.mcap", { image: enlarged, info: enlargedInfo });
    expect((await liveMap(path, {}, "image_rect")).length).toBeGreaterThan(100);
  });
});

/** 5.04 MB of colour. */
async function enlarged(stamped: StampedImage): Promise<StampedImage> {
  const { width, height, data } = stamped.image;
  const rgb = await sharp(data, { raw: { width, height, channels: 1 } })
    .resize(big.width, big.height, { fit: "fill" })
    .toColourspace("srgb")
    .raw()
    .toBuffer();
  return { ...stamped, image: { ...big, channels: 3, data: rgb } };
}

function enlargedInfo(info: CameraInfo): CameraInfo {
  const [sx, sy] = [big.width / info.width, big.height / info.height];
  const scaled = (matrix: ArrayLike<number>, columns: number) =>
    Array.from(matrix, (value, i) => value * ([sx, sy, 1][Math.floor(i / columns)] ?? 1));
  return { ...info, ...big, k: scaled(info.k, 3), p: scaled(info.p, 4) };
}
