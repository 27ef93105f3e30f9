import { Vector3 } from "three";
import type { Transform } from "../core/transform.ts";
import { cellsOf } from "./difference.ts";
import { FloorGrid } from "./floor-grid.ts";
import { widen } from "./height-range.ts";
import type { Hud } from "./hud.ts";
import { chooseDetail, type DetailWish } from "./level-of-detail.ts";
import {
  type ColourBy,
  certain,
  paintDifference,
  paintFlat,
  paintHeight,
  paintProbability,
  swatches,
} from "./paint.ts";
import { RunScene } from "./run-scene.ts";
import { Stage } from "./stage.ts";
import type { Status } from "./status.ts";
import { type Theme, themes } from "./theme.ts";

/** Share of the way to the robot that the view goes in a second's hundredth: smooth, yet never far behind. */
const followPerSecond = 5;

/** Which run: the only one or that on the left, or that on the right of a comparison. */
export type Side = 0 | 1;

/** The scene and what the user wants of it. Fixed frame, z up, metres. */
export class World {
  readonly runs: readonly [RunScene, RunScene] = [new RunScene(), new RunScene()];
  readonly #hud: Hud;
  readonly #stage: Stage;
  readonly #floor = new FloorGrid();
  /** The point that the view follows; trails behind the rig. */
  readonly #anchor = new Vector3();
  #isSplit = false;
  #colourBy: ColourBy = "height";
  #wish: DetailWish = "auto";
  #follows = true;
  #isFrozen = false;
  #frozenMap: Uint8Array | undefined;

