import sharp, { type OverlayOptions } from "sharp";
import type { StereoCalibration } from "../core/calibration.ts";
import type { Image } from "../core/image.ts";
import { OCCUPIED, type OctreeFrame } from "../core/occupancy.ts";
import { distancePalette, heightPalette, type Palette } from "./palette.ts";
import { drawBirdsEye, heightSpanM, type Panel } from "./preview-birdseye.ts";
import { drawVoxels } from "./preview-camera.ts";
import { drawMap, type MapPoints } from "./preview-map.ts";
import { type Label, labelsSvg, theme } from "./preview-theme.ts";

export interface PreviewInput {
  /** Rectified left image, grey or RGB, of the calibration's size. */
  readonly left: Image;
  readonly calibration: StereoCalibration;
  readonly frame: OctreeFrame;
  readonly title?: string;
  /** A third panel: the fused map. */
  readonly map?: MapPoints;
}

/** Everything is drawn at twice the size and halved at the end: smooth edges for little code. */
const OVERSAMPLING = 2;
const GAP = 32;
const HEAD = 128;
const FOOT = 120;

/**
 * One picture that says what was seen, as PNG: the left image, below it the same with the occupied voxels projected on
 * it, to the right the frame from above, and the map if one is given.
 */
export async function renderPreview({ left, calibration, frame, title, map }: PreviewInput): Promise<Buffer> {
  const scale = Math.min(1920 / left.width, 900 / left.height);
  const imageWidth = Math.round(left.width * scale);
  const imageHeight = Math.round(left.height * scale);
  const edge = Math.max(1040, 2 * imageHeight + GAP);
  const mapWidth = map === undefined ? 0 : Math.round(edge * 0.8);
  const width = imageWidth + edge + 3 * GAP + (map === undefined ? 0 : mapWidth + GAP);
  const height = HEAD + edge + FOOT;
  const { voxelSizeM, size } = frame.grid;
  const farM = size[2] * voxelSizeM;

  const plain = await enlarged(left, imageWidth, imageHeight);
  const marked: Image = { ...plain, data: Uint8Array.from(plain.data) };
  drawVoxels(marked, frame, calibration, scale, farM);
  const above = drawBirdsEye(frame, calibration, edge);
  const aboveX = imageWidth + 2 * GAP;
  const mapX = aboveX + edge + GAP;
  const imageTop = HEAD + Math.round((edge - 2 * imageHeight - GAP) / 2);
  const markedTop = imageTop + imageHeight + GAP;

  const layers = [panel(plain, GAP, imageTop), panel(marked, GAP, markedTop), panelOf(above, aboveX, HEAD)];
  const labels: Label[] = [
    { x: GAP, y: 58, text: title ?? "voxelguard", size: 42, colour: "#ffffff", weight: "bold" },
    { x: GAP, y: 104, text: summary(frame), size: 28, colour: "#aab4c8" },
    { x: GAP + 14, y: imageTop + 38, text: "left image", size: 26, colour: "#ffffff" },
    { x: GAP + 14, y: markedTop + 38, text: "what is solid", size: 26, colour: "#ffffff" },
    { x: aboveX + 16, y: HEAD + 38, text: "from above", size: 26, colour: "#ffffff" },
    ...above.labels.map((label) => moved(label, aboveX, HEAD)),
  ];
  if (map !== undefined) {
    const fused = drawMap(map, mapWidth, edge);
    layers.push(panelOf(fused, mapX, HEAD));
    labels.push({ x: mapX + 16, y: HEAD + 38, text: "map so far", size: 26, colour: "#ffffff" });
    labels.push(...fused.labels.map((label) => moved(label, mapX, HEAD)));
  }
  const footY = HEAD + edge + 34;
  const legends = [
    gradient("distance", distancePalette, GAP, footY, ["0 m", `${metres(farM)} m`]),
    gradient("height", heightPalette, aboveX, footY, heightSpanM(voxelSizeM).map(signed)),
    swatch("free", theme.free, aboveX + 680, footY),
    swatch("unknown", theme.unknown, aboveX + 820, footY),
  ];
  for (const legend of legends) labels.push(...legend.labels);
  const svg = labelsSvg(width, height, labels, legends.map(({ svg }) => svg).join(""));
  const page = await sharp({ create: { width, height, channels: 3, background: rgb(theme.page) } })
    .composite([...layers, { input: svg, left: 0, top: 0 }])
    .raw()
    .toBuffer({ resolveWithObject: true });
  return sharp(page.data, { raw: { width, height, channels: page.info.channels } })
    .resize(Math.round(width / OVERSAMPLING), Math.round(height / OVERSAMPLING))
    .png({ compressionLevel: 7 })
    .toBuffer();
}

