import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

/** The matching kernel, compiled from assembly/matcher.ts as it stands now, with the flags of the build. */
export async function compileMatcher(): Promise<Uint8Array> {
  let wasm: Uint8Array | undefined;
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const flags = "-O3 --enable simd --enable bulk-memory --runtime stub --initialMemory 16 --outFile matcher.wasm";
  const { error, stderr } = await asc.main(["assembly/matcher.ts", "--baseDir", root, ...flags.split(" ")], {
    writeFile: (name: string, contents: Uint8Array | string) => {
      if (name === "matcher.wasm" && typeof contents !== "string") wasm = contents;
    },
  });
  if (error !== null || wasm === undefined) throw new Error(`assembly/matcher.ts does not compile: ${stderr}`);
  return wasm;
}