  constructor(canvas: HTMLCanvasElement, hud: Hud) {
    this.#hud = hud;
    this.#stage = new Stage(canvas);
    for (const { group } of this.runs) this.#stage.scene.add(group);
    this.runs[0].group.visible = true;
    this.#stage.scene.add(this.#floor.object);
    this.#stage.onResize = (heightPx, openingRad) => {
      for (const { voxels } of this.runs) voxels.setView(heightPx, openingRad);
    };
    // What is near now may have been far.
    this.#stage.controls.addEventListener("end", () => this.#showVoxels());
    this.#stage.onTick = (seconds) => this.#follow(seconds);
  }

  start(): void {
    this.#stage.start();
  }

  /** Two runs side by side, coloured by how they differ; or one. */
  setSplit(isSplit: boolean): void {
    if (isSplit === this.#isSplit) return;
    this.#isSplit = isSplit;
    this.#colourBy = isSplit ? "difference" : "height";
    this.#stage.onHalf = isSplit ? (half) => this.#showOnly(half) : undefined;
    this.#showOnly(0);
    this.#showVoxels();
  }

  /** CDR of the `sensor_msgs/PointCloud2` with all occupied leaves. */
  setMap(cdr: Uint8Array, side: Side = 0): void {
    if (this.#isFrozen) {
      this.#frozenMap = cdr.slice();
      return;
    }
    this.runs[side].setMap(cdr);
    this.#showVoxels();
  }

  setFree(cdr: Uint8Array, side: Side): void {
    this.runs[side].setFree(cdr);
    this.#stage.invalidate();
  }

  setPose(T_map_camera: Transform, side: Side = 0): void {
    if (this.#isFrozen) return;
    if (this.runs[side].setPose(T_map_camera) && side === 0) this.resetView();
    this.#stage.invalidate();
  }

  setStatus(status: Status, side: Side = 0): void {
    if (this.runs[side].setStatus(status)) this.#showVoxels();
  }

  /** Another run begins: nothing of the last one may stay on screen. */
  clear(): void {
    for (const run of this.runs) run.clear();
    this.#showVoxels();
  }

  setTheme(theme: Theme): void {
    this.#stage.setBack(themes[theme].back);
    this.#floor.setColour(themes[theme].grid);
    for (const run of this.runs) run.setTheme(theme, this.#stage);
  }

  invalidate(): void {
    this.#stage.invalidate();
  }

  /** Behind the camera and above it, looking where it looks. */
  resetView(): void {
    const { position } = this.runs[0].rig;
    this.#anchor.copy(position);
    const ahead = this.#ahead();
    const from = position.clone().addScaledVector(ahead, -11);
    from.z += 7;
    this.#stage.look(from, position.clone().addScaledVector(ahead, 9));
  }

  topView(): void {
    const { position } = this.runs[0].rig;
    this.#anchor.copy(position);
    const at = position.clone().addScaledVector(this.#ahead(), 12);
    // A hair behind the vertical: straight down, the heading would be undefined.
    const from = at.clone().addScaledVector(this.#ahead(), -0.5);
    from.z += 45;
    this.#stage.look(from, at);
  }

  /** Answers what holds now. */
  toggleFollow(): boolean {
    this.#follows = !this.#follows;
    this.#anchor.copy(this.runs[0].rig.position);
    return this.#follows;
  }

  toggleFreeze(): boolean {
    this.#isFrozen = !this.#isFrozen;
    if (!this.#isFrozen && this.#frozenMap !== undefined) this.setMap(this.#frozenMap);
    this.#frozenMap = undefined;
    return this.#isFrozen;
  }

  setGrid(isShown: boolean): void {
    this.#floor.object.visible = isShown;
    this.#stage.invalidate();
  }

  setLayer(layer: "free" | "boxes" | "rig", isShown: boolean): void {
    for (const run of this.runs) {
      if (layer === "rig") run.rig.setShown(isShown);
      else run[layer].object.visible = isShown;
    }
    this.#stage.invalidate();
  }

  nextColour(): ColourBy {
    const order: ColourBy[] = [...(this.#isSplit ? ["difference" as const] : []), "height", "probability", "state"];
    this.#colourBy = order[(order.indexOf(this.#colourBy) + 1) % order.length]!;
    this.#showVoxels();
    return this.#colourBy;
  }

  nextDetail(): DetailWish {
    const next = { auto: "cubes", cubes: "points", points: "auto" } as const;
    this.#wish = next[this.#wish];
    this.#showVoxels();
    return this.#wish;
  }

  #showOnly(side: Side): void {
    for (const [i, { group }] of this.runs.entries()) group.visible = i === side;
  }

  #showVoxels(): void {
    const heights = widen(this.runs[0].heights, this.runs[1].heights);
    const shown = this.#isSplit ? this.runs : [this.runs[0]];
    const edgeM = Math.max(...shown.map((run) => run.edgeM ?? 0));
    const cells = this.#isSplit && edgeM > 0 ? shown.map(({ points }) => cellsOf(points, edgeM)) : undefined;
    const lone = [0, 0];
    for (const [i, { points, voxels }] of shown.entries()) {
      voxels.update(points, (tint) => {
        const alone = i === 0 ? swatches.onlyA : swatches.onlyB;
        if (cells !== undefined) lone[i] = paintDifference(tint, points, cells[1 - i]!, edgeM, alone);
        if (this.#colourBy === "height") paintHeight(tint, points, heights ?? certain);
        if (this.#colourBy === "probability") paintProbability(tint, points);
        if (this.#colourBy === "state") paintFlat(tint, points, swatches.occupied);
      });
      const detail = chooseDetail(this.#wish, points.count * shown.length, this.#stage.kind);
      voxels.show(detail, points, this.#wish === "auto" ? this.#stage.controls.target : undefined);
    }
    this.#hud.setVoxels(
      shown.map(({ points }) => points.count),
      lone,
      edgeM,
    );
    const range = this.#colourBy === "height" ? heights : certain;
    if (range !== undefined) this.#hud.setLegend(this.#colourBy, range);
    this.#placeFloor();
    this.#stage.invalidate();
  }

  #placeFloor(): void {
    const { x, y } = this.runs[0].rig.position;
    this.#floor.place(x, y, this.runs[0].heights?.min ?? 0);
  }

  #ahead(): Vector3 {
    const ahead = this.runs[0].rig.forward.clone().setZ(0);
    return ahead.lengthSq() > 1e-6 ? ahead.normalize() : ahead.set(1, 0, 0);
  }

  /** Moves the view a little of the way to the robot; true while it moves. */
  #follow(seconds: number): boolean {
    const { rig } = this.runs[0];
    if (!this.#follows || !rig.object.visible) return false;
    const way = rig.position.clone().sub(this.#anchor);
    if (way.lengthSq() < 1e-6) return false;
    way.multiplyScalar(1 - Math.exp(-followPerSecond * seconds));
    this.#anchor.add(way);
    this.#stage.shift(way);
    this.#placeFloor();
    return true;
  }
}