async function enlarged(left: Image, width: number, height: number): Promise<Image> {
  const data = await sharp(left.data, { raw: { width: left.width, height: left.height, channels: left.channels } })
    .resize(width, height, { fit: "fill", kernel: "cubic" })
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (data.info.channels === 3) return { width, height, channels: 3, data: data.data };
  const rgbData = new Uint8Array(width * height * 3);
  for (let i = 0; i < rgbData.length; i += 1) rgbData[i] = data.data[Math.floor(i / 3)]!;
  return { width, height, channels: 3, data: rgbData };
}

function panel(image: Image, left: number, top: number): OverlayOptions {
  const { width, height, data } = image;
  return {
    input: Buffer.from(data.buffer, data.byteOffset, data.length),
    raw: { width, height, channels: 3 },
    left,
    top,
  };
}

function panelOf({ canvas }: Panel, left: number, top: number): OverlayOptions {
  return panel({ width: canvas.width, height: canvas.height, channels: 3, data: canvas.rgb }, left, top);
}

function moved(label: Label, x: number, y: number): Label {
  return { ...label, x: label.x + x, y: label.y + y };
}

function summary(frame: OctreeFrame): string {
  const { voxelSizeM, origin, levels } = frame.grid;
  const counts = [0, 0, 0];
  let nearest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < frame.count; i += 1) {
    counts[frame.state[i]!]! += 1;
    if (frame.state[i] !== OCCUPIED) continue;
    const cell = voxelSizeM * 2 ** (levels - 1 - frame.level[i]!);
    nearest = Math.min(nearest, origin[2] * voxelSizeM + frame.z[i]! * cell);
  }
  const solid = `${counts[2]} occupied voxels of ${metres(voxelSizeM)} m`;
  const where = Number.isFinite(nearest) ? `, the nearest ${metres(nearest)} m ahead` : "";
  return `${solid}${where}; octree of ${frame.count} cells, ${counts[1]} free, ${counts[0]} unknown`;
}

interface Legend {
  readonly svg: string;
  readonly labels: readonly Label[];
}

function gradient(name: string, palette: Palette, x: number, y: number, ends: readonly string[]): Legend {
  const stops = Array.from({ length: 16 }, (_, i) => {
    const at = Math.round((i / 15) * 255) * 3;
    return `<stop offset="${i / 15}" stop-color="${rgb([palette[at]!, palette[at + 1]!, palette[at + 2]!])}"/>`;
  });
  const style = { size: 26, colour: "#cfd6e4" };
  return {
    svg:
      `<linearGradient id="${name}">${stops.join("")}</linearGradient>` +
      `<rect x="${x + 220}" y="${y}" width="300" height="28" rx="6" fill="url(#${name})"/>`,
    labels: [
      { x, y: y + 24, text: name, ...style },
      { x: x + 208, y: y + 24, text: ends[0]!, anchor: "end", ...style },
      { x: x + 532, y: y + 24, text: ends[1]!, ...style },
    ],
  };
}

function swatch(name: string, colour: readonly [number, number, number], x: number, y: number): Legend {
  return {
    svg: `<rect x="${x}" y="${y}" width="28" height="28" rx="6" fill="${rgb(colour)}" stroke="#6b7590"/>`,
    labels: [{ x: x + 40, y: y + 24, text: name, size: 26, colour: "#cfd6e4" }],
  };
}

function rgb([r, g, b]: readonly [number, number, number]): string {
  return `rgb(${r},${g},${b})`;
}

function metres(value: number): string {
  return String(Number(value.toFixed(2)));
}

function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${metres(Math.abs(value))} m`;
}
