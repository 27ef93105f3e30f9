import { maskImage } from "../core/mask-image.ts";
import type { View } from "../core/view.ts";
import { fillWindow } from "../detect/defence/fill.ts";
import type { TrackedObject } from "../detect/objects.ts";
import { interleaved } from "../detect/raster.ts";
import { writeImage } from "../msg/write-camera.ts";
import {
  type ImageDetection,
  type SpaceDetection,
  writeDetections2D,
  writeDetections3D,
} from "../msg/write-detections.ts";
import type { DetectStep } from "./live-detect.ts";

/** vision_msgs/Detection2DArray of what the detector saw in the image; held objects are not in it. */
export function detectionsMessage(step: DetectStep, classes: readonly string[]): Uint8Array<ArrayBuffer> {
  const seen = step.objects.filter(({ status }) => status !== "held");
  return writeDetections2D(
    step.image,
    seen.map((object): ImageDetection => {
      const [left, top, right, bottom] = object.track.box as unknown as [number, number, number, number];
      return { ...named(object, classes), left, top, right, bottom };
    }),
  );
}

/** vision_msgs/Detection3DArray of what stands somewhere: supported by solid voxels, seen or held. */
export function detections3dMessage(
  step: DetectStep,
  classes: readonly string[],
  voxelSizeM: number,
): Uint8Array<ArrayBuffer> {
  const { view } = step;
  const solid = step.objects.filter(({ status, depthM }) => status !== "demoted" && Number.isFinite(depthM));
  const found = view === undefined ? [] : solid.map((object) => inSpace(object, classes, view, voxelSizeM));
  return writeDetections3D(step.image, found);
}

/** mono8, 255 where the image was masked. */
export function patchMaskMessage({ image, masks }: DetectStep): Uint8Array<ArrayBuffer> {
  return writeImage(image, maskImage(image.image, masks));
}

/** The image with its masked windows filled as the detector saw them. */
export function defendedImageMessage({ image, masks }: DetectStep): Uint8Array<ArrayBuffer> {
  const { width, height, channels, data } = image.image;
  const filled = data.slice();
  for (const mask of masks) fillWindow(interleaved(filled, width, channels), [0, 0, width, height], mask);
  return writeImage(image, { width, height, channels, data: filled });
}

function named({ track, score }: TrackedObject, classes: readonly string[]) {
  return { id: String(track.id), classId: classes[track.classIndex] ?? String(track.classIndex), score };
}

/** Across and up from the box at the depth of its voxels; as deep as it is wide, since nobody saw its back. */
function inSpace(object: TrackedObject, classes: readonly string[], view: View, voxelSizeM: number): SpaceDetection {
  const { track, depthM } = object;
  const [left, top, right, bottom] = track.box as unknown as [number, number, number, number];
  const wideM = ((right - left) * depthM) / view.fx;
  const highM = ((bottom - top) * depthM) / view.fy;
  const deepM = Math.max(voxelSizeM, Math.min(wideM, highM));
  const z = depthM + (deepM - voxelSizeM) / 2;
  // A pixel's centre lies at a whole number, its left edge half a pixel before.
  const x = (((left + right) / 2 - 0.5 - view.cx) * depthM) / view.fx;
  const y = (((top + bottom) / 2 - 0.5 - view.cy) * depthM) / view.fy;
  return { ...named(object, classes), centreM: [x, y, z], sizeM: [wideM, highM, deepM] };
}
