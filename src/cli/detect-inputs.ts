import { stat } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../core/fault.ts";
import type { Image } from "../core/image.ts";
import { openBag } from "../io/bag.ts";
import { findImageTopic, imageSource } from "../io/bag-image.ts";
import { listImages } from "../io/image-files.ts";
import { readPicture } from "../io/picture-file.ts";

/** One image to look at, or why it cannot be had. */
export interface DetectInput {
  /** What the line of the answer says of where it is from. */
  readonly source: { readonly image: string } | { readonly topic: string; readonly stamp_ns: string };
  /** For file names. */
  readonly name: string;
  readonly image: Image | Fault;
  /** Of an image in a recording; pictures have nothing to do with each other. */
  readonly stampNs?: bigint;
}

/** The images of a picture, a folder or pattern of pictures, or one camera of a recording. */
export async function* detectInputs(where: string, topic: string | undefined): AsyncGenerator<DetectInput> {
  const pictures = await picturesOf(where);
  if (pictures !== undefined) {
    for (const path of pictures) {
      const image = await readPicture(path).catch(faultOnly);
      // Alone, it is what the command is about; among others, they are still worth having.
      if (image instanceof Fault && pictures.length === 1) throw image;
      yield { source: { image: path }, name: nameOf(path), image };
    }
    return;
  }
  const bag = await openBag(where);
  try {
    const found = findImageTopic(bag.topics, topic);
    let at = 0;
    for await (const each of imageSource(bag, found, "native")) {
      const name = String(at).padStart(6, "0");
      at += 1;
      if (each instanceof Fault) yield { source: { topic: found.name, stamp_ns: "" }, name, image: each };
      else {
        const { stampNs, image } = each;
        yield { source: { topic: found.name, stamp_ns: String(stampNs) }, name, image, stampNs };
      }
    }
  } finally {
    await bag.close();
  }
}

/** undefined: a recording. */
async function picturesOf(where: string): Promise<readonly string[] | undefined> {
  if (where.includes("*") || where.includes("?")) return await listImages(where);
  const found = await stat(where).catch(() => undefined);
  if (/\.(jpe?g|png|webp|tiff?)$/i.test(where) && found?.isDirectory() !== true) return [where];
  if (found?.isDirectory() !== true) return undefined;
  const isBag = await stat(join(where, "metadata.yaml")).catch(() => undefined);
  if (isBag !== undefined) return undefined;
  return await listImages(where).catch((thrown) => {
    // Perhaps a recording without its metadata.yaml: the bag reader says what it sees.
    if (thrown instanceof Fault) return undefined;
    throw thrown;
  });
}

function nameOf(path: string): string {
  return (path.split(/[\\/]/).at(-1) ?? path).replace(/\.[^.]*$/, "");
}

function faultOnly(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown;
  throw thrown;
}
