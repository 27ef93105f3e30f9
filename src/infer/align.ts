import type { StereoCalibration } from "../core/calibration.ts";
import type { Image } from "../core/image.ts";

/**
 * Rows of the right image moved left by `doffsPx`, so that disparity 0 means infinity in both eyes: what the matcher and
 * the network expect. Linear between pixels; the edge is repeated. Returns the image itself where nothing is to be done.
 */
export function alignPrincipalPoints(
  right: Image,
  calibration: StereoCalibration,
): { right: Image; calibration: StereoCalibration } {
  const { doffsPx } = calibration;
  if (doffsPx === 0) return { right, calibration };
  const { width, height, channels, data } = right;
  const out = new Uint8Array(data.length);
  const whole = Math.floor(doffsPx);
  const part = Math.round((doffsPx - whole) * 256);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const a = Math.min(width - 1, Math.max(0, x + whole));
      const b = Math.min(width - 1, Math.max(0, x + whole + 1));
      for (let c = 0; c < channels; c += 1) {
        const left = data[(y * width + a) * channels + c]!;
        const next = data[(y * width + b) * channels + c]!;
        out[(y * width + x) * channels + c] = (left * (256 - part) + next * part + 128) >> 8;
      }
    }
  }
  return { right: { ...right, data: out }, calibration: { ...calibration, doffsPx: 0 } };
}
