import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { demoBag, HEIGHT, loadDrive, WIDTH } from "../../bench/support/drive.ts";

/**
 * What the pages call a pair, a picture and a folder of pictures, of the demo drive: left.png, right.png,
 * calibration.json, street.jpg, pictures/left and pictures/right (three images each).
 */
export async function writeFirstPair(folder: string): Promise<void> {
  const pairs = await loadDrive(demoBag, 3, 1);
  for (const side of ["left", "right"] as const) {
    mkdirSync(join(folder, "pictures", side), { recursive: true });
    for (const [i, pair] of pairs.entries()) {
      const picture = sharp(pair[side], { raw: { width: WIDTH, height: HEIGHT, channels: 1 } });
      await picture.clone().toFile(join(folder, "pictures", side, `${i}.png`));
      if (i > 0) continue;
      await picture.clone().toFile(join(folder, `${side}.png`));
      if (side === "left") await picture.clone().jpeg().toFile(join(folder, "street.jpg"));
    }
  }
  const { width, height, fx, fy, cx, cy, baselineM } = pairs[0]!.calibration;
  const calibration = { width, height, fx, fy, cx, cy, baseline_m: baselineM };
  writeFileSync(join(folder, "calibration.json"), JSON.stringify(calibration));
}
