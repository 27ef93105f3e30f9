import type { CameraInfo } from "../core/calibration.ts";
import { decodeCdr } from "./codec.ts";
import { headerOf, type RosHeader } from "./header.ts";

/** `sensor_msgs/CameraInfo` as ROS shapes it. */
export interface CameraInfoMessage {
  readonly header: RosHeader;
  readonly height: number;
  readonly width: number;
  readonly distortion_model: string;
  readonly d: ArrayLike<number>;
  readonly k: ArrayLike<number>;
  readonly r: ArrayLike<number>;
  readonly p: ArrayLike<number>;
  readonly binning_x: number;
  readonly binning_y: number;
  readonly roi: {
    readonly x_offset: number;
    readonly y_offset: number;
    readonly height: number;
    readonly width: number;
    readonly do_rectify: boolean;
  };
}

/** From CDR; the result owns its numbers. Throws `Fault` MESSAGE_CORRUPT. Whether they make sense is not asked here. */
export function readCameraInfo(data: Uint8Array): CameraInfo {
  return cameraInfoOf(decodeCdr<CameraInfoMessage>("sensor_msgs/CameraInfo", data));
}

/** From the ROS-shaped object that a live subscription delivers. */
export function cameraInfoOf(message: CameraInfoMessage): CameraInfo {
  const { roi } = message;
  return {
    ...headerOf(message.header),
    width: message.width,
    height: message.height,
    distortionModel: message.distortion_model,
    d: Float64Array.from(message.d),
    k: Float64Array.from(message.k),
    r: Float64Array.from(message.r),
    p: Float64Array.from(message.p),
    binningX: message.binning_x,
    binningY: message.binning_y,
    roi: { xOffset: roi.x_offset, yOffset: roi.y_offset, width: roi.width, height: roi.height },
  };
}
