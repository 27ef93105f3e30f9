import type { StereoConfig } from "../config/stereo-schema.ts";
import { asFault, messageOf } from "../core/fault.ts";
import { pairFoldersIn, readPairFolder } from "../io/pair-folder.ts";
import { type EvalOptions, measurePair, measureScaleless, type PairMeasured } from "./eval-pair.ts";
import { type EvalResult, resultOf } from "./eval-result.ts";
import { openModel } from "./model-folder.ts";
import { makeProgress } from "./progress.ts";

/** Runs the product over every pair of the folder. A pair that cannot be read is reported, not fatal; a bad model is. */
export async function evaluateStereo(options: EvalOptions, config: StereoConfig): Promise<EvalResult> {
  const folders = await pairFoldersIn(options.data);
  const model = await openModel(config);
  const progress = makeProgress("pairs", folders.length, false);
  const measured: PairMeasured[] = [];
  const skipped: { pair: string; reason: string }[] = [];
  const failed: { pair: string; code: string; message: string }[] = [];
  try {
    for (const [done, folder] of folders.entries()) {
      progress.update(done, folder);
      try {
        const entry = await readPairFolder(folder);
        if (entry.kind === "skipped") skipped.push({ pair: entry.name, reason: entry.reason });
        else if (entry.kind === "scaleless" && options.answers !== undefined)
          skipped.push({
            pair: entry.pair.name,
            reason: "answers are voxels, and its calibration has no metric scale",
          });
        else if (entry.kind === "scaleless") measured.push(await measureScaleless(model, entry.pair, options, config));
        else measured.push(await measurePair(model, entry.pair, options, config));
      } catch (thrown) {
        const { code, message } = asFault(thrown, messageOf(thrown), { code: "DATASET_INVALID", remedy: "" });
        if (code === "WORKER_DIED" || code.startsWith("MODEL_")) throw thrown;
        failed.push({ pair: folder, code, message });
      }
    }
    const by = options.answers === undefined ? model : { name: options.answers, sha256: "" };
    return { model: { name: by.name, sha256: by.sha256 }, ...resultOf(measured), skipped, failed };
  } finally {
    progress.stop();
    await model.close();
  }
}
