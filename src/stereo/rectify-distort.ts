import type { CameraInfo } from "../core/calibration.ts";
import { Fault } from "../core/fault.ts";

/** Undistorted ray (x/z, y/z; no unit) -> where the lens puts it, into out[0..1], on the same plane. */
export type Distortion = (out: Float64Array, x: number, y: number) => void;

const identical: Distortion = (out, x, y) => {
  out[0] = x;
  out[1] = y;
};

/** Names of sensor_msgs/distortion_models, and what other tools call the same. D lengths that each may have. */
const models = {
  plumb_bob: { lengths: [4, 5], make: radialTangential },
  radtan: { lengths: [4, 5], make: radialTangential },
  rational_polynomial: { lengths: [4, 5, 8, 12, 14], make: radialTangential },
  equidistant: { lengths: [4], make: equidistant },
  fisheye: { lengths: [4], make: equidistant },
  kannala_brandt: { lengths: [4], make: equidistant },
} as const;

/** The lens of a CameraInfo. Throws `CALIBRATION_INVALID` for a model or a number of coefficients that is not known. */
export function distortionOf(info: CameraInfo): Distortion {
  const d = Array.from(info.d);
  if (!d.every(Number.isFinite)) throw invalid(`D is [${d.join(", ")}]; wanted finite numbers`);
  const model = Object.hasOwn(models, info.distortionModel)
    ? models[info.distortionModel as keyof typeof models]
    : undefined;
  // A fisheye bends even with all coefficients at 0.
  if (d.length === 0 || (d.every((coefficient) => coefficient === 0) && model?.make !== equidistant)) return identical;
  if (model === undefined) {
    throw invalid(
      `the distortion model "${info.distortionModel}" is not known; wanted ${Object.keys(models).join(", ")}`,
    );
  }
  // OpenCV writes more than five coefficients under plumb_bob's name, too: the formula is the same.
  const lengths: readonly number[] =
    model.make === radialTangential ? models.rational_polynomial.lengths : model.lengths;
  if (!lengths.includes(d.length)) {
    throw invalid(`D has ${d.length} numbers; "${info.distortionModel}" has ${model.lengths.join(", ")}`);
  }
  return model.make(d);
}

/**
 * Brown-Conrady with OpenCV's extensions (calib3d documentation): k1 k2 p1 p2 [k3 [k4 k5 k6 [s1 s2 s3 s4 [tauX tauY]]]]:
 * radial fraction, tangential, thin prism, tilted sensor.
 */
function radialTangential(d: readonly number[]): Distortion {
  const at = (i: number) => d[i] ?? 0;
  const [k1, k2, p1, p2, k3, k4, k5, k6] = [at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)];
  const [s1, s2, s3, s4] = [at(8), at(9), at(10), at(11)];
  const tilt = at(12) === 0 && at(13) === 0 ? undefined : tiltMatrix(at(12), at(13));
  return (out, x, y) => {
    const r2 = x * x + y * y;
    const radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)));
    const u = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x) + r2 * (s1 + r2 * s2);
    const v = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y + r2 * (s3 + r2 * s4);
    out[0] = u;
    out[1] = v;
    if (tilt === undefined) return;
    const w = tilt[6]! * u + tilt[7]! * v + tilt[8]!;
    out[0] = (tilt[0]! * u + tilt[1]! * v + tilt[2]!) / w;
    out[1] = (tilt[3]! * u + tilt[4]! * v + tilt[5]!) / w;
  };
}

/** OpenCV's sensor tilt: rotation about x by tauX, then about y by tauY, projected back along z; row-major 3x3. */
function tiltMatrix(tauX: number, tauY: number): Float64Array {
  const [cx, sx, cy, sy] = [Math.cos(tauX), Math.sin(tauX), Math.cos(tauY), Math.sin(tauY)];
  const r = [cy, sy * sx, -sy * cx, 0, cx, sx, sy, -cy * sx, cy * cx] as const;
  const [r02, r12, r22] = [r[2], r[5], r[8]];
  const out = new Float64Array(9);
  for (let c = 0; c < 3; c += 1) {
    out[c] = r22 * r[c]! - r02 * r[6 + c]!;
    out[3 + c] = r22 * r[3 + c]! - r12 * r[6 + c]!;
    out[6 + c] = r[6 + c]!;
  }
  return out;
}

/** Fisheye (Kannala and Brandt 2006, four terms): the distance from the centre grows with the angle, not its tangent. */
function equidistant(d: readonly number[]): Distortion {
  const [k1, k2, k3, k4] = [d[0] ?? 0, d[1] ?? 0, d[2] ?? 0, d[3] ?? 0];
  return (out, x, y) => {
    const r = Math.hypot(x, y);
    const angle = Math.atan(r);
    const a2 = angle * angle;
    const bent = angle * (1 + a2 * (k1 + a2 * (k2 + a2 * (k3 + a2 * k4))));
    const scale = r > 1e-9 ? bent / r : 1;
    out[0] = x * scale;
    out[1] = y * scale;
  };
}

function invalid(what: string): Fault {
  return new Fault(`Cannot rectify: ${what}.`, {
    code: "CALIBRATION_INVALID",
    remedy: "Calibrate the camera with one of these models and publish the result in camera_info.",
  });
}
