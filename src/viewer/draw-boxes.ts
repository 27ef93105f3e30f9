import type { ImageBox, SpaceBox } from "./detections.ts";
import type { CameraShape } from "./status.ts";

const [seenColour, heldColour] = ["#ffd166", "#ffffff"] as const;

/**
 * Draws objects over an image that fills the canvas. A box in space whose id no box of the image has is held by voxels
 * alone: its near face is drawn dashed, where `camera` tells how it is seen.
 */
export function drawBoxes(
  context: CanvasRenderingContext2D,
  boxes: readonly ImageBox[],
  spaceBoxes: readonly SpaceBox[],
  camera: CameraShape | undefined,
): void {
  const { width } = context.canvas;
  context.lineWidth = width / 320;
  context.font = `${Math.round(width / 42)}px system-ui, sans-serif`;
  for (const { label, left, top, width: wide, height } of boxes) {
    frame(context, seenColour, [], label, left, top, wide, height);
  }
  if (camera === undefined) return;
  const seen = new Set(boxes.map(({ id }) => id));
  for (const { id, label, centre, size } of spaceBoxes) {
    const nearM = centre.z - size.z / 2;
    if (seen.has(id) || nearM <= 0.1) continue;
    const [wide, high] = [(camera.fx * size.x) / nearM, (camera.fy * size.y) / nearM];
    const [u, v] = [(camera.fx * centre.x) / nearM + camera.cx, (camera.fy * centre.y) / nearM + camera.cy];
    frame(context, heldColour, [width / 80, width / 120], `${label} held`, u - wide / 2, v - high / 2, wide, high);
  }
}

function frame(
  context: CanvasRenderingContext2D,
  colour: string,
  dashes: number[],
  label: string,
  left: number,
  top: number,
  width: number,
  height: number,
): void {
  context.strokeStyle = colour;
  context.setLineDash(dashes);
  context.strokeRect(left, top, width, height);
  const size = Number.parseInt(context.font, 10);
  const wide = context.measureText(label).width + size * 0.6;
  const above = top > size * 1.4 ? top - size * 1.3 : top;
  context.fillStyle = "rgb(13 17 23 / 75%)";
  context.fillRect(left, above, wide, size * 1.3);
  context.fillStyle = colour;
  context.fillText(label, left + size * 0.3, above + size);
}
