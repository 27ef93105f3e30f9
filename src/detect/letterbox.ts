/** How a network wants its image. */
export interface CanvasSpec {
  /** Pixels: the canvas, or its upper bound where `multiple` is given. */
  readonly width: number;
  readonly height: number;
  /** The canvas is cut down to the smallest multiples of this that hold the resized image. */
  readonly multiple?: number | undefined;
  /** `stretch` fills the canvas; the others keep the image's shape, in the middle or in the upper left corner. */
  readonly place: "centre" | "corner" | "stretch";
}

/** An image in a network's canvas: it is resized to width x height and laid at (left, top). */
export interface Letterbox {
  readonly canvasWidth: number;
  readonly canvasHeight: number;
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  /** Canvas pixels per image pixel. */
  readonly scaleX: number;
  readonly scaleY: number;
}

/** Where an image of this size (at least 1 x 1) goes. */
export function planLetterbox(imageWidth: number, imageHeight: number, spec: CanvasSpec): Letterbox {
  const scale = Math.min(spec.width / imageWidth, spec.height / imageHeight);
  const resized = (pixels: number, bound: number) =>
    spec.place === "stretch" ? bound : Math.min(bound, Math.max(1, Math.round(pixels * scale)));
  const width = resized(imageWidth, spec.width);
  const height = resized(imageHeight, spec.height);
  const canvas = (pixels: number, bound: number) =>
    spec.multiple === undefined ? bound : Math.ceil(pixels / spec.multiple) * spec.multiple;
  const canvasWidth = canvas(width, spec.width);
  const canvasHeight = canvas(height, spec.height);
  return {
    canvasWidth,
    canvasHeight,
    width,
    height,
    left: spec.place === "centre" ? (canvasWidth - width) >> 1 : 0,
    top: spec.place === "centre" ? (canvasHeight - height) >> 1 : 0,
    scaleX: width / imageWidth,
    scaleY: height / imageHeight,
  };
}

/** Maps `count` boxes from canvas to image pixels, in place, clipped to the image. */
export function unletterbox(
  boxes: Float32Array,
  count: number,
  { left, top, width, height, scaleX, scaleY }: Letterbox,
) {
  for (let i = 0; i < 4 * count; i += 2) {
    boxes[i] = Math.min(Math.max(boxes[i]! - left, 0), width) / scaleX;
    boxes[i + 1] = Math.min(Math.max(boxes[i + 1]! - top, 0), height) / scaleY;
  }
}
