import { createHash } from "node:crypto";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { StereoInput } from "../../src/core/ports.ts";
import { openBag } from "../../src/io/bag.ts";
import { stereoSource } from "../../src/io/stereo-bag.ts";
import { findStereoTopics } from "../../src/io/stereo-topics.ts";
import { pythonWith } from "../support/python.ts";
import { runPython } from "../support/run-python.ts";
import { sharedData } from "../support/shared-data.ts";

const bags = sharedData("open", "bags");
const python = pythonWith("rosbags", "cv2", "numpy");

/** The four bags as another implementation reads them: counts, and a digest of each first picture. */
const script = `
import sys, json, hashlib, numpy as np, cv2
from pathlib import Path
from rosbags.highlevel import AnyReader
out = {}
for name in sys.argv[2:]:
    with AnyReader([Path(sys.argv[1]) / name]) as reader:
        pictures, infos, logs = {}, {}, hashlib.sha256()
        for connection, time, raw in reader.messages():
            logs.update(f"{connection.topic} {time} ".encode()); logs.update(raw)
            message = reader.deserialize(raw, connection.msgtype)
            kind = connection.msgtype.split("/")[-1]
            if kind == "CameraInfo" and connection.topic not in infos:
                infos[connection.topic] = [float(v) for v in message.p]
            if kind not in ("Image", "CompressedImage") or connection.topic in pictures: continue
            if kind == "Image":
                picture = message.data.reshape(message.height, message.step)[:, : message.width]
            else:
                picture = cv2.imdecode(message.data, cv2.IMREAD_GRAYSCALE)
            stamp = message.header.stamp
            pictures[connection.topic] = {"shape": list(picture.shape), "frame": message.header.frame_id,
                "stamp": str(stamp.sec * 10**9 + stamp.nanosec), "bytes": np.ascontiguousarray(picture).tobytes().hex()}
        out[name] = {"counts": {c.topic: c.msgcount for c in reader.connections}, "pictures": pictures,
            "infos": infos, "digest": logs.hexdigest()}
print(json.dumps(out))
`;

interface Picture {
  readonly shape: readonly [number, number];
  readonly frame: string;
  readonly stamp: string;
  readonly bytes: string;
}

type Reference = Record<
  string,
  {
    readonly counts: Record<string, number>;
    readonly pictures: Record<string, Picture>;
    readonly infos: Record<string, number[]>;
    readonly digest: string;
  }
>;

const names = ["kitti_raw_mcap", "kitti_jpeg_mcap", "kitti_jpeg_sqlite3", "euroc_raw_sqlite3"] as const;

describe.skipIf(bags === undefined || python === undefined)(
  "bags of another implementation, against PyPI rosbags",
  () => {
    let reference: Reference | undefined;
    const referenceOf = (name: string): Reference[string] => {
      reference ??= JSON.parse(runPython(python as string, script, bags as string, ...names)) as Reference;
      return reference[name]!;
    };

    it.each(names)("%s: every message of every topic, byte for byte", async (name) => {
      const bag = await openBag(join(bags as string, name));
      const counts = Object.fromEntries(bag.topics.map((topic) => [topic.name, topic.count]));
      expect(counts).toEqual(referenceOf(name).counts);
      const digest = createHash("sha256");
      for await (const { topic, logTimeNs, data } of bag.messages()) {
        digest.update(`${topic} ${logTimeNs} `).update(data);
        data.fill(0xff);
      }
      expect(digest.digest("hex")).toBe(referenceOf(name).digest);
      expect(bag.faults).toEqual([]);
      await bag.close();
    });

    it.each([
      ["kitti_raw_mcap", 16, 16, 16, 1, 0],
      ["kitti_jpeg_mcap", 51, 51, 51, 1, 3],
      ["kitti_jpeg_sqlite3", 20, 20, 20, 1, 3],
      ["euroc_raw_sqlite3", 24, 23, 0, 0, 0],
    ] as const)("%s: stereo inputs", async (name, lefts, rights, moving, still, tolerance) => {
      const bag = await openBag(join(bags as string, name));
      const topics = findStereoTopics(bag.topics);
      const inputs: StereoInput[] = [];
      for await (const input of stereoSource(bag, topics, { want: "grey" })) inputs.push(input);
      await bag.close();
      const images = inputs.flatMap((input) => (input.kind === "image" ? [input] : []));
      expect(images.filter(({ side }) => side === "left").length).toBe(lefts);
      expect(images.filter(({ side }) => side === "right").length).toBe(rights);
      const transforms = inputs.flatMap((input) => (input.kind === "transform" ? [input.transform] : []));
      expect(transforms.filter(({ isStatic }) => !isStatic).length).toBe(moving);
      expect(transforms.filter(({ isStatic }) => isStatic).length).toBe(still);
      expect(inputs.filter(({ kind }) => kind === "rejected")).toEqual([]);
      for (const side of ["left", "right"] as const) {
        const first = images.find((input) => input.side === side)!.image;
        const wanted = referenceOf(name).pictures[topics[side].image]!;
        expect([first.image.height, first.image.width, first.image.channels]).toEqual([...wanted.shape, 1]);
        expect([first.frameId, String(first.stampNs)]).toEqual([wanted.frame, wanted.stamp]);
        // JPEG decoders may round differently; raw pixels must not differ at all.
        expect(largestDifference(first.image.data, Buffer.from(wanted.bytes, "hex"))).toBeLessThanOrEqual(tolerance);
        const info = inputs.find((input) => input.kind === "info" && input.side === side);
        if (info?.kind !== "info") throw new Error("no info");
        expect(inputs.indexOf(info)).toBeLessThan(inputs.findIndex(({ kind }) => kind === "image"));
        expect(Array.from(info.info.p)).toEqual(referenceOf(name).infos[topics[side].info]);
      }
    });
  },
);

function largestDifference(a: Uint8Array, b: Uint8Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((largest, value, at) => Math.max(largest, Math.abs(value - b[at]!)), 0);
}
