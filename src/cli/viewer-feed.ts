import { existsSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../core/fault.ts";
import type { Health } from "../core/health.ts";
import type { Image } from "../core/image.ts";
import { encodeJpeg } from "../io/encode-jpeg.ts";
import { schemaText } from "../msg/definitions.ts";
import { writeCompressedImage } from "../msg/write-camera.ts";
import { writePointCloud2 } from "../msg/write-cloud.ts";
import { writeString } from "../msg/write-string.ts";
import { writeTfMessage } from "../msg/write-tf.ts";
import { occupiedInto } from "../octree/leaves.ts";
import { makePointList } from "../octree/points.ts";
import type { MapStep } from "../pipeline/map-steps.ts";
import { ViewerServer } from "../server/viewer-server.ts";
import { packageRoot } from "./package-root.ts";
import type { ReplayRun } from "./replay-run.ts";

export interface ViewerOptions {
  readonly port: number;
  readonly host?: string;
  readonly token?: string;
}

const topics = {
  voxels: ["/voxelguard/map_voxels", "sensor_msgs/msg/PointCloud2"],
  left: ["/voxelguard/left/compressed", "sensor_msgs/msg/CompressedImage"],
  status: ["/voxelguard/status", "std_msgs/msg/String"],
  tf: ["/tf", "tf2_msgs/msg/TFMessage"],
} as const;

const LEFT_QUALITY = 75;

/** Sends the steps of a replay to the browser page, as far as somebody looks. */
export class ViewerFeed {
  readonly server: ViewerServer;
  readonly #channels: Readonly<Record<keyof typeof topics, number>>;
  readonly #points = makePointList();

  static async open(options: ViewerOptions): Promise<ViewerFeed> {
    const viewerDir = join(packageRoot(), "dist/viewer");
    if (!existsSync(join(viewerDir, "index.html"))) {
      throw new Fault(`The viewer page is not built: ${viewerDir} has no index.html.`, {
        code: "USAGE",
        remedy: "Run `npm run demo` once (it builds the page), or leave the viewer out with --headless.",
      });
    }
    return new ViewerFeed(await ViewerServer.listen({ ...options, viewerDir }));
  }

  private constructor(server: ViewerServer) {
    this.server = server;
    const advertise = ([topic, type]: readonly [string, string]) =>
      server.advertise(topic, type, schemaText(type) ?? "", { latched: true });
    this.#channels = {
      voxels: advertise(topics.voxels),
      left: advertise(topics.left),
      status: advertise(topics.status),
      tf: advertise(topics.tf),
    };
  }

  /** `left`: what to show in place of the pair's left image. */
  async publish(
    step: MapStep,
    run: ReplayRun,
    health: Health,
    accuracy?: Readonly<Record<string, number>>,
    left: Image = step.pair.left,
  ): Promise<void> {
    const { header, fixed, pair, map, T_fixed_camera } = step;
    const { stampNs } = header;
    occupiedInto(this.#points, map);
    this.server.publish(this.#channels.voxels, stampNs, writePointCloud2(fixed, this.#points));
    const edge = {
      stampNs,
      parent: fixed.frameId,
      child: header.frameId,
      T_parent_child: T_fixed_camera,
      isStatic: false,
    };
    this.server.publish(this.#channels.tf, stampNs, writeTfMessage([edge]));
    const jpeg = await encodeJpeg(left, LEFT_QUALITY);
    this.server.publish(this.#channels.left, stampNs, writeCompressedImage(header, "jpeg", jpeg));
    const { width, height, fx, fy, cx, cy } = pair.calibration;
    const seconds = (performance.now() - run.beganMs) / 1e3;
    const status = {
      frame: run.steps,
      pairs: run.counts.processed,
      pairsPerSecond: run.steps / seconds,
      voxelSizeM: map.resolutionM,
      stagesMs: Object.fromEntries(Object.entries(run.times.quantiles()).map(([stage, q]) => [stage, q.p50])),
      health: health.list(),
      camera: { width, height, fx, fy, cx, cy },
      ...(accuracy === undefined ? {} : { accuracy }),
    };
    this.server.publish(this.#channels.status, stampNs, writeString(JSON.stringify(status)));
  }

  async close(): Promise<void> {
    await this.server.close();
  }
}
