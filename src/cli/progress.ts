import { Presets, SingleBar } from "cli-progress";

export interface Progress {
  /** `done` of the total; `note` follows the bar. */
  update(done: number, note: string): void;
  stop(): void;
}

/** A progress bar on stderr; silent where stderr is no terminal or `quiet` is set. */
export function makeProgress(label: string, total: number, quiet: boolean): Progress {
  if (quiet || !process.stderr.isTTY) return { update() {}, stop() {} };
  const format = `${label} {bar} {value}/{total} {note}`;
  const bar = new SingleBar(
    { format, stream: process.stderr, hideCursor: true, clearOnComplete: false },
    Presets.shades_classic,
  );
  bar.start(total, 0, { note: "" });
  return {
    update: (done, note) => bar.update(Math.min(done, total), { note }),
    stop: () => bar.stop(),
  };
}
