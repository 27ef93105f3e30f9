import type { CameraInfo } from "../core/calibration.ts";

/**
 * Where the pixels of an image lie in the full-resolution image that K and P speak of (CameraInfo: `binning`, `roi`):
 * full = image * bin + offset, on each axis.
 */
export interface ImageWindow {
  readonly binX: number;
  readonly binY: number;
  /** Full-resolution pixels. */
  readonly offsetX: number;
  readonly offsetY: number;
  /** Size that the image should have, in its own pixels. */
  readonly width: number;
  readonly height: number;
}

/** Binning 0 means 1, and a region of size 0 the whole image, as CameraInfo.msg says. */
export function imageWindow(info: CameraInfo): ImageWindow {
  const binX = Math.max(1, info.binningX);
  const binY = Math.max(1, info.binningY);
  const { roi } = info;
  return {
    binX,
    binY,
    offsetX: roi.xOffset,
    offsetY: roi.yOffset,
    width: Math.floor((roi.width || info.width) / binX),
    height: Math.floor((roi.height || info.height) / binY),
  };
}

/** Same numbers, apart from the stamp. */
export function sameCalibration(a: CameraInfo, b: CameraInfo): boolean {
  return (
    a.width === b.width &&
    a.height === b.height &&
    a.distortionModel === b.distortionModel &&
    a.binningX === b.binningX &&
    a.binningY === b.binningY &&
    a.roi.xOffset === b.roi.xOffset &&
    a.roi.yOffset === b.roi.yOffset &&
    a.roi.width === b.roi.width &&
    a.roi.height === b.roi.height &&
    sameNumbers(a.d, b.d) &&
    sameNumbers(a.k, b.k) &&
    sameNumbers(a.r, b.r) &&
    sameNumbers(a.p, b.p)
  );
}

function sameNumbers(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (!Object.is(a[i], b[i])) return false;
  return true;
}
