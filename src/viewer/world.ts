import { Vector3 } from "three";
import type { Transform } from "../core/transform.ts";
import { FloorGrid } from "./floor-grid.ts";
import { type HeightRange, heightRangeOf, widen } from "./height-range.ts";
import type { Hud } from "./hud.ts";
import { chooseDetail, type DetailWish } from "./level-of-detail.ts";
import { makePoints, pointsInto } from "./point-cloud.ts";
import { Rig } from "./rig.ts";
import { Stage } from "./stage.ts";
import type { Status } from "./status.ts";
import { type ColourBy, Voxels } from "./voxels.ts";

/** Share of the way to the robot that the view goes in a second's hundredth: smooth, yet never far behind. */
const followPerSecond = 5;
const certain: HeightRange = { min: 0.5, max: 1 };

/** The scene and what the user wants of it. Fixed frame, z up, metres. */
export class World {
  readonly #hud: Hud;
  readonly #stage: Stage;
  readonly #voxels: Voxels;
  readonly #rig = new Rig();
  readonly #floor = new FloorGrid();
  readonly #points = makePoints();
  /** The point that the view follows; trails behind the rig. */
  readonly #anchor = new Vector3();
  #heights: HeightRange | undefined;
  #edgeM: number | undefined;
  #colourBy: ColourBy = "height";
  #wish: DetailWish = "auto";
  #follows = true;
  #isFrozen = false;
  #frozenMap: Uint8Array | undefined;

  constructor(canvas: HTMLCanvasElement, hud: Hud) {
    this.#hud = hud;
    this.#stage = new Stage(canvas);
    this.#voxels = new Voxels(this.#stage.back);
    this.#stage.scene.add(this.#voxels.object, this.#rig.object, this.#floor.object);
    this.#stage.onResize = (heightPx, openingRad) => this.#voxels.setView(heightPx, openingRad);
    this.#stage.onTick = (seconds) => this.#follow(seconds);
  }

  start(): void {
    this.#stage.start();
  }

  /** CDR of the `sensor_msgs/PointCloud2` with all occupied leaves. */
  setMap(cdr: Uint8Array): void {
    if (this.#isFrozen) {
      this.#frozenMap = cdr.slice();
      return;
    }
    pointsInto(this.#points, cdr);
    this.#heights = widen(this.#heights, heightRangeOf(this.#points.xyz, this.#points.count));
    this.#showVoxels();
  }

  setPose(T_map_camera: Transform): void {
    if (this.#isFrozen) return;
    if (this.#rig.setPose(T_map_camera)) this.resetView();
    this.#stage.invalidate();
  }

  setStatus({ voxelSizeM, camera }: Status): void {
    if (voxelSizeM !== this.#edgeM) {
      this.#edgeM = voxelSizeM;
      this.#voxels.setEdgeM(voxelSizeM);
      this.#showVoxels();
    }
    this.#rig.setShape(camera);
  }

  /** Another run begins: nothing of the last one may stay on screen. */
  clear(): void {
    this.#points.count = 0;
    this.#heights = undefined;
    this.#rig.clear();
    this.#showVoxels();
  }

  /** Behind the camera and above it, looking where it looks. */
  resetView(): void {
    this.#anchor.copy(this.#rig.position);
    const ahead = this.#ahead();
    const from = this.#rig.position.clone().addScaledVector(ahead, -11);
    from.z += 7;
    this.#stage.look(from, this.#rig.position.clone().addScaledVector(ahead, 9));
  }

  topView(): void {
    this.#anchor.copy(this.#rig.position);
    const at = this.#rig.position.clone().addScaledVector(this.#ahead(), 12);
    // A hair behind the vertical: straight down, the heading would be undefined.
    const from = at.clone().addScaledVector(this.#ahead(), -0.5);
    from.z += 45;
    this.#stage.look(from, at);
  }

  /** Answers what holds now. */
  toggleFollow(): boolean {
    this.#follows = !this.#follows;
    this.#anchor.copy(this.#rig.position);
    return this.#follows;
  }

  toggleFreeze(): boolean {
    this.#isFrozen = !this.#isFrozen;
    if (!this.#isFrozen && this.#frozenMap !== undefined) this.setMap(this.#frozenMap);
    this.#frozenMap = undefined;
    return this.#isFrozen;
  }

  toggleGrid(): void {
    this.#floor.object.visible = !this.#floor.object.visible;
    this.#stage.invalidate();
  }

  nextColour(): ColourBy {
    this.#colourBy = this.#colourBy === "height" ? "probability" : "height";
    this.#showVoxels();
    return this.#colourBy;
  }

  nextDetail(): DetailWish {
    const next = { auto: "cubes", cubes: "points", points: "auto" } as const;
    this.#wish = next[this.#wish];
    this.#showVoxels();
    return this.#wish;
  }

  #showVoxels(): void {
    const range = this.#colourBy === "height" ? this.#heights : certain;
    this.#voxels.update(this.#points, this.#colourBy, range ?? certain);
    this.#voxels.show(chooseDetail(this.#wish, this.#points.count, this.#stage.kind));
    this.#hud.setVoxels(this.#points.count, this.#edgeM);
    if (range !== undefined) this.#hud.setLegend(this.#colourBy, range);
    this.#placeFloor();
    this.#stage.invalidate();
  }

  #placeFloor(): void {
    const { x, y } = this.#rig.position;
    this.#floor.place(x, y, this.#heights?.min ?? 0);
  }

  #ahead(): Vector3 {
    const ahead = this.#rig.forward.clone().setZ(0);
    return ahead.lengthSq() > 1e-6 ? ahead.normalize() : ahead.set(1, 0, 0);
  }

  /** Moves the view a little of the way to the robot; true while it moves. */
  #follow(seconds: number): boolean {
    if (!this.#follows || !this.#rig.object.visible) return false;
    const way = this.#rig.position.clone().sub(this.#anchor);
    if (way.lengthSq() < 1e-6) return false;
    way.multiplyScalar(1 - Math.exp(-followPerSecond * seconds));
    this.#anchor.add(way);
    this.#stage.shift(way);
    this.#placeFloor();
    return true;
  }
}
