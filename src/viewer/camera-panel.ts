import { readCompressedImage } from "../msg/read-compressed-image.ts";
import { parseImage } from "../msg/read-image.ts";
import { type ImageBox, imageBoxesOf, type SpaceBox } from "./detections.ts";
import { drawBoxes } from "./draw-boxes.ts";
import { makeProjected, projectInto } from "./projection.ts";
import type { RunScene } from "./run-scene.ts";
import type { CameraShape } from "./status.ts";

/** What is drawn over the image. */
export interface Overlays {
  readonly boxes: boolean;
  readonly mask: boolean;
  readonly voxels: boolean;
}

const maskColour = [255, 64, 96] as const;

/**
 * The panel that shows the left camera's JPEG or PNG, and over it what was found in it. Newest wins: what comes while one
 * is being decoded waits alone. All of it is drawn again at the next screen refresh after something has changed.
 */
export class CameraPanel {
  readonly #panel: HTMLElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #run: RunScene;
  readonly #projected = makeProjected();
  /** The voxels in the image, opaque: near ones hide far ones, and the image shines through all of them alike. */
  readonly #voxels = new OffscreenCanvas(1, 1);
  #overlays: Overlays = { boxes: true, mask: true, voxels: false };
  #image: ImageBitmap | undefined;
  #boxes: readonly ImageBox[] = [];
  #spaceBoxes: readonly SpaceBox[] = [];
  #mask: OffscreenCanvas | undefined;
  #waiting: Blob | undefined;
  #isBusy = false;
  #isDue = false;

  /** `run`: whose voxels, pose and calibration are drawn over the image. */
  constructor(panel: HTMLElement, run: RunScene) {
    this.#panel = panel;
    this.#canvas = panel.querySelector("canvas")!;
    this.#run = run;
  }

  /** CDR of a `sensor_msgs/CompressedImage`. */
  show(cdr: Uint8Array): void {
    const { data } = readCompressedImage(cdr);
    this.#waiting = new Blob([data.slice()]);
    if (!this.#isBusy) void this.#decode();
  }

  /** CDR of a `vision_msgs/Detection2DArray`. */
  setBoxes(cdr: Uint8Array): void {
    this.#boxes = imageBoxesOf(cdr);
    this.redraw();
  }

  /** Those of them that no box of the image has the id of are held by voxels alone: drawn dashed. */
  setSpaceBoxes(boxes: readonly SpaceBox[]): void {
    this.#spaceBoxes = boxes;
    this.redraw();
  }

  /** CDR of a `sensor_msgs/Image` of bytes: not 0 where the image was masked. */
  setMask(cdr: Uint8Array): void {
    const { width, height, step, data } = parseImage(cdr);
    const rgba = new ImageData(width, height);
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        if (data[y * step + x] !== 0) rgba.data.set([...maskColour, 130], (y * width + x) * 4);
      }
    }
    this.#mask = new OffscreenCanvas(width, height);
    this.#mask.getContext("2d")!.putImageData(rgba, 0, 0);
    this.redraw();
  }

  setShown(isShown: boolean): void {
    this.#panel.classList.toggle("off", !isShown);
  }

  setOverlays(overlays: Overlays): void {
    this.#overlays = overlays;
    this.redraw();
  }

  clear(): void {
    this.#panel.hidden = true;
    this.#image = undefined;
    this.#boxes = [];
    this.#spaceBoxes = [];
    this.#mask = undefined;
  }

  redraw(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#draw();
    });
  }

  async #decode(): Promise<void> {
    this.#isBusy = true;
    for (let blob = this.#waiting; blob !== undefined; blob = this.#waiting) {
      this.#waiting = undefined;
      // A broken picture is left out: the next one comes in a moment, and the pipeline reports it in its health.
      const bitmap = await createImageBitmap(blob).catch(() => undefined);
      if (bitmap === undefined) continue;
      this.#panel.hidden = false;
      this.#image?.close();
      this.#image = bitmap;
      this.redraw();
    }
    this.#isBusy = false;
  }

  #draw(): void {
    const image = this.#image;
    if (image === undefined) return;
    const { width, height } = image;
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    const context = this.#canvas.getContext("2d")!;
    context.drawImage(image, 0, 0);
    const { camera, pose } = this.#run;
    if (this.#overlays.voxels && camera !== undefined && pose !== undefined) this.#drawVoxels(context, camera);
    if (this.#overlays.mask && this.#mask !== undefined) context.drawImage(this.#mask, 0, 0, width, height);
    if (this.#overlays.boxes) drawBoxes(context, this.#boxes, this.#spaceBoxes, camera);
  }

  #drawVoxels(context: CanvasRenderingContext2D, camera: CameraShape): void {
    const { points, pose, edgeM, voxels } = this.#run;
    projectInto(this.#projected, points, pose!, camera, edgeM ?? 0);
    const { count, index, uvSize } = this.#projected;
    const { tint } = voxels;
    const layer = this.#voxels;
    [layer.width, layer.height] = [this.#canvas.width, this.#canvas.height];
    const over = layer.getContext("2d")!;
    for (let i = 0; i < count; i += 1) {
      const at = index[i]!;
      const size = uvSize[at * 3 + 2]!;
      over.fillStyle = `rgb(${tint[at * 4]} ${tint[at * 4 + 1]} ${tint[at * 4 + 2]})`;
      over.fillRect(uvSize[at * 3]! - size / 2, uvSize[at * 3 + 1]! - size / 2, size * 0.94, size * 0.94);
    }
    context.globalAlpha = 0.45;
    context.drawImage(layer, 0, 0);
    context.globalAlpha = 1;
  }
}
