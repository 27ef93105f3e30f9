import { ros2jazzy } from "@foxglove/rosmsg-msgs-common";
import { MessageReader } from "@foxglove/rosmsg2-serialization";
import sqlite from "node-sqlite3-wasm";
import type { Side, StereoInput } from "../../src/core/ports.ts";

interface Header {
  readonly stamp: { readonly sec: number; readonly nanosec: number };
  readonly frame_id: string;
}
interface ImageMessage {
  readonly header: Header;
  readonly width: number;
  readonly height: number;
  readonly step: number;
  readonly data: Uint8Array;
}
interface InfoMessage extends Omit<ImageMessage, "data" | "step"> {
  readonly distortion_model: string;
  readonly d: Float64Array;
  readonly k: Float64Array;
  readonly r: Float64Array;
  readonly p: Float64Array;
  readonly binning_x: number;
  readonly binning_y: number;
  readonly roi: {
    readonly x_offset: number;
    readonly y_offset: number;
    readonly width: number;
    readonly height: number;
  };
}

/**
 * A mono8 stereo bag (.db3) as inputs, in the order in which it was recorded, by means that share no code with src/io,
 * so that a fault there does not hide one here.
 */
export function* sqliteInputs(path: string): Generator<StereoInput> {
  const db = new sqlite.Database(path, { readOnly: true });
  try {
    const rows = db.all(
      "SELECT name, type, data FROM messages JOIN topics ON topics.id = topic_id ORDER BY messages.id",
    );
    const readers = { Image: readerOf("sensor_msgs/Image"), CameraInfo: readerOf("sensor_msgs/CameraInfo") };
    for (const row of rows) {
      const side: Side = String(row["name"]).includes("left") ? "left" : "right";
      const type = String(row["type"]).split("/").at(-1);
      const bytes = new Uint8Array(row["data"] as Uint8Array);
      if (type === "Image") yield imageInput(side, readers.Image.readMessage<ImageMessage>(bytes));
      else if (type === "CameraInfo") yield infoInput(side, readers.CameraInfo.readMessage<InfoMessage>(bytes));
    }
  } finally {
    db.close();
  }
}

function readerOf(type: keyof typeof ros2jazzy): MessageReader {
  const names = ["std_msgs/Header", "sensor_msgs/RegionOfInterest", "builtin_interfaces/Time"] as const;
  return new MessageReader([ros2jazzy[type], ...names.map((name) => ros2jazzy[name])]);
}

function imageInput(side: Side, { header, width, height, data }: ImageMessage): StereoInput {
  const image = { width, height, channels: 1, data: data.slice() } as const;
  return { kind: "image", side, image: { stampNs: stampNs(header), frameId: header.frame_id, image } };
}

function infoInput(side: Side, message: InfoMessage): StereoInput {
  const { header, width, height, d, k, r, p, roi } = message;
  const info = {
    ...{ stampNs: stampNs(header), frameId: header.frame_id, width, height, d, k, r, p },
    distortionModel: message.distortion_model,
    binningX: message.binning_x,
    binningY: message.binning_y,
    roi: { xOffset: roi.x_offset, yOffset: roi.y_offset, width: roi.width, height: roi.height },
  };
  return { kind: "info", side, info };
}

function stampNs({ stamp }: Header): bigint {
  return BigInt(stamp.sec) * 1_000_000_000n + BigInt(stamp.nanosec);
}
