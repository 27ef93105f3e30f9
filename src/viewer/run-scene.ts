import { Group } from "three";
import type { Transform } from "../core/transform.ts";
import type { SpaceBox } from "./detections.ts";
import { FreePoints } from "./free-points.ts";
import { type HeightRange, heightRangeOf, widen } from "./height-range.ts";
import { ObjectBoxes } from "./object-boxes.ts";
import { makePoints, pointsInto } from "./point-cloud.ts";
import { Rig } from "./rig.ts";
import type { Stage } from "./stage.ts";
import type { CameraShape, Status } from "./status.ts";
import { type Theme, themes } from "./theme.ts";
import { Voxels } from "./voxels.ts";

/** What one run shows in space: its voxels, free space, camera and objects. Fixed frame, z up, metres. */
export class RunScene {
  readonly group = new Group();
  readonly voxels = new Voxels();
  readonly free = new FreePoints();
  readonly boxes = new ObjectBoxes();
  readonly rig = new Rig();
  readonly points = makePoints();
  readonly #freePoints = makePoints();
  /** What the heights of all its maps have spanned. */
  heights: HeightRange | undefined;
  edgeM: number | undefined;
  camera: CameraShape | undefined;
  pose: Transform | undefined;

  constructor() {
    this.rig.frame.add(this.boxes.object);
    this.group.add(this.voxels.object, this.free.object, this.rig.object);
    this.group.visible = false;
  }

  setMap(cdr: Uint8Array): void {
    pointsInto(this.points, cdr);
    this.heights = widen(this.heights, heightRangeOf(this.points.xyz, this.points.count));
  }

  setFree(cdr: Uint8Array): void {
    pointsInto(this.#freePoints, cdr);
    this.free.update(this.#freePoints);
  }

  /** True when the camera was not on stage before. */
  setPose(T_map_camera: Transform): boolean {
    this.pose = T_map_camera;
    return this.rig.setPose(T_map_camera);
  }

  setSpaceBoxes(boxes: readonly SpaceBox[]): void {
    this.boxes.update(boxes);
  }

  /** True when the size of voxels has changed. */
  setStatus({ voxelSizeM, camera }: Status): boolean {
    this.camera = camera;
    this.rig.setShape(camera);
    if (voxelSizeM === this.edgeM) return false;
    this.edgeM = voxelSizeM;
    this.voxels.setEdgeM(voxelSizeM);
    this.free.setEdgeM(voxelSizeM);
    return true;
  }

  setTheme(theme: Theme, stage: Stage): void {
    this.rig.setColours(themes[theme]);
    this.voxels.setBack(stage.back);
  }

  clear(): void {
    this.points.count = 0;
    this.#freePoints.count = 0;
    this.free.update(this.#freePoints);
    this.boxes.update([]);
    this.heights = undefined;
    this.pose = undefined;
    this.rig.clear();
  }
}
