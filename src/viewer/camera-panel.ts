import { readCompressedImage } from "../msg/read-compressed-image.ts";

/** The corner that shows the left camera's JPEG or PNG. Newest wins: what comes while one is being decoded waits alone. */
export class CameraPanel {
  readonly #panel: HTMLElement;
  readonly #canvas: HTMLCanvasElement;
  #waiting: Blob | undefined;
  #isBusy = false;

  constructor(panel: HTMLElement) {
    this.#panel = panel;
    this.#canvas = panel.querySelector("canvas")!;
  }

  /** CDR of a `sensor_msgs/CompressedImage`. */
  show(cdr: Uint8Array): void {
    const { data } = readCompressedImage(cdr);
    this.#waiting = new Blob([data.slice()]);
    if (!this.#isBusy) void this.#decode();
  }

  toggle(): void {
    this.#panel.classList.toggle("off");
  }

  async #decode(): Promise<void> {
    this.#isBusy = true;
    for (let blob = this.#waiting; blob !== undefined; blob = this.#waiting) {
      this.#waiting = undefined;
      // A broken picture is left out: the next one comes in a moment, and the pipeline reports it in its health.
      const bitmap = await createImageBitmap(blob).catch(() => undefined);
      if (bitmap === undefined) continue;
      this.#panel.hidden = false;
      if (this.#canvas.width !== bitmap.width) this.#canvas.width = bitmap.width;
      if (this.#canvas.height !== bitmap.height) this.#canvas.height = bitmap.height;
      this.#canvas.getContext("2d")!.drawImage(bitmap, 0, 0);
      bitmap.close();
    }
    this.#isBusy = false;
  }
}
