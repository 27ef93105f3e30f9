/**
 * A rectified pair: both eyes share focal length and rows. Pixel centres lie at whole numbers. A point (x right, y down,
 * z forward, metres, left optical frame) projects to u = fx x / z + cx, v = fy y / z + cy in the left image, and its
 * disparity (u left minus u right) is fx baseline / z - doffsPx.
 */
export interface StereoCalibration {
  readonly width: number;
  readonly height: number;
  /** Pixels. */
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
  /** Distance of the eyes, metres, > 0. */
  readonly baselineM: number;
  /** Right cx minus left cx, pixels; 0 where the principal points agree. */
  readonly doffsPx: number;
}

/** One camera's `sensor_msgs/CameraInfo` (REP-104), as numbers. */
export interface CameraInfo {
  readonly stampNs: bigint;
  readonly frameId: string;
  readonly width: number;
  readonly height: number;
  readonly distortionModel: string;
  readonly d: ArrayLike<number>;
  /** 3x3 row-major intrinsic matrix of the raw image. */
  readonly k: ArrayLike<number>;
  /** 3x3 row-major rectification rotation. */
  readonly r: ArrayLike<number>;
  /** 3x4 row-major projection of the rectified image; P[3] of the right eye is -fx * baseline. */
  readonly p: ArrayLike<number>;
  readonly binningX: number;
  readonly binningY: number;
  readonly roi: { readonly xOffset: number; readonly yOffset: number; readonly width: number; readonly height: number };
}

/** What a `CameraInfo` holds where nothing was binned, cropped or stamped. */
export const plainInfo = {
  stampNs: 0n,
  frameId: "",
  binningX: 0,
  binningY: 0,
  roi: { xOffset: 0, yOffset: 0, width: 0, height: 0 },
} as const;

/** Both eyes of a rectified pair as `CameraInfo` (REP-104: right P[3] = -fx * baseline), without stamp and frame. */
export function cameraInfosOf(stereo: StereoCalibration): { readonly left: CameraInfo; readonly right: CameraInfo } {
  const { width, height, fx, fy, cy } = stereo;
  const eye = (cx: number, shift: number): CameraInfo => ({
    ...plainInfo,
    width,
    height,
    distortionModel: "plumb_bob",
    d: [0, 0, 0, 0, 0],
    k: [fx, 0, cx, 0, fy, cy, 0, 0, 1],
    r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    p: [fx, 0, cx, shift, 0, fy, cy, 0, 0, 0, 1, 0],
  });
  return { left: eye(stereo.cx, 0), right: eye(stereo.cx + stereo.doffsPx, -fx * stereo.baselineM) };
}
