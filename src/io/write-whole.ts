import { OutputFile } from "./output-file.ts";

/** Writes a file in one go: it appears under its name whole or not at all. Throws `Fault` OUTPUT_UNWRITABLE. */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  const file = await OutputFile.open(path);
  try {
    await file.write(typeof content === "string" ? new TextEncoder().encode(content) : content);
    await file.finish();
  } catch (thrown) {
    await file.abandon({ keep: false });
    throw thrown;
  }
}
