import type { StereoCalibration } from "../core/calibration.ts";
import type { StandingFault } from "../core/health.ts";

/** What the pipeline says of itself, once a frame: JSON in a `std_msgs/String` on /voxelguard/status. */
export interface Status {
  readonly frame: number | string;
  readonly pairs: number;
  readonly pairsPerSecond: number;
  readonly voxelSizeM: number;
  readonly stagesMs: Readonly<Record<string, number>>;
  readonly health: readonly Pick<StandingFault, "where" | "level" | "message" | "count">[];
  readonly accuracy?: Readonly<Record<string, number>>;
  /** Of the left camera, pixels: gives the frustum its true shape. */
  readonly camera?: CameraShape;
}

export type CameraShape = Omit<StereoCalibration, "baselineM" | "doffsPx">;

/** Undefined when the text is no status. What is missing or of the wrong kind is shown as nothing, never as a guess. */
export function parseStatus(text: string): Status | undefined {
  const raw = objectOf(text);
  if (raw === undefined) return undefined;
  const voxelSizeM = numberOf(raw["voxelSizeM"]);
  if (!(voxelSizeM > 0)) return undefined;
  const frame = raw["frame"];
  const health = Array.isArray(raw["health"]) ? raw["health"] : [];
  const camera = raw["camera"] as CameraShape | undefined;
  const accuracy = numbersOf(raw["accuracy"]);
  return {
    frame: typeof frame === "string" ? frame : numberOf(frame),
    pairs: numberOf(raw["pairs"]),
    pairsPerSecond: numberOf(raw["pairsPerSecond"]),
    voxelSizeM,
    stagesMs: numbersOf(raw["stagesMs"]),
    health: health.map((fault) => ({
      where: String(fault?.where ?? ""),
      level: fault?.level === "error" ? "error" : "warn",
      message: String(fault?.message ?? fault),
      count: numberOf(fault?.count),
    })),
    ...(Object.keys(accuracy).length > 0 && { accuracy }),
    ...(isCamera(camera) && { camera }),
  };
}

/** A figure for the eye: whole when large, else three digits; a dash where there is none. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value === 0 || Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : Number.NaN;
}

function numbersOf(value: unknown): Record<string, number> {
  return Object.fromEntries(
    Object.entries(Object(value)).filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
  );
}

function isCamera(camera: CameraShape | undefined): camera is CameraShape {
  return camera != null && [camera.width, camera.height, camera.fx, camera.fy].every((value) => value > 0);
}
