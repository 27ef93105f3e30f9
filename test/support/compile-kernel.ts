import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

/** The kernel of assembly/<name>.ts as it stands now, compiled with the flags of the build. */
export async function kernelOf(name: "matcher" | "scan"): Promise<Uint8Array> {
  let wasm: Uint8Array | undefined;
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const flags = "-O3 --enable simd --enable bulk-memory --runtime stub --initialMemory 16 --outFile kernel.wasm";
  const { error, stderr } = await asc.main([`assembly/${name}.ts`, "--baseDir", root, ...flags.split(" ")], {
    writeFile: (file: string, contents: Uint8Array | string) => {
      if (file === "kernel.wasm" && typeof contents !== "string") wasm = contents;
    },
  });
  if (error !== null || wasm === undefined) throw new Error(`assembly/${name}.ts does not compile: ${stderr}`);
  return wasm;
}
