import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { z } from "zod";
import { type CameraInfo, cameraInfosOf, plainInfo, type StereoCalibration } from "../core/calibration.ts";
import { Fault, messageOf } from "../core/fault.ts";

/** A calibration as given on the command line: one C.json, or the camera_info YAML of both eyes. */
export type CalibrationPaths = { readonly json: string } | { readonly left: string; readonly right: string };

/** What a calibration file (or pair) says, in both forms. Stamps are 0, frame names empty. */
export interface CalibrationFile {
  /** Of the rectified pair. */
  readonly stereo: StereoCalibration;
  readonly left: CameraInfo;
  readonly right: CameraInfo;
}

const positive = z.number().positive();

/** `C.json`; further keys are ignored. `doffs_px` is right cx minus left cx. */
const jsonSchema = z.object({
  width: z.int().positive(),
  height: z.int().positive(),
  fx: positive,
  fy: positive,
  cx: z.number(),
  cy: z.number(),
  baseline_m: positive,
  doffs_px: z.number().default(0),
});

const matrix = (length: number) => z.object({ data: z.array(z.number()).length(length) });

/** The YAML that camera_calibration writes and camera_info_manager reads. */
const yamlSchema = z.object({
  image_width: z.int().positive(),
  image_height: z.int().positive(),
  distortion_model: z.string(),
  distortion_coefficients: z.object({ data: z.array(z.number()) }),
  camera_matrix: matrix(9),
  rectification_matrix: matrix(9),
  projection_matrix: matrix(12),
});

/** Reads and checks a calibration. Throws `Fault` CALIBRATION_MISSING or CALIBRATION_INVALID. */
export async function readCalibration(paths: CalibrationPaths): Promise<CalibrationFile> {
  if ("json" in paths) {
    const calibration = await parsed(paths.json, JSON.parse, jsonSchema);
    const { width, height, fx, fy, cx, cy } = calibration;
    const stereo = { width, height, fx, fy, cx, cy, baselineM: calibration.baseline_m, doffsPx: calibration.doffs_px };
    return { stereo, ...cameraInfosOf(stereo) };
  }
  const left = infoOf(await parsed(paths.left, parse, yamlSchema));
  const right = infoOf(await parsed(paths.right, parse, yamlSchema));
  return { stereo: stereoOf(left, right, `${paths.left} and ${paths.right}`), left, right };
}

async function parsed<T>(path: string, decode: (text: string) => unknown, schema: z.ZodType<T>): Promise<T> {
  const text = await readFile(path, "utf8").catch((thrown: unknown) => {
    throw new Fault(`Cannot read the calibration ${path} (${messageOf(thrown)})`, {
      code: "CALIBRATION_MISSING",
      remedy: "Check the path.",
      cause: thrown,
    });
  });
  let content: unknown;
  try {
    content = decode(text);
  } catch (thrown) {
    throw invalid(`${path} cannot be parsed (${messageOf(thrown)})`);
  }
  const result = schema.safeParse(content);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path: key, message }) => `${key.join(".") || "the whole"}: ${message}`);
  throw invalid(`${path} is no calibration: ${issues.join("; ")}`);
}

function infoOf(file: z.infer<typeof yamlSchema>): CameraInfo {
  return {
    ...plainInfo,
    width: file.image_width,
    height: file.image_height,
    distortionModel: file.distortion_model,
    d: file.distortion_coefficients.data,
    k: file.camera_matrix.data,
    r: file.rectification_matrix.data,
    p: file.projection_matrix.data,
  };
}

function stereoOf(left: CameraInfo, right: CameraInfo, where: string): StereoCalibration {
  const [fx, fy, cx, cy] = [left.p[0]!, left.p[5]!, left.p[2]!, left.p[6]!];
  const baselineM = (left.p[3]! - right.p[3]!) / fx;
  if (left.width !== right.width || left.height !== right.height) {
    const [a, b] = [left, right].map(({ width, height }) => `${width} x ${height}`);
    throw invalid(`${where} are for images of ${a} and ${b} pixels, wanted the same size`);
  }
  if (!(fx > 0 && fy > 0)) throw invalid(`${where}: the left projection has focal lengths ${fx}, ${fy}, wanted > 0`);
  if (Math.abs(right.p[0]! - fx) > 1e-3 * fx || Math.abs(right.p[6]! - cy) > 0.5) {
    throw invalid(`${where}: the projections differ (fx ${fx} and ${right.p[0]}, cy ${cy} and ${right.p[6]})`);
  }
  if (!(baselineM > 0)) {
    throw invalid(
      `${where}: the baseline is ${baselineM} m (right P[3] is ${right.p[3]}), wanted > 0; are they swapped?`,
    );
  }
  return { width: left.width, height: left.height, fx, fy, cx, cy, baselineM, doffsPx: right.p[2]! - cx };
}

function invalid(message: string): Fault {
  return new Fault(message, {
    code: "CALIBRATION_INVALID",
    remedy: "Give a C.json with width, height, fx, fy, cx, cy, baseline_m, or the YAML pair of camera_calibration.",
  });
}
