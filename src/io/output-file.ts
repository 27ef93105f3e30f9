import { type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { IWritable } from "@mcap/core";
import { Fault, messageOf } from "../core/fault.ts";

/**
 * A file that appears under its name only when it is whole: written as `<path>.part` beside it, renamed by `finish`. A
 * crash leaves the part. Throws `Fault` OUTPUT_UNWRITABLE from every method when the disk does not take it.
 */
export class OutputFile implements IWritable {
  readonly path: string;
  readonly partPath: string;
  readonly #handle: FileHandle;
  #bytes = 0;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.partPath = `${path}.part`;
    this.#handle = handle;
  }

  /** Makes the folders on the way, too. */
  static async open(path: string): Promise<OutputFile> {
    try {
      await mkdir(dirname(path), { recursive: true });
      const found = await stat(path).catch(() => undefined);
      if (found?.isDirectory() === true) throw new Error("a folder of this name is in the way");
      return new OutputFile(path, await open(`${path}.part`, "w"));
    } catch (thrown) {
      throw unwritable(path, "Choose another place, or make this one writable.", thrown);
    }
  }

  /** All of `data`; a full disk shows as an error here and never as a short file. */
  async write(data: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < data.length; ) {
        const { bytesWritten } = await this.#handle.write(data, done, data.length - done);
        done += bytesWritten;
        this.#bytes += bytesWritten;
      }
    } catch (thrown) {
      throw unwritable(this.path, `Make room, then run again; what was written so far is in ${this.partPath}.`, thrown);
    }
  }

  position(): bigint {
    return BigInt(this.#bytes);
  }

  async finish(): Promise<void> {
    try {
      await this.#handle.datasync().catch((thrown: unknown) => {
        // Pipes and some network file systems cannot.
        if ((thrown as { code?: string }).code !== "EINVAL") throw thrown;
      });
      await this.#handle.close();
      await rename(this.partPath, this.path);
    } catch (thrown) {
      throw unwritable(this.path, `What was written is in ${this.partPath}.`, thrown);
    }
  }

  /** Closes; the part is removed, or kept where it may still be of use. */
  async abandon({ keep }: { readonly keep: boolean }): Promise<void> {
    await this.#handle.close().catch(() => {});
    if (!keep) await rm(this.partPath, { force: true }).catch(() => {});
  }
}

function unwritable(path: string, remedy: string, thrown: unknown): Fault {
  return new Fault(`Cannot write ${path} (${messageOf(thrown)})`, { code: "OUTPUT_UNWRITABLE", remedy, cause: thrown });
}
